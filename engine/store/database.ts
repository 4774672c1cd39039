import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ProblemError } from '../problems.ts';
import { isWritable, storeFailure } from './failures.ts';
import { isDamage, openForReading, sqliteCode } from './sqlite.ts';

export interface DatabaseOptions {
  /** Format version (`PRAGMA user_version`). A file of a newer one is refused. */
  version: number;
  /** Brings a database of version `from` (0: empty) to `version`, within a transaction. */
  migrate(sql: DatabaseSync, from: number): void;
  /**
   * Every commit is on disk when it returns (default). `afterwards`: when the `sync` after it has ended, so that nothing
   * waits for the disk meanwhile. False: a power loss may undo the last ones.
   */
  durable?: boolean | 'afterwards';
  /** Told when a damaged file was moved aside and a fresh one made. */
  onDamage?(message: string): void;
}

/** How long a process waits for another one's transaction. */
const busyMs = 10_000;

/** Prepares a statement, once per connection. */
export type Prepare = (text: string) => StatementSync;

/**
 * An SQLite file in `cache/` that several processes use at a time. It is opened when it is first needed, and made by the
 * first write. A damaged file is moved aside and started afresh; in a folder that cannot be written, what is there is
 * read and writes do nothing: a cache never makes a run fail, except that a full disk is reported.
 */
export class Database {
  readonly path: string;
  readonly #options: DatabaseOptions;
  #mode: 'write' | 'read' | 'none';
  #sql: DatabaseSync | undefined;
  #statements = new Map<string, StatementSync>();
  /** Which file is open: another process may have replaced it. */
  #inode: bigint | undefined;
  /** The name of the log is on disk as well. */
  #synced = false;

  constructor(path: string, options: DatabaseOptions) {
    this.path = path;
    this.#options = options;
    this.#mode = canWrite(path) ? 'write' : existsSync(path) ? 'read' : 'none';
  }

  /** `read`: writes do nothing. `none`: there is nothing to read either. */
  get mode(): 'write' | 'read' | 'none' {
    return this.#mode;
  }

