import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { canonicalJson } from './json.ts';

/** `sha256:` and 64 hex digits: the name of a content, everywhere in records, stores and fingerprints. */
export type Digest = `sha256:${string}`;

/** Digest of bytes, or of a text's UTF-8 bytes. */
export function digestOf(content: string | NodeJS.ArrayBufferView): Digest {
  return `sha256:${hash('sha256', content, 'hex')}`;
}

/** Digest of a JSON value's canonical form: key order and white space do not count. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/** The hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Whether a file is there and has these bytes. */
export async function hasBytes(path: string, digest: Digest): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch {
    return false;
  }
  return `sha256:${hash.digest('hex')}` === digest;
}
