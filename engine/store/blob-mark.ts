import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, fstatSync, futimesSync, openSync, read, readSync, utimesSync } from 'node:fs';
import { promisify } from 'node:util';

const readAsync = promisify(read);

const isWindows = process.platform === 'win32';

/**
 * The mark: the modification time of a blob says when it was stored, to the second; its microseconds are made of
 * the digest. Whatever writes to the file afterwards sets another time, so a file with the right size and mark has
 * the bytes that were checked when the mark was set (by chance in one of a million cases not, and then a read sees it).
 * On a file system without such times every check reads the bytes.
 */

/** Microseconds that mark a blob whose bytes were checked. */
function markOf(hex: string): number {
  return Number.parseInt(hex.slice(-8), 16) % 1_000_000;
}

/** Whether the bytes were checked since the file was last written. */
export function hasMark(mtimeMs: number, hex: string): boolean {
  return Math.floor(mtimeMs * 1000) % 1_000_000 === markOf(hex);
}

/** Seconds with the mark; the half microsecond makes up for the rounding of a double. */
function markedTime(hex: string, ms: number): number {
  return Math.floor(ms / 1000) + (markOf(hex) + 0.5) / 1e6;
}

/** Marks a file whose bytes were checked; it keeps its time to the second. */
function setMark(path: string, hex: string, ms: number): void {
  const time = markedTime(hex, ms);
  try {
    utimesSync(path, time, time);
  } catch {
    // Somebody else's file: it is hashed again next time.
  }
}

/** Opens a finished temporary file, read-only and marked, ready to be put on disk. */
export function prepare(hex: string, path: string): number {
  // Windows wants the right to write for fsync; elsewhere a file that is read-only already can be prepared again.
  const descriptor = openSync(path, isWindows ? 'r+' : 'r');
  try {
    const time = markedTime(hex, Date.now());
    futimesSync(descriptor, time, time);
    if (!isWindows) fchmodSync(descriptor, 0o444);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

const chunkBytes = 2 ** 20;

/** Hashes a file; marks it if it is what its name says. False for one that cannot be read, too. */
export function isIntact(path: string, hex: string): boolean {
  const file = openOf(path);
  if (!file) return false;
  try {
    const hash = createHash('sha256');
    for (let count = 1; count > 0; ) {
      count = readSync(file.descriptor, file.buffer, 0, file.buffer.length, null);
      hash.update(file.buffer.subarray(0, count));
    }
    return settle(file, hex, hash.digest('hex'));
  } catch {
    // A folder in its place, a bad sector.
    return false;
  } finally {
    closeSync(file.descriptor);
  }
}

/** The same without holding up the event loop. */
export async function isIntactAsync(path: string, hex: string): Promise<boolean> {
  const file = openOf(path);
  if (!file) return false;
  try {
    const hash = createHash('sha256');
    for (let count = 1; count > 0; ) {
      count = (await readAsync(file.descriptor, file.buffer, 0, file.buffer.length, null)).bytesRead;
      hash.update(file.buffer.subarray(0, count));
    }
    return settle(file, hex, hash.digest('hex'));
  } catch {
    // A folder in its place, a bad sector.
    return false;
  } finally {
    closeSync(file.descriptor);
  }
}

interface OpenFile {
  path: string;
  descriptor: number;
  mtimeMs: number;
  /** To read with: a chunk, or less for a small file, since each of a thousand small files would cost a megabyte. */
  buffer: Buffer;
}

function openOf(path: string): OpenFile | undefined {
  try {
    const descriptor = openSync(path, 'r');
    const { mtimeMs, size } = fstatSync(descriptor);
    return {
      path,
      descriptor,
      mtimeMs,
      buffer: Buffer.allocUnsafe(Math.min(Math.max(size + 1, 4096), chunkBytes)),
    };
  } catch {
    return undefined;
  }
}

function settle({ path, descriptor, mtimeMs }: OpenFile, hex: string, found: string): boolean {
  if (found !== hex) return false;
  // Written to while it was read? Then the time is not that of the bytes that were hashed.
  if (!hasMark(mtimeMs, hex) && fstatSync(descriptor).mtimeMs === mtimeMs) setMark(path, hex, mtimeMs);
  return true;
}