  /** Calls `work` on one state of the data; gives `otherwise` if there is no database. */
  read<T>(work: (prepare: Prepare) => T, otherwise: T): T {
    return this.#guard(() => {
      if (!this.#connect(false)) return otherwise;
      return this.#transaction('BEGIN', work);
    }, otherwise);
  }

  /**
   * Calls `work` in a transaction of its own: all of it is kept, or nothing. `work` may be called again. Undefined if
   * the database cannot be written. StepError `disk-full`.
   */
  write<T>(work: (prepare: Prepare) => T): T | undefined {
    if (this.#mode !== 'write') return undefined;
    return this.#guard(() => {
      if (!this.#connect(true) || this.#mode !== 'write') return undefined;
      return this.#transaction('BEGIN IMMEDIATE', work);
    }, undefined);
  }

  /**
   * Puts on disk what was committed, for a database that is durable afterwards. A commit has written its pages to the log
   * beside the file, in order; a log that a checkpoint has emptied meanwhile was synced by SQLite before.
   */
  async sync(): Promise<void> {
    if (this.#mode !== 'write' || this.#options.durable !== 'afterwards') return;
    try {
      const log = await open(`${this.path}-wal`, 'r+');
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
      if (this.#synced) return;
      this.#synced = true;
      const folder = await open(dirname(this.path), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      // The last connection that closes puts the log into the file, and removes it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw storeFailure(error, dirname(this.path));
    }
  }

  /** Gives the space of what was deleted back to the disk, and removes a damaged file that was moved aside. */
  shrink(): void {
    if (this.#mode !== 'write') return;
    for (const end of ['', '-wal', '-shm'])
      rmSync(`${this.path}.damaged${end}`, { force: true, recursive: true });
    this.#guard(() => {
      if (existsSync(this.path) && this.#connect(true)) this.#sql!.exec('PRAGMA incremental_vacuum');
    }, undefined);
  }

  close(): void {
    this.#statements.clear();
    this.#sql?.close();
    this.#sql = undefined;
  }

  #transaction<T>(begin: string, work: (prepare: Prepare) => T): T {
    const sql = this.#sql!;
    sql.exec(begin);
    try {
      const result = work(this.#prepare);
      sql.exec('COMMIT');
      return result;
    } catch (error) {
      // Some errors, such as a full disk, have rolled back already.
      if (sql.isTransaction) sql.exec('ROLLBACK');
      throw error;
    }
  }

  readonly #prepare: Prepare = (text) => {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#sql!.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  };

  /** Waits out what SQLite's own waiting does not cover, and mends damage once. */
  #guard<T>(work: () => T, otherwise: T): T {
    const deadline = performance.now() + busyMs;
    for (let mended = false; ; ) {
      try {
        return work();
      } catch (error) {
        const code = sqliteCode(error);
        if ((code === 5 || code === 6) && performance.now() < deadline) {
          pause(5);
        } else if (isDamage(error) && !mended) {
          mended = true;
          this.#mend(error as Error);
          if (this.#mode === 'none') return otherwise;
        } else throw storeFailure(error, dirname(this.path));
      }
    }
  }

  #connect(forWriting: boolean): boolean {
    if (this.#sql) return true;
    if (this.#mode === 'none') return false;
    if (!forWriting && !existsSync(this.path)) return false;
    if (this.#mode === 'write') mkdirSync(dirname(this.path), { recursive: true });
    this.#inode = inodeOf(this.path);
    try {
      this.#sql = this.#mode === 'write' ? this.#openForWriting() : this.#openToRead();
      this.#inode ??= inodeOf(this.path);
    } catch (error) {
      const code = sqliteCode(error);
      // 8 SQLITE_READONLY, 14 SQLITE_CANTOPEN: rights that an access check does not see. 10 SQLITE_IOERR, 13
      // SQLITE_FULL: no room for the files beside it; that hinders those that write, and they say so.
      const noRoom = (code === 10 || code === 13) && !isDamage(error);
      if ((code !== 8 && code !== 14 && !noRoom) || (noRoom && forWriting)) throw error;
      if (this.#mode === 'write') {
        this.#mode = existsSync(this.path) ? 'read' : 'none';
        return this.#connect(false);
      }
      this.#mode = 'none';
      return false;
    }
    return this.#sql !== undefined;
  }

  #openForWriting(): DatabaseSync {
    const sql = new DatabaseSync(this.path, { timeout: busyMs });
    try {
      const { version } = this.#options;
      // First of all, since a newer file is left as it is.
      const before = this.#versionOf(sql);
      // A new file is synced once, when all is in it, not after each of these.
      if (before === 0) sql.exec('PRAGMA synchronous = OFF');
      // Takes effect in a new file only.
      sql.exec('PRAGMA auto_vacuum = INCREMENTAL');
      sql.exec('PRAGMA journal_mode = WAL');
      if (before > 0) sql.exec(`PRAGMA synchronous = ${this.#synchronous}`);
      if (before < version) {
        sql.exec('BEGIN IMMEDIATE');
        // Another process may have done it while we waited.
        const from = this.#versionOf(sql);
        if (from < version) {
          this.#options.migrate(sql, from);
          sql.exec(`PRAGMA user_version = ${version}`);
        }
        sql.exec('COMMIT');
      }
      if (before === 0) {
        sql.exec(`PRAGMA synchronous = ${this.#synchronous}`);
        // A log beside a file that is empty after a power loss would count for nothing.
        if (this.#options.durable !== false) sql.exec('PRAGMA wal_checkpoint');
      }
      return sql;
    } catch (error) {
      sql.close();
      throw error;
    }
  }

  get #synchronous(): 'FULL' | 'NORMAL' {
    const { durable = true } = this.#options;
    return durable === true ? 'FULL' : 'NORMAL';
  }

  /** Undefined for a file of an older format, which would have to be written to be read. ProblemError `store-too-new`. */
  #openToRead(): DatabaseSync | undefined {
    const sql = openForReading(this.path, busyMs);
    try {
      if (this.#versionOf(sql) === this.#options.version) return sql;
    } catch (error) {
      sql.close();
      throw error;
    }
    sql.close();
    this.#mode = 'none';
    this.#options.onDamage?.(
      `${this.path} has an older format and cannot be written, so it is not brought up to date: this run goes without it`,
    );
    return undefined;
  }

  #versionOf(sql: DatabaseSync): number {
    const row = sql.prepare('PRAGMA user_version').get() as { user_version: number };
    if (row.user_version > this.#options.version)
      throw ProblemError.of(
        'store-too-new',
        `${this.path} has format ${row.user_version}; this version of reprise knows formats up to ${this.#options.version}`,
        { hint: 'install a newer reprise, or delete the file: that costs time and nothing else' },
      );
    return row.user_version;
  }

  /** Moves a damaged file aside, unless another process has just done so. */
  #mend(error: Error): void {
    this.#statements.clear();
    try {
      this.#sql?.close();
    } catch {
      // A connection to a damaged file may fail to close; nothing is to be saved in it.
    }
    this.#sql = undefined;
    const { onDamage } = this.#options;
    if (this.#mode !== 'write') {
      this.#mode = 'none';
      onDamage?.(
        `${this.path} is damaged (${error.message}) and cannot be written: this run goes without it`,
      );
      return;
    }
    const lock = `${this.path}.mending`;
    lockFolder(lock);
    try {
      if (inodeOf(this.path) !== this.#inode) return;
      for (const end of ['', '-wal', '-shm']) {
        if (existsSync(this.path + end)) renameSync(this.path + end, `${this.path}.damaged${end}`);
      }
      onDamage?.(
        `${this.path} is damaged (${error.message}): it was moved to ${this.path}.damaged and is started afresh; what it held is computed again`,
      );
    } catch (failure) {
      this.#mode = 'none';
      onDamage?.(
        `${this.path} is damaged (${error.message}) and cannot be moved away (${(failure as Error).message}): this run goes without it`,
      );
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

export function openDatabase(path: string, options: DatabaseOptions): Database {
  return new Database(path, options);
}

function canWrite(path: string): boolean {
  if (!isWritable(dirname(path))) return false;
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  return true;
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** Makes a folder as a lock between processes. */
function lockFolder(path: string): void {
  for (;;) {
    try {
      mkdirSync(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      // Held for some milliseconds only: one of this age is that of a process that was killed.
      if (Date.now() - made > 10_000) {
        try {
          rmdirSync(path);
        } catch {
          // Another process was faster.
        }
      } else pause(5);
    }
  }
}

/** Waits without letting anything else run: the few milliseconds of another process' lock. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
