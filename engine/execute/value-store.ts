import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Json } from '../json.ts';
import { storeFailure } from '../store/failures.ts';
import type { Namespace, RowCache } from '../store/row-cache.ts';
import { makeScratch, removeScratch } from './scratch.ts';

export type Value = Json | Float32Array;

/** Bytes of values that are kept in memory between computing and emitting; the others wait in a file. */
const defaultMemory = 512 * 2 ** 20;

/**
 * Values of a step's unique pieces of work: filed in the row cache if there is one that can be written, and at hand until
 * the step has emitted them, whether or not that is so, in bounded memory. Close it at the end.
 */
export class ValueStore {
  readonly #filing: { cache: RowCache; namespace: Namespace } | null;
  readonly #keys: readonly Uint8Array[];
  readonly #replace: boolean;
  readonly #waitMs: number | undefined;
  readonly #memory: number;
  readonly #values = new Map<number, Value>();
  readonly #spilt = new Map<number, { at: number; bytes: number; vector: boolean }>();
  #file: { descriptor: number; folder: string; bytes: number } | undefined;
  #bytes = 0;

  /**
   * @param options.keys the key of each piece in the cache
   * @param options.replace values put replace those that are filed
   * @param options.waitMs how long a value may wait before it is written; 10 ms if not given
   * @param options.memory bytes of values in memory, at most
   */
  constructor(options: {
    filing: { cache: RowCache; namespace: Namespace } | null;
    keys: readonly Uint8Array[];
    replace: boolean;
    waitMs?: number | undefined;
    memory?: number;
  }) {
    this.#filing = options.filing;
    this.#keys = options.keys;
    this.#replace = options.replace;
    this.#waitMs = options.waitMs;
    this.#memory = options.memory ?? defaultMemory;
  }

  has(piece: number): boolean {
    return this.#values.has(piece) || this.#spilt.has(piece);
  }

  /** Looks pieces up in the cache; gives those that are not there. */
  async lookUp(pieces: number[]): Promise<number[]> {
    if (this.#filing === null) return pieces;
    const { cache, namespace } = this.#filing;
    const missing: number[] = [];
    for (let start = 0; start < pieces.length; start += 1000) {
      // A million lookups must not hold up progress and Ctrl-C.
      if (start > 0) await setImmediate();
      const chunk = pieces.slice(start, start + 1000);
      const found = cache.getMany(
        namespace,
        chunk.map((piece) => this.#keys[piece]!),
      );
      chunk.forEach((piece, index) => {
        const value = found[index];
        if (value === undefined) missing.push(piece);
        else this.#keep(piece, value);
      });
    }
    return missing;
  }

  /** Files a computed value and keeps it. Errors: `disk-full`. */
  put(piece: number, value: Value): void {
    this.#filing?.cache.put(this.#filing.namespace, this.#keys[piece]!, value, this.#replace, this.#waitMs);
    this.#keep(piece, value);
  }

  async flush(): Promise<void> {
    await this.#filing?.cache.flush();
  }

  get(piece: number): Value {
    const kept = this.#values.get(piece);
    if (kept !== undefined) return kept;
    const { at, bytes, vector } = this.#spilt.get(piece)!;
    const buffer = Buffer.allocUnsafeSlow(bytes);
    for (let read = 0; read < bytes; ) {
      const count = readSync(this.#file!.descriptor, buffer, read, bytes - read, at + read);
      if (count === 0) throw new Error(`${this.#file!.folder} was changed while a step used it`);
      read += count;
    }
    return vector ? new Float32Array(buffer.buffer, 0, bytes / 4) : (JSON.parse(buffer.toString()) as Json);
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file.descriptor);
    removeScratch(this.#file.folder);
    this.#file = undefined;
  }

  #keep(piece: number, value: Value): void {
    const bytes = sizeOf(value);
    if (this.#bytes + bytes > this.#memory) this.#spill(piece, value);
    else {
      this.#bytes += bytes;
      this.#values.set(piece, value);
    }
  }

  #spill(piece: number, value: Value): void {
    const vector = value instanceof Float32Array;
    const data = vector
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(JSON.stringify(value));
    try {
      if (this.#file === undefined) {
        const folder = makeScratch();
        this.#file = { descriptor: openSync(`${folder}/values`, 'wx+'), folder, bytes: 0 };
      }
      const { descriptor, bytes: at } = this.#file;
      for (let done = 0; done < data.byteLength; )
        done += writeSync(descriptor, data, done, data.byteLength - done, at + done);
      this.#spilt.set(piece, { at, bytes: data.byteLength, vector });
      this.#file.bytes += data.byteLength;
    } catch (error) {
      throw storeFailure(error, this.#file?.folder ?? 'the temporary folder');
    }
  }
}

/** Bytes that a value takes in memory, about: two for a character, and what V8 adds to each value. */
function sizeOf(value: Value): number {
  if (value instanceof Float32Array) return value.byteLength + 200;
  if (typeof value === 'string') return 32 + 2 * value.length;
  if (value === null || typeof value !== 'object') return 16;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + 8 + sizeOf(item), 64);
  return Object.entries(value).reduce((sum, [name, item]) => sum + 32 + 2 * name.length + sizeOf(item), 64);
}
