import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Digest } from '../digest.ts';
import { StepError } from '../problems.ts';
import type { Database } from './database.ts';

export interface FileDigest {
  digest: Digest;
  bytes: number;
}

/** Table within `cache/index.sqlite`. `stat` is size, times and inode, as one text to compare. */
export const fileTables = `CREATE TABLE files (path TEXT PRIMARY KEY NOT NULL, stat TEXT NOT NULL, digest TEXT NOT NULL, sum INTEGER NOT NULL);`;

/**
 * A file that was changed so shortly before it was hashed could be changed again without another time being seen:
 * its digest is not remembered ("racy git", Documentation/technical/racy-git.txt).
 */
const racyMs = 2_000;
const chunkBytes = 2 ** 20;

interface Known extends FileDigest {
  stat: string;
}

/** Digests of files by path. An unchanged file is not opened: its size, times and inode are compared. */
export class FileDigests {
  readonly #database: Database;
  readonly #known = new Map<string, Known>();
  readonly #hashing = new Map<string, Promise<FileDigest>>();
  readonly #unwritten = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** At once if the file is as remembered, else a promise. StepError `file-missing`, `not-a-file`, `file-unreadable`. */
  digestOf(path: string): FileDigest | Promise<FileDigest> {
    const absolute = resolve(path);
    const known = this.#unchanged(absolute, path);
    if (known) return known;
    let hashing = this.#hashing.get(absolute);
    if (!hashing) {
      hashing = this.#hash(absolute, path).finally(() => this.#hashing.delete(absolute));
      this.#hashing.set(absolute, hashing);
    }
    return hashing;
  }

  /**
   * In the order of the paths; for a file without a digest the error that `digestOf` gives. At once if all files are as
   * remembered, else a promise: at most 8 files are read at a time.
   */
  many(paths: readonly string[]): (FileDigest | Error)[] | Promise<(FileDigest | Error)[]> {
    const digests = new Array<FileDigest | Error>(paths.length);
    const changed: number[] = [];
    this.#load(paths);
    for (const [index, path] of paths.entries()) {
      try {
        const known = this.#unchanged(resolve(path), path);
        if (known) digests[index] = known;
        else changed.push(index);
      } catch (error) {
        digests[index] = error as Error;
      }
    }
    if (changed.length === 0) return digests;
    const lane = async (): Promise<void> => {
      for (let index = changed.pop(); index !== undefined; index = changed.pop()) {
        try {
          digests[index] = await this.digestOf(paths[index]!);
        } catch (error) {
          digests[index] = error as Error;
        }
      }
    };
    return Promise.all(Array.from({ length: Math.min(8, changed.length) }, lane)).then(() => digests);
  }

  /** The digest of a file that is as remembered. */
  #unchanged(absolute: string, shown: string): FileDigest | undefined {
    const stat = fingerprintOf(statOf(absolute, shown));
    if (!this.#known.has(absolute)) this.#load([absolute]);
    const known = this.#known.get(absolute);
    return known?.stat === stat ? { digest: known.digest, bytes: known.bytes } : undefined;
  }

  #load(paths: readonly string[]): void {
    this.#database.read((prepare) => {
      const find = prepare('SELECT stat, digest, sum FROM files WHERE path = ?');
      for (const path of paths) {
        const absolute = resolve(path);
        if (this.#known.has(absolute)) continue;
        const row = find.get(absolute) as { stat: string; digest: Digest; sum: number } | undefined;
        if (!row || row.sum !== sumOf(absolute, row)) continue;
        const { stat, digest } = row;
        this.#known.set(absolute, { stat, digest, bytes: Number.parseInt(stat, 10) });
      }
    }, undefined);
  }

  async #hash(path: string, shown: string): Promise<FileDigest> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw missing(shown);
      throw new StepError('file-unreadable', `${shown} cannot be read: ${error.message}`);
    });
    try {
      const before = await file.stat({ bigint: true });
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(Math.min(Math.max(Number(before.size) + 1, 4096), chunkBytes));
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
      const digest: Digest = `sha256:${hash.digest('hex')}`;
      const stat = fingerprintOf(await file.stat({ bigint: true }));
      const isRacy = Date.now() - Number(before.mtimeMs) < racyMs;
      if (stat === fingerprintOf(before) && BigInt(bytes) === before.size && !isRacy) {
        this.#known.set(path, { stat, digest, bytes });
        this.#unwritten.add(path);
      }
      return { digest, bytes };
    } finally {
      await file.close();
    }
  }

  /** Writes what was learnt. */
  flush(): void {
    if (this.#unwritten.size === 0) return;
    this.#database.write((prepare) => {
      for (const path of this.#unwritten) {
        const known = this.#known.get(path)!;
        prepare('INSERT OR REPLACE INTO files (path, stat, digest, sum) VALUES (?, ?, ?, ?)').run(
          path,
          known.stat,
          known.digest,
          sumOf(path, known),
        );
      }
    });
    this.#unwritten.clear();
  }
}

function statOf(path: string, shown: string): BigIntStats {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) throw missing(shown);
  if (!stat.isFile()) throw new StepError('not-a-file', `${shown} is not a file`);
  return stat;
}

function missing(path: string): StepError {
  return new StepError('file-missing', `there is no file ${path}`);
}

/** A byte that flipped in the database must not become the digest of a file. */
function sumOf(path: string, { stat, digest }: { stat: string; digest: Digest }): number {
  return crc32(`${path}\n${stat}\n${digest}`);
}

function fingerprintOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}
