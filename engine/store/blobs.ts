import { existsSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import { listBlobs, type StoredBlob } from './blob-list.ts';
import { hasMark, isIntact, isIntactAsync } from './blob-mark.ts';
import { damagedBlob, type OpenBlob, openBlob, readBlob, streamBlob } from './blob-reader.ts';
import { BlobWriter } from './blob-writer.ts';
import { DamagedBlobError, isWritable, storeFailure } from './failures.ts';
import { type Formats, refuseOtherFormat, writeFormat } from './format.ts';
import { PendingBlobs } from './pending-blobs.ts';
import { blobsInUse, removeDeadSessions, Session } from './session.ts';

/**
 * The folder `objects/`: files named by the SHA-256 of their bytes.
 *
 * A finished blob is *pending* under a temporary name, where this process can already read it. `sync` puts all
 * pending ones on disk as a group, gives them their names, and puts the names on disk. So a name never stands for
 * other bytes, whenever the process or the machine stops.
 */
export class BlobFolder {
  readonly folder: string;
  readonly writable: boolean;
  readonly #tmp: string;
  readonly #pending: PendingBlobs;
  /** Blobs that this process relies on. */
  readonly #used = new Set<string>();
  #session: Session | undefined;
  readonly #formats: Formats;
  #followsKill = false;

  constructor(folder: string, formats: Formats) {
    this.folder = folder;
    this.#tmp = join(folder, 'tmp');
    this.writable = isWritable(folder);
    refuseOtherFormat(folder, formats);
    this.#formats = formats;
    this.#pending = new PendingBlobs(folder);
  }

  #begin(): Session {
    if (this.#session && existsSync(this.#session.folder)) return this.#session;
    try {
      if (!this.writable) throw Object.assign(new Error('not writable'), { code: 'EACCES' });
      // Somebody deleted the folder while we had it open: begin again.
      this.#session?.end();
      if (removeDeadSessions(this.#tmp)) this.#followsKill = true;
      this.#session = new Session(this.#tmp);
      writeFormat(this.folder, this.#formats.current, () => this.#session!.newFile());
      this.#session.use([...this.#used]);
    } catch (error) {
      throw storeFailure(error, this.folder);
    }
    return this.#session;
  }

  /**
   * From now until `close`, no other process' gc removes what this process checks, reads or writes. Blobs that failed to
   * be written before are forgotten: a new piece of work begins.
   */
  hold(): void {
    if (!this.writable) return;
    this.#pending.forgetFailed();
    this.#begin();
  }

  #use(hexes: readonly string[]): void {
    const fresh = hexes.filter((hex) => !this.#used.has(hex));
    for (const hex of fresh) this.#used.add(hex);
    if (!this.#session) return;
    try {
      this.#session.use(fresh);
    } catch (error) {
      throw storeFailure(error, this.folder);
    }
  }

  temporaryPath(): string {
    return this.#begin().newFile();
  }

  /** A new blob, written piece by piece. */
  create(): BlobWriter {
    const session = this.#begin();
    return new BlobWriter(session.newFile(), this.folder, (hex, blob) => {
      this.#use([hex]);
      this.#pending.add(hex, blob);
    });
  }

  /** The whole content at once; nothing is written if the blob is there. */
  add(content: string | Uint8Array): { digest: Digest; bytes: number } {
    const data = typeof content === 'string' ? Buffer.from(content) : content;
    const digest = digestOf(data);
    if (this.#session) this.#use([hexOf(digest)]);
    if (this.check([{ digest, bytes: data.byteLength }]).length === 0)
      return { digest, bytes: data.byteLength };
    const writer = this.create();
    writer.write(data);
    return writer.finish();
  }

  /** The same for a content that may come in pieces. */
  async addFrom(
    content: string | Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<{ digest: Digest; bytes: number }> {
    if (typeof content === 'string' || content instanceof Uint8Array) return this.add(content);
    const writer = this.create();
    try {
      for await (const piece of content) writer.write(piece);
    } catch (error) {
      writer.abort();
      throw error;
    }
    return writer.finish();
  }

  /** See PendingBlobs. */
  sync(): Promise<void> {
    return this.#pending.sync();
  }

  /** Whether a process was killed before this one began: what it stored was counted by nobody. */
  get followsKill(): boolean {
    return this.#followsKill;
  }

  /** See PendingBlobs. */
  takeWritten(): number {
    return this.#pending.takeWritten();
  }

  #stat(path: string): Stats | undefined {
    return statSync(path, { throwIfNoEntry: false });
  }

  /** What is wrong with a blob, by size and mark; its bytes are read only if the mark is not there. */
  #inspect(hex: string, bytes: number): 'missing' | 'damaged' | undefined {
    const pending = this.#pending.get(hex);
    if (pending) return pending.bytes === bytes ? undefined : 'damaged';
    const path = this.#pending.finalPath(hex);
    const stat = this.#stat(path);
    if (!stat) return 'missing';
    if (stat.size !== bytes) return 'damaged';
    if (hasMark(stat.mtimeMs, hex)) return undefined;
    return isIntact(path, hex) ? undefined : 'damaged';
  }

  /** The hit check: of the given blobs those that are missing or damaged. */
  check(
    blobs: readonly { digest: Digest; bytes: number }[],
  ): { digest: Digest; state: 'missing' | 'damaged' }[] {
    this.#use(blobs.map(({ digest }) => hexOf(digest)));
    const wrong: { digest: Digest; state: 'missing' | 'damaged' }[] = [];
    for (const { digest, bytes } of blobs) {
      const state = this.#inspect(hexOf(digest), bytes);
      if (state) wrong.push({ digest, state });
    }
    return wrong;
  }

  /** Path of a blob under its own name; a pending one gets its name first. The bytes are not checked. */
  path(digest: Digest): string {
    this.#pending.publish(hexOf(digest));
    return this.#pending.finalPath(hexOf(digest));
  }

  /** The same, with the bytes checked: for programs that are given the path. */
  checkedPath(digest: Digest): string {
    const path = this.path(digest);
    this.#use([hexOf(digest)]);
    if (!existsSync(path)) throw new DamagedBlobError(digest, path, 'missing');
    if (!isIntact(path, hexOf(digest))) throw damagedBlob(digest, path);
    return path;
  }

  #open(digest: Digest): OpenBlob {
    const hex = hexOf(digest);
    this.#use([hex]);
    return openBlob(digest, this.#pending.get(hex)?.path ?? this.#pending.finalPath(hex));
  }

  /** The whole blob, in memory of its own (so that typed arrays can lie on it). */
  async read(digest: Digest): Promise<Buffer> {
    return readBlob(this.#open(digest));
  }

  /**
   * The blob in pieces. All bytes are checked before the first piece is given out, so that nothing is ever computed
   * from a damaged blob; what fits into one piece is read once. A piece is good until the next one is asked for.
   */
  async *stream(digest: Digest): AsyncGenerator<Buffer, void> {
    yield* streamBlob(this.#open(digest));
  }

  /** All blobs that have their names. */
  blobs(): AsyncIterable<StoredBlob> {
    return listBlobs(this.folder);
  }

  /** Reads every byte of every blob. `expected` are names that should be there. */
  async *verify(
    expected: Iterable<Digest> = [],
  ): AsyncGenerator<{ digest: Digest; bytes: number; state: 'ok' | 'damaged' | 'missing' }, void> {
    await this.sync();
    const missing = new Set(expected);
    for await (const { digest, bytes } of this.blobs()) {
      missing.delete(digest);
      const path = this.#pending.finalPath(hexOf(digest));
      const good = await isIntactAsync(path, hexOf(digest));
      if (!good && !existsSync(path)) continue;
      if (!good) damagedBlob(digest, path);
      yield { digest, bytes, state: good ? 'ok' : 'damaged' };
    }
    for (const digest of missing)
      if (!existsSync(this.#pending.finalPath(hexOf(digest)))) yield { digest, bytes: 0, state: 'missing' };
  }

  /** Blobs that running processes rely on, this one too. */
  inUse(): Set<Digest> {
    const used = blobsInUse(this.#tmp);
    for (const hex of this.#used) used.add(hex);
    return new Set([...used].map((hex): Digest => `sha256:${hex}`));
  }

  /**
   * Removes blobs, except those that a running process (this one too) relies on, and those that `stillNamed` gives.
   * Gives those removed.
   *
   * They are moved away first, then the uses are read, then the names. A process notes a use before it looks at a
   * blob, and lets go of it after an index or a record names it: so either we see its note or its name and put the blob
   * back, or it sees that the blob is gone.
   */
  async remove(
    digests: Iterable<Digest>,
    stillNamed?: () => Promise<ReadonlySet<Digest>>,
  ): Promise<Digest[]> {
    const session = this.#begin();
    const before = this.inUse();
    const moved: { digest: Digest; from: string; to: string }[] = [];
    const removed: Digest[] = [];
    // Nothing is deleted unless we know who needs it.
    let needed = (_digest: Digest): boolean => true;
    try {
      for (const digest of digests) {
        const hex = hexOf(digest);
        if (before.has(digest) || this.#pending.get(hex)) continue;
        const from = this.#pending.finalPath(hex);
        const to = session.newFile();
        try {
          renameSync(from, to);
          moved.push({ digest, from, to });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }
      const used = this.inUse();
      const named = await stillNamed?.();
      needed = (digest) => used.has(digest) || named?.has(digest) === true;
    } catch (error) {
      throw storeFailure(error, this.folder);
    } finally {
      for (const { digest, from, to } of moved) {
        if (needed(digest)) {
          // Written again meanwhile? Then both are the same.
          if (!existsSync(from)) renameSync(to, from);
        } else {
          // What lies at a blob's place may be a folder.
          rmSync(to, { force: true, recursive: true });
          removed.push(digest);
        }
      }
    }
    return removed;
  }

  /** Puts on disk what is finished, and lets go of what this process relied on. */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      this.#session?.end();
      this.#session = undefined;
      this.#used.clear();
    }
  }
}
