import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, read, readSync, statSync, utimesSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import { hasMark } from './blob-mark.ts';
import { DamagedBlobError } from './failures.ts';

const readAsync = promisify(read);
/** Bytes that are read, hashed or streamed at a time. */
const chunkBytes = 4 * 2 ** 20;

export interface OpenBlob {
  readonly digest: Digest;
  readonly descriptor: number;
  readonly path: string;
  readonly bytes: number;
}

/** Throws a `DamagedBlobError` if there is no such file. Whoever reads the blob closes it. */
export function openBlob(digest: Digest, path: string): OpenBlob {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new DamagedBlobError(digest, path, 'missing');
  }
  return { digest, descriptor, path, bytes: fstatSync(descriptor).size };
}

/** Takes the mark from a damaged blob, so that the next hit check sees it, and a new one replaces it. */
export function damagedBlob(digest: Digest, path: string): DamagedBlobError {
  try {
    const seconds = Math.floor(statSync(path).mtimeMs / 1000);
    if (hasMark(statSync(path).mtimeMs, hexOf(digest))) utimesSync(path, seconds, seconds);
  } catch {
    // A store that cannot be written: reading finds the damage again.
  }
  return new DamagedBlobError(digest, path, 'changed');
}

/** The whole blob, in memory of its own. Closes it. */
export async function readBlob({ digest, descriptor, path, bytes }: OpenBlob): Promise<Buffer> {
  try {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    let filled = 0;
    while (filled < bytes) {
      const count =
        bytes <= chunkBytes
          ? readSync(descriptor, buffer, filled, bytes - filled, filled)
          : (await readAsync(descriptor, buffer, filled, bytes - filled, filled)).bytesRead;
      if (count === 0) break;
      filled += count;
    }
    if (filled < bytes || digestOf(buffer) !== digest) throw damagedBlob(digest, path);
    return buffer;
  } finally {
    closeSync(descriptor);
  }
}

/** The blob in pieces, all of them checked before the first is given out. Closes it. */
export async function* streamBlob({
  digest,
  descriptor,
  path,
  bytes,
}: OpenBlob): AsyncGenerator<Buffer, void> {
  try {
    if (bytes <= chunkBytes) {
      const buffer = Buffer.allocUnsafe(bytes);
      const count = readSync(descriptor, buffer, 0, bytes, 0);
      if (count < bytes || digestOf(buffer) !== digest) throw damagedBlob(digest, path);
      if (bytes > 0) yield buffer;
      return;
    }
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const hash = createHash('sha256');
    for (let position = 0; ; ) {
      const { bytesRead } = await readAsync(descriptor, buffer, 0, chunkBytes, position);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    if (hash.digest('hex') !== hexOf(digest)) throw damagedBlob(digest, path);
    for (let position = 0; position < bytes; ) {
      const { bytesRead } = await readAsync(descriptor, buffer, 0, chunkBytes, position);
      if (bytesRead === 0) throw damagedBlob(digest, path);
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } finally {
    closeSync(descriptor);
  }
}
