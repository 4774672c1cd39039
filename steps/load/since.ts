import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { StepError } from '../../engine/problems.ts';
import type { StepContext } from '../../engine/step.ts';
import { newNotes } from './found.ts';
import { parseJson } from './json-text.ts';
import { endsWithCr } from './lines.ts';
import { isObject } from './message-log.ts';
import type { ReaderOptions } from './read-file.ts';
import type { FilePart, SourceFile } from './source-files.ts';

/** How far a file was read: a row of the output `manifest`. */
export interface Mark {
  /** The file, as rows name it. */
  id: string;
  /** Bytes that were read: the file up to the end of its last complete line, or the whole file. */
  bytes: number;
  /** SHA-256 of those bytes. */
  digest: string;
  /** Records in them, good and bad. */
  records: number;
  /** Line ends in them; 0 for a file that is read as a whole. */
  lines: number;
}

/** What is new in a file. */
export interface News {
  /** What to read; undefined for the whole file. */
  part: FilePart | undefined;
  /** The mark, but for the records that are about to be read. */
  mark: Mark;
  /** Nothing is. */
  unchanged: boolean;
}

const chunkSize = 256 * 1024;
/** A last line without an end is looked at if it is no longer than this, in bytes. */
const longestTail = 64 * 1024 * 1024;

/**
 * Reads the manifest of an earlier load: JSON Lines, as `export` writes them. None if there is no such file yet.
 * What is no manifest is a StepError.
 */
export async function readManifest(path: string, context: StepContext): Promise<Map<string, Mark>> {
  const marks = new Map<string, Mark>();
  const [file] = context.files(path);
  const handle =
    file === undefined
      ? undefined
      : await open(file).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw new StepError(
            'unreadable-file',
            `${path} cannot be read: ${error.message}`,
            'Check its permissions.',
          );
        });
  if (!handle) return marks;
  try {
    for (const [index, line] of (await handle.readFile('utf8')).split('\n').entries()) {
      if (line.trim() === '') continue;
      const parsed = parseJson(line, newNotes());
      const mark = 'value' in parsed && isMark(parsed.value) ? (parsed.value as unknown as Mark) : undefined;
      if (!mark)
        throw new StepError(
          'invalid-manifest',
          `${path}:${index + 1} is no line of a manifest: ${line.slice(0, 80).toWellFormed()}`,
          'Write it with reprise export <run> <step>.manifest -o <file>.jsonl, or remove it to begin anew.',
        );
      marks.set(mark.id, mark);
    }
  } finally {
    await handle.close();
  }
  return marks;
}

function isMark(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, bytes, digest, records, lines } = value as Record<string, unknown>;
  const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
  return (
    typeof id === 'string' &&
    typeof digest === 'string' &&
    isCount(bytes) &&
    isCount(records) &&
    isCount(lines)
  );
}

/**
 * What is new in a file since a mark was made. Of a file of lines that has grown, that is what follows; of one that has
 * changed in what was read, and of one that is no file of lines, all of it.
 */
export async function newsOf(
  file: SourceFile,
  before: Mark | undefined,
  options: ReaderOptions,
  encoding: string,
  context: StepContext,
): Promise<News> {
  const handle = await open(file.path);
  const bytesAt = async (start: number, end: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  };
  /** Hashes bytes, and counts their line ends. */
  const take = async (hash: Hash, start: number, end: number): Promise<number> => {
    let lines = 0;
    for (let at = start; at < end; at += chunkSize) {
      context.signal.throwIfAborted();
      const chunk = await bytesAt(at, Math.min(end, at + chunkSize));
      hash.update(chunk);
      for (let next = chunk.indexOf(0x0a); next >= 0; next = chunk.indexOf(0x0a, next + 1)) lines++;
    }
    return lines;
  };
  try {
    const hash = createHash('sha256');
    const head = await bytesAt(0, Math.min(file.bytes, chunkSize));
    const byLines = growsByLines(file, head, options, encoding);
    const known = before && before.bytes <= file.bytes ? before.bytes : 0;
    await take(hash, 0, known);
    const same = before !== undefined && before.bytes <= file.bytes && digestOf(hash) === before.digest;
    if (!byLines) {
      await take(hash, known, file.bytes);
      const mark = { id: file.name, bytes: file.bytes, digest: digestOf(hash), records: 0, lines: 0 };
      const unchanged = same && before.bytes === file.bytes;
      return { part: undefined, mark: unchanged ? before : mark, unchanged };
    }
    if (before && !same)
      context.warn(
        `${file.name} has changed in the ${before.bytes.toLocaleString('en')} bytes that were read before: it is read from its start`,
      );
    const start = same ? before.bytes : 0;
    const end = await lastEnd(bytesAt, start, file, context);
    const fresh = same ? hash : createHash('sha256');
    const lines = (same ? before.lines : 0) + (await take(fresh, start, end));
    const records = same ? before.records : 0;
    const mark = { id: file.name, bytes: end, digest: digestOf(fresh), records, lines };
    return {
      part: { start, end, lines: same ? before.lines : 0, records },
      mark,
      unchanged: end === start && before !== undefined && same,
    };
  } finally {
    await handle.close();
  }
}

/** Whether lines are added to such a file at its end, and are told by the byte 0x0A. */
function growsByLines(
  file: SourceFile,
  head: Buffer,
  { sampleBy }: ReaderOptions,
  encoding: string,
): boolean {
  if (file.compression !== 'none' || encoding.startsWith('utf-16')) return false;
  const isUtf16 =
    (head[0] === 0xff && head[1] === 0xfe) ||
    (head[0] === 0xfe && head[1] === 0xff) ||
    head.subarray(0, 4).includes(0);
  if (isUtf16 || endsWithCr(head.toString('latin1'))) return false;
  return (
    ['jsonl', 'csv', 'tsv'].includes(file.format) ||
    (file.format === 'txt' && (sampleBy ?? 'line') === 'line')
  );
}

/** Where the last complete line ends. A JSON object is complete when it is closed; anything else waits for its line end. */
async function lastEnd(
  bytesAt: (start: number, end: number) => Promise<Buffer>,
  start: number,
  file: SourceFile,
  context: StepContext,
): Promise<number> {
  let end = start;
  for (let at = file.bytes; at > start && end === start; at -= chunkSize) {
    const from = Math.max(start, at - chunkSize);
    const newline = (await bytesAt(from, at)).lastIndexOf(0x0a);
    if (newline >= 0) end = from + newline + 1;
  }
  const rest = file.bytes - end;
  if (rest === 0) return end;
  if (rest <= longestTail) {
    const tail = (await bytesAt(end, file.bytes)).toString('utf8');
    if (tail.trim() === '') return end;
    const parsed = file.format === 'jsonl' ? parseJson(tail, newNotes()) : undefined;
    if (parsed && 'value' in parsed && isObject(parsed.value)) return file.bytes;
  }
  context.warn(
    `${file.name}: the last line has no end yet: its ${rest.toLocaleString('en')} bytes wait for the next run`,
  );
  return end;
}

function digestOf(hash: Hash): string {
  return `sha256:${hash.copy().digest('hex')}`;
}
