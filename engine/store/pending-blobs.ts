import {
  closeSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf } from '../digest.ts';
import { hasMark, prepare } from './blob-mark.ts';
import { storeFailure } from './failures.ts';

const fsyncAsync = promisify(fsync);
const isWindows = process.platform === 'win32';

/** A finished blob under its temporary name. */
export interface PendingBlob {
  path: string;
  bytes: number;
  /**
   * Why it could not be put on disk; every `sync` until the next `hold` fails with it, since a result may name the
   * blob.
   */
  error?: unknown;
}

/** Finished blobs that have no name yet, and the group commit that gives it to them. */
export class PendingBlobs {
  readonly #folder: string;
  readonly #blobs = new Map<string, PendingBlob>();
  /** Folders with new names that are not on disk yet. */
  readonly #folders = new Set<string>();
  #written = 0;
  #group: Promise<void> | undefined;
  #nextGroup: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where a blob has its name, whether or not it is there. */
  finalPath(hex: string): string {
    return join(this.#folder, hex.slice(0, 2), hex.slice(2));
  }

  get(hex: string): PendingBlob | undefined {
    return this.#blobs.get(hex);
  }

  add(hex: string, blob: PendingBlob): void {
    const other = this.#blobs.get(hex);
    if (other && other.error === undefined) unlinkSync(blob.path);
    else this.#blobs.set(hex, blob);
  }

  /** Bytes of blobs that were given their names since the last call. */
  takeWritten(): number {
    const bytes = this.#written;
    this.#written = 0;
    return bytes;
  }

  /** Drops blobs that could not be put on disk: those who wrote them have been told. */
  forgetFailed(): void {
    for (const [hex, { path, error }] of this.#blobs) {
      if (error === undefined) continue;
      this.#blobs.delete(hex);
      rmSync(path, { force: true });
    }
  }

  /**
   * Puts everything finished so far on disk. Calls at the same time share a group: those that come while one is
   * being written form the next. Errors are `disk-full`, `store-read-only` or the system's.
   */
  sync(): Promise<void> {
    if (this.#nextGroup) return this.#nextGroup;
    if (!this.#group && this.#blobs.size === 0 && this.#folders.size === 0) return Promise.resolve();
    const next = (this.#group ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        this.#nextGroup = undefined;
        this.#group = next;
        try {
          await this.#commit();
        } finally {
          if (this.#group === next) this.#group = undefined;
        }
      });
    this.#nextGroup = next;
    return next;
  }

  /** The bytes of all, then all names, then all folders: each on disk before the next begins. */
  async #commit(): Promise<void> {
    const group = [...this.#blobs];
    let failure: unknown;
    const attempt = async (blob: PendingBlob, work: () => void | Promise<void>): Promise<void> => {
      try {
        if (blob.error !== undefined) throw blob.error;
        await work();
      } catch (error) {
        blob.error ??= storeFailure(error, this.#folder);
        failure ??= blob.error;
      }
    };
    await inLanes(group, ([hex, blob]) =>
      attempt(blob, async () => {
        if (this.#isThere(hex, blob)) return;
        const descriptor = prepare(hex, blob.path);
        try {
          await fsyncAsync(descriptor);
        } finally {
          closeSync(descriptor);
        }
      }),
    );
    // `publish` may have named it meanwhile.
    for (const [hex, blob] of group)
      if (this.#blobs.get(hex) === blob) await attempt(blob, () => this.#rename(hex, blob));
    const folders = [...this.#folders];
    this.#folders.clear();
    try {
      await inLanes(folders, syncFolder);
    } catch (error) {
      for (const folder of folders) this.#folders.add(folder);
      failure ??= storeFailure(error, this.#folder);
    }
    if (failure !== undefined) throw failure;
  }

  /** Gives one blob its name at once, for a program that needs a path. */
  publish(hex: string): void {
    const blob = this.#blobs.get(hex);
    if (!blob) return;
    try {
      if (blob.error !== undefined) throw blob.error;
      const descriptor = prepare(hex, blob.path);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      this.#rename(hex, blob);
    } catch (error) {
      throw storeFailure(error, this.#folder);
    }
  }

  /**
   * Elsewhere new bytes take the place of old ones, which may be damaged in a way that no stat shows; Windows does not
   * let a file be replaced that somebody reads.
   */
  #isThere(hex: string, { bytes }: PendingBlob): boolean {
    if (!isWindows) return false;
    const stat = statSync(this.finalPath(hex), { throwIfNoEntry: false });
    return stat !== undefined && stat.size === bytes && hasMark(stat.mtimeMs, hex);
  }

  #rename(hex: string, blob: PendingBlob): void {
    const path = this.finalPath(hex);
    if (this.#isThere(hex, blob)) unlinkSync(blob.path);
    else {
      try {
        renameSync(blob.path, path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') {
          mkdirSync(dirname(path), { recursive: true });
          this.#folders.add(this.#folder);
          renameSync(blob.path, path);
        } else if (isWindows && digestOf(readFileSync(path)) === `sha256:${hex}`) {
          // Windows does not replace a file that someone reads: as well if it holds the same bytes.
          unlinkSync(blob.path);
        } else throw error;
      }
      this.#folders.add(dirname(path));
      this.#written += blob.bytes;
    }
    this.#blobs.delete(hex);
  }
}

/** So many files are open at a time. The system syncs those of a group together. */
const lanes = 32;

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such call; NTFS journals names.
  if (isWindows) return;
  const descriptor = openSync(folder, 'r');
  try {
    await fsyncAsync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
