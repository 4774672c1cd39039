import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Artefact } from '../artefacts.ts';
import { type Digest, digestOf } from '../digest.ts';
import { type Fingerprint, fingerprintKey } from '../fingerprint/fingerprint.ts';
import { isFileName } from '../store/files.ts';
import type { StepEntry } from '../store/step-index.ts';

/** Version of the layout in a shared cache. It is part of every name: versions live side by side. */
export const remoteFormat = 1;

/** What is filed under `v1/results/<key>`: the entry as text, its digest, and a signature where a secret is set. */
interface Envelope {
  format: number;
  entry: string;
  sum: Digest;
  signature?: string;
}

/** The result that is asked for. */
export interface Wanted {
  key: Digest;
  /** What the step puts out, the main output first. */
  outputs: { readonly [name: string]: { readonly kind: Artefact['kind']; readonly optional?: boolean } };
}

export function sealEntry(entry: StepEntry, secret: string | undefined): Buffer {
  const text = JSON.stringify(entry);
  const envelope: Envelope = {
    format: remoteFormat,
    entry: text,
    sum: digestOf(text),
    ...(secret && { signature: signatureOf(text, secret) }),
  };
  return Buffer.from(JSON.stringify(envelope));
}

/**
 * The entry that some bytes hold, if they are one of this key: the text is what its digest (and signature) says, its
 * fingerprint is the one that was asked for, and its outputs are artefacts of the kinds that the step has. Else why it is
 * not taken.
 */
export function openEntry(
  bytes: Uint8Array,
  { key, outputs: specs }: Wanted,
  secret: string | undefined,
): { entry: StepEntry } | { refused: string } {
  let envelope: Partial<Envelope>;
  let entry: StepEntry;
  try {
    envelope = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Envelope>;
    if (envelope.format !== remoteFormat || typeof envelope.entry !== 'string')
      return { refused: 'it is no entry' };
    if (digestOf(envelope.entry) !== envelope.sum) return { refused: 'its bytes are damaged' };
    if (secret && !isSigned(envelope.entry, envelope.signature, secret))
      return { refused: 'it is not signed with REPRISE_REMOTE_KEY' };
    entry = JSON.parse(envelope.entry) as StepEntry;
  } catch {
    return { refused: 'it is no entry' };
  }
  const { fingerprint, outputs, metrics } = entry;
  if (fingerprintKey(fingerprint as unknown as Fingerprint) !== key)
    return { refused: 'it is the entry of another step' };
  const expected = Object.keys(specs).filter(
    (name) => specs[name]?.optional !== true || (isRecord(outputs) && Object.hasOwn(outputs, name)),
  );
  const whole =
    isRecord(outputs) &&
    Object.keys(outputs).join() === expected.join() &&
    Object.entries(outputs).every(
      ([name, output]) => isArtefact(output) && output.kind === specs[name]?.kind,
    ) &&
    isRecord(metrics) &&
    Array.isArray(entry.warnings) &&
    entry.rows_failed === 0 &&
    typeof entry.duration_ms === 'number' &&
    !Number.isNaN(Date.parse(entry.created));
  return whole ? { entry } : { refused: 'it is no entry' };
}

function signatureOf(text: string, secret: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

function isSigned(text: string, signature: unknown, secret: string): boolean {
  const right = Buffer.from(signatureOf(text, secret));
  const given = Buffer.from(typeof signature === 'string' ? signature : '');
  return given.length === right.length && timingSafeEqual(given, right);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isArtefact(value: unknown): value is Artefact {
  if (!isRecord(value) || !isDigest(value['digest']) || !isSize(value['bytes'])) return false;
  const { kind, blob, rows, ids, columns, fields, files } = value;
  if (kind === 'files')
    return (
      Array.isArray(files) &&
      files.every(
        (file) =>
          isRecord(file) &&
          typeof file['name'] === 'string' &&
          // Programs are given copies of files under these names: none may lie outside of their folder.
          isFileName(file['name']) &&
          isDigest(file['digest']) &&
          isSize(file['bytes']),
      )
    );
  if (!isDigest(blob) || !isSize(rows) || !isDigest(ids)) return false;
  return kind === 'table' ? Array.isArray(fields) : kind === 'matrix' && isSize(columns);
}
