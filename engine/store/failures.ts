import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Digest } from '../digest.ts';
import { StepError } from '../problems.ts';

/** A blob that is not there, or whose bytes are not those that its digest names. */
export class DamagedBlobError extends Error {
  readonly code = 'damaged-blob';
  readonly digest: Digest;
  readonly path: string;
  readonly reason: 'missing' | 'changed';

  constructor(digest: Digest, path: string, reason: 'missing' | 'changed') {
    super(
      reason === 'missing'
        ? `a stored file is missing: ${path}`
        : `a stored file was changed: the bytes of ${path} are not those that its name says`,
    );
    this.name = 'DamagedBlobError';
    this.digest = digest;
    this.path = path;
    this.reason = reason;
  }
}

/** What a failed write means to a person: a full disk and a read-only store get a code and a remedy. */
export function storeFailure(error: unknown, folder: string): unknown {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  // 13 is SQLITE_FULL, 8 SQLITE_READONLY; the low byte is the primary code.
  const sqlite = code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : 0;
  // 10 is SQLITE_IOERR: what a full disk is where SQLite makes room for the files beside a database.
  if (code === 'ENOSPC' || code === 'EDQUOT' || sqlite === 13 || (sqlite === 10 && isFull(folder)))
    return new StepError(
      'disk-full',
      `the disk that holds ${folder} is full`,
      'free some space, or make the store smaller with `reprise cache gc`, and run again: what is done stays done',
    );
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR' || sqlite === 8)
    return new StepError(
      'store-read-only',
      `${folder} cannot be written`,
      'make the folder writable for this user, or name another one as `store` in reprise.yaml',
    );
  return error;
}

/** Whether the folder, or the nearest one above it that exists, can be written. */
export function isWritable(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    try {
      accessSync(path, constants.W_OK);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) return false;
    }
  }
}

/** Bytes without which nothing more can be done on a disk. */
const leastRoom = 64 * 1024;

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < leastRoom;
  } catch {
    return false;
  }
}
