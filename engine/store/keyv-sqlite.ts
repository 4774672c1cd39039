import { EventEmitter } from 'node:events';
import { crc32 } from 'node:zlib';
import {
  type KeyvStorageAdapter,
  type KeyvStorageCapability,
  type KeyvStorageEntry,
  type KeyvStorageGetResult,
  keyvStorageCapability,
} from 'keyv';
import type { Database, Prepare } from './database.ts';

/** A value that was used within this time is not marked as used again: a run with nothing to do writes nothing. */
export const recencyMs = 3_600_000;

interface StoredValue {
  value: string | Uint8Array;
  expires: number | null;
  sum: number;
  used: number;
}

/**
 * Keyv over node:sqlite: one transaction for each call, so that `setMany` keeps all or nothing; a checksum on each value,
 * so that a damaged one is a miss; `used`, the time of the last use, for eviction. Errors are thrown; Keyv
 * turns them into `error` events and false results.
 */
export class KeyvSqlite extends EventEmitter {
  readonly #database: Database;
  readonly #table: string;
  /** Keys read whose time of last use is more than an hour old. */
  readonly stale = new Set<string>();
  /** Bytes of values set. */
  written = 0;
  namespace: string | undefined;

  /** `table` was made by `keyvTable`. */
  constructor(database: Database, table: string) {
    super();
    this.#database = database;
    this.#table = table;
  }

  get capabilities(): KeyvStorageCapability {
    return keyvStorageCapability(this);
  }

  #name(key: string): string {
    // SQLite holds UTF-8, in which all lone surrogates are the same.
    if (!key.isWellFormed()) throw new TypeError(`the key ${JSON.stringify(key)} is not well-formed Unicode`);
    return this.namespace ? `${this.namespace}::${key}` : key;
  }

  /** First and last possible name of the namespace's keys. */
  #range(): [string, string] {
    return this.namespace ? [`${this.namespace}::`, `${this.namespace}:;`] : ['', '\u{10ffff}'];
  }

  #find(prepare: Prepare, key: string): StoredValue | undefined {
    const name = this.#name(key);
    const found = prepare(`SELECT value, expires, sum, used FROM ${this.#table} WHERE key = ?`).get(name) as
      | StoredValue
      | undefined;
    if (!found || found.sum !== sumOf(name, found.value)) return undefined;
    if (found.expires !== null && found.expires <= Date.now()) return undefined;
    if (found.used < Date.now() - recencyMs) this.stale.add(key);
    return found;
  }

  async get<Value>(key: string): Promise<KeyvStorageGetResult<Value>> {
    return (await this.getMany<Value>([key]))[0] as KeyvStorageGetResult<Value>;
  }

  async getMany<Value>(keys: string[]): Promise<KeyvStorageGetResult<Value | undefined>[]> {
    const none = (): undefined[] => keys.map(() => undefined);
    const values = this.#database.read(
      (prepare) => keys.map((key) => this.#find(prepare, key)?.value),
      none(),
    );
    return values as KeyvStorageGetResult<Value>[];
  }

  async has(key: string): Promise<boolean> {
    return (await this.hasMany([key]))[0]!;
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return this.#database.read(
      (prepare) => keys.map((key) => this.#find(prepare, key) !== undefined),
      keys.map(() => false),
    );
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    const entry = expires === undefined ? { key, value } : { key, value, expires };
    return (await this.setMany([entry]))[0]!;
  }

  /** False for each entry if the database cannot be written. */
  async setMany<Value>(entries: KeyvStorageEntry<Value>[]): Promise<boolean[]> {
    const now = Date.now();
    const done = this.#database.write((prepare) => {
      const insert = prepare(
        `INSERT OR REPLACE INTO ${this.#table} (key, value, expires, sum, used) VALUES (?, ?, ?, ?, ?)`,
      );
      const remove = prepare(`DELETE FROM ${this.#table} WHERE key = ?`);
      for (const { key, value, expires } of entries) {
        const name = this.#name(key);
        if (typeof value !== 'string' && !(value instanceof Uint8Array))
          throw new TypeError('this storage holds what Keyv has serialized: texts and bytes');
        if (expires !== undefined && expires <= now) remove.run(name);
        else insert.run(name, value, expires ?? null, sumOf(name, value), now);
      }
      return true;
    });
    if (done) for (const { value } of entries) this.written += (value as string | Uint8Array).length;
    return entries.map(() => done === true);
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key]))[0]!;
  }

  async deleteMany(keys: string[]): Promise<boolean[]> {
    const done = this.#database.write((prepare) =>
      keys.map(
        (key) => prepare(`DELETE FROM ${this.#table} WHERE key = ?`).run(this.#name(key)).changes === 1,
      ),
    );
    return done ?? keys.map(() => false);
  }

  async clear(): Promise<void> {
    this.#database.write((prepare) =>
      prepare(`DELETE FROM ${this.#table} WHERE key >= ? AND key < ?`).run(...this.#range()),
    );
  }

  /** Marks the keys as used now. */
  touch(keys: readonly string[]): void {
    const now = Date.now();
    this.#database.write((prepare) => {
      const update = prepare(`UPDATE ${this.#table} SET used = ? WHERE key = ?`);
      for (const key of keys) update.run(now, this.#name(key));
    });
    for (const key of keys) this.stale.delete(key);
  }

  /** Size and last use of all entries, in the order of their names. */
  *sizes(): Generator<{ key: string; bytes: number; used: number }> {
    const [start, end] = this.#range();
    for (let last = start, size = -1; size !== 0; ) {
      const page = this.#database.read(
        (prepare) =>
          prepare(
            `SELECT key, length(value) AS bytes, used FROM ${this.#table} WHERE key > ? AND key < ? ORDER BY key LIMIT 500`,
          ).all(last, end),
        [],
      ) as { key: string; bytes: number; used: number }[];
      size = page.length;
      for (const { key, bytes, used } of page)
        yield { key: this.namespace ? key.slice(start.length) : key, bytes, used };
      last = page.at(-1)?.key ?? last;
    }
  }

  async *iterator<Value>(): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    for (const { key } of this.sizes()) {
      const value = await this.get<Value>(key);
      if (value !== undefined) yield [key, value as Awaited<Value>];
    }
  }

  async disconnect(): Promise<void> {
    this.#database.close();
  }
}

/** The adapter as Keyv's types ask for it: of an emitter Keyv uses `on` only. */
export function keyvSqlite(
  database: Database,
  table: string,
): { adapter: KeyvSqlite; store: KeyvStorageAdapter } {
  const adapter = new KeyvSqlite(database, table);
  return { adapter, store: adapter as unknown as KeyvStorageAdapter };
}

/** SQL that makes the table. A rowid table: with values of a kilobyte, WITHOUT ROWID is three times as large and slow. */
export function keyvTable(table: string): string {
  return `CREATE TABLE ${table} (key TEXT PRIMARY KEY NOT NULL, value NOT NULL, expires INTEGER, sum INTEGER NOT NULL, used INTEGER NOT NULL);`;
}

function sumOf(name: string, value: string | Uint8Array): number {
  return crc32(value, crc32(name));
}
