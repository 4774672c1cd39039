import { createHash } from 'node:crypto';
import PQueue from 'p-queue';
import { blobsOf } from '../artefacts.ts';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import type { StepEntry, StepIndex } from '../store/step-index.ts';
import type { Store } from '../store/store.ts';
import { openEntry, remoteFormat, sealEntry, type Wanted } from './entry.ts';
import type { RemoteSettings } from './settings.ts';
import type { RemoteStorage } from './storage.ts';

/** The slowest transfer that is waited for: bytes a millisecond, beyond the time for an answer. */
const slowestBytesPerMs = 100;
const largestEntryBytes = 16 * 2 ** 20;
const transfersAtOnce = 4;

/** What came of putting a result into a shared cache; `there`: it had it already. */
export type Pushed = 'pushed' | 'there' | 'too-large' | 'failed';

/**
 * Results of steps that several machines share: an entry under each fingerprint's digest, and the blobs that entries name.
 * Nothing that comes from there is used before its digest was checked. Whatever goes wrong with it is told once, and the
 * run goes on as if there were none.
 */
export class SharedCache {
  readonly #settings: RemoteSettings;
  readonly #storage: RemoteStorage;
  readonly #store: Store;
  readonly #steps: StepIndex;
  readonly #secret: string | undefined;
  readonly #signal: AbortSignal;
  readonly #warn: (message: string) => void;
  readonly #pushes = new PQueue({ concurrency: transfersAtOnce });
  #isOff = false;
  #hasWarned = false;

  constructor(options: {
    settings: RemoteSettings;
    storage: RemoteStorage;
    store: Store;
    steps: StepIndex;
    /** Entries are signed with it, and only signed ones are taken. */
    secret: string | undefined;
    signal: AbortSignal;
    warn(message: string): void;
  }) {
    this.#settings = options.settings;
    this.#storage = options.storage;
    this.#store = options.store;
    this.#steps = options.steps;
    this.#secret = options.secret;
    this.#signal = options.signal;
    this.#warn = options.warn;
  }

  /** Brings a result and its blobs here. True if it is now in the step cache; false if it is not to be had. */
  async pull(wanted: Wanted): Promise<boolean> {
    const { key } = wanted;
    if (this.#isOff || !this.#store.writable) return false;
    try {
      const bytes = await this.#timed(0, async (signal) => {
        const content = await this.#storage.get(resultName(key), signal);
        return content && (await wholeOf(content, largestEntryBytes));
      });
      if (bytes === undefined) return false;
      const opened = openEntry(bytes, wanted, this.#secret);
      if ('refused' in opened) return this.#refuse(`an entry was not taken: ${opened.refused}`);
      const blobs = Object.values(opened.entry.outputs).flatMap(blobsOf);
      for (const { digest, bytes: size } of blobs) {
        if (this.#store.check([{ digest, bytes: size }]).length === 0) continue;
        if (!(await this.#pullBlob(digest, size))) return false;
      }
      await this.#store.sync();
      await this.#steps.setMany([{ key, entry: opened.entry }]);
      return true;
    } catch (error) {
      return this.#goOnWithout('read', error);
    }
  }

  async #pullBlob(digest: Digest, bytes: number): Promise<boolean> {
    return await this.#timed(bytes, async (signal) => {
      const content = await this.#storage.get(blobName(digest), signal);
      if (content === undefined) return this.#refuse('an entry names a file that is not there');
      try {
        await this.#store.put(checked(content, digest, bytes));
      } catch (error) {
        if (error instanceof WrongBytesError) return this.#refuse(error.message);
        throw error;
      }
      return true;
    });
  }

