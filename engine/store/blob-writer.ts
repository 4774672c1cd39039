import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { Digest } from '../digest.ts';
import { storeFailure } from './failures.ts';
import type { PendingBlob } from './pending-blobs.ts';

/** One blob being written. `write` goes to the system's cache at once; an error removes the temporary file. */
export class BlobWriter {
  readonly #path: string;
  readonly #folder: string;
  readonly #finished: (hex: string, blob: PendingBlob) => void;
  readonly #hash: Hash = createHash('sha256');
  #descriptor: number | undefined;
  #bytes = 0;

  constructor(path: string, folder: string, finished: (hex: string, blob: PendingBlob) => void) {
    this.#path = path;
    this.#folder = folder;
    this.#finished = finished;
    try {
      this.#descriptor = openSync(path, 'wx+');
    } catch (error) {
      throw storeFailure(error, folder);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(data: Uint8Array): void {
    if (this.#descriptor === undefined) throw new Error('the blob is finished or aborted');
    this.#hash.update(data);
    try {
      for (let done = 0; done < data.byteLength; )
        done += writeSync(this.#descriptor, data, done, data.byteLength - done);
    } catch (error) {
      this.abort();
      throw storeFailure(error, this.#folder);
    }
    this.#bytes += data.byteLength;
  }

  /** Reads back what was written so far. */
  readBack(position: number, length: number): Buffer {
    if (this.#descriptor === undefined) throw new Error('the blob is finished or aborted');
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(this.#descriptor, buffer, 0, length, position));
  }

  finish(): { digest: Digest; bytes: number } {
    if (this.#descriptor === undefined) throw new Error('the blob is finished or aborted');
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    const hex = this.#hash.digest('hex');
    this.#finished(hex, { path: this.#path, bytes: this.#bytes });
    return { digest: `sha256:${hex}`, bytes: this.#bytes };
  }

  abort(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    rmSync(this.#path, { force: true });
  }
}