  /** Puts a result of this machine there, in the background: the blobs first, then the entry that names them. */
  push(key: Digest, entry: StepEntry): void {
    if (this.#isOff || !this.#settings.push) return;
    void this.#pushes.add(() => this.#push(key, entry));
  }

  /** Puts a result there that was made before: what came of it. */
  async pushNow(key: Digest, entry: StepEntry): Promise<Pushed> {
    return (await this.#pushes.add(() => this.#push(key, entry))) ?? 'failed';
  }

  async #push(key: Digest, entry: StepEntry): Promise<Pushed> {
    if (this.#isOff || this.#signal.aborted) return 'failed';
    try {
      const blobs = Object.values(entry.outputs).flatMap(blobsOf);
      if (blobs.some(({ bytes }) => bytes > this.#storage.limitBytes)) return 'too-large';
      if (await this.#timed(0, (signal) => this.#storage.has(resultName(key), signal))) return 'there';
      for (const { digest, bytes } of blobs) {
        await this.#timed(bytes, async (signal) => {
          if (await this.#storage.has(blobName(digest), signal)) return;
          // The store checks all bytes before it gives out the first.
          await this.#storage.put(
            blobName(digest),
            { digest, bytes, content: this.#store.stream(digest) },
            signal,
          );
        });
      }
      const sealed = sealEntry(entry, this.#secret);
      const content = { digest: digestOf(sealed), bytes: sealed.byteLength, content: pieces(sealed) };
      await this.#timed(sealed.byteLength, (signal) => this.#storage.put(resultName(key), content, signal));
      return 'pushed';
    } catch (error) {
      this.#goOnWithout('written', error);
      return 'failed';
    }
  }

  /** Waits for what is being pushed, and lets go of the storage. */
  async close(): Promise<void> {
    await this.#pushes.onIdle();
    await this.#storage.close().catch(() => {});
  }

  /** Every transfer has a time by which it must be over: that for an answer, and more for more bytes. */
  async #timed<T>(bytes: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = AbortSignal.timeout(Math.ceil(this.#settings.timeoutMs + bytes / slowestBytesPerMs));
    const signal = AbortSignal.any([limit, this.#signal]);
    signal.throwIfAborted();
    let stop: (() => void) | undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work(signal), stopped]);
    } finally {
      signal.removeEventListener('abort', stop!);
    }
  }

  /** What is there is not what it should be: it is left, and the rest is asked for all the same. */
  #refuse(what: string): false {
    this.#say(`the shared cache ${this.#settings.url} is not to be trusted: ${what}`);
    return false;
  }

  #goOnWithout(verb: 'read' | 'written', error: unknown): false {
    if (this.#signal.aborted) return false;
    this.#isOff = true;
    this.#say(
      `the shared cache ${this.#settings.url} could not be ${verb}: ${reasonOf(error, this.#settings)}; this run goes on without it`,
    );
    return false;
  }

  #say(message: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#warn(message);
  }
}

function resultName(key: Digest): string {
  return `v${remoteFormat}/results/${hexOf(key).slice(0, 2)}/${hexOf(key).slice(2)}`;
}

function blobName(digest: Digest): string {
  return `v${remoteFormat}/objects/${hexOf(digest).slice(0, 2)}/${hexOf(digest).slice(2)}`;
}

class WrongBytesError extends Error {}

/** Passes bytes on, and fails at the end unless they are the ones that the digest names: nothing is stored then. */
async function* checked(
  content: AsyncIterable<Uint8Array>,
  digest: Digest,
  bytes: number,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  let seen = 0;
  for await (const piece of content) {
    seen += piece.byteLength;
    if (seen > bytes) break;
    hash.update(piece);
    yield piece;
  }
  if (seen !== bytes || hash.digest('hex') !== hexOf(digest))
    throw new WrongBytesError('the bytes of a file are not those that its name says');
}

async function wholeOf(content: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of content) {
    bytes += part.byteLength;
    // Cut off: it will not be taken for an entry.
    if (bytes > limit) break;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function reasonOf(error: unknown, { timeoutMs }: RemoteSettings): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1000} s`;
  return message || code || name;
}
