import { crc32 } from 'node:zlib';
import { canonicalJson, type Json } from '../json.ts';
import type { Database, Prepare } from './database.ts';
import { recencyMs } from './keyv-sqlite.ts';

/** What all values of a step type with certain parameters have in common. */
export interface Namespace {
  readonly identity: string;
}

/** Tables of `cache/rows.sqlite`. A value is TEXT (JSON) or a BLOB (float32, little-endian). */
export const rowTables = `CREATE TABLE namespaces (id INTEGER PRIMARY KEY, identity TEXT UNIQUE NOT NULL);
CREATE TABLE rows (namespace INTEGER NOT NULL, key BLOB NOT NULL, value NOT NULL, sum INTEGER NOT NULL, used INTEGER NOT NULL, UNIQUE (namespace, key));`;

/** A group is committed this long after its first value, or when it has so many values or bytes. */
const groupMs = 10;
const groupRows = 2_000;
const groupBytes = 4 * 2 ** 20;

interface Waiting {
  namespace: string;
  key: Uint8Array;
  value: string | Uint8Array;
  replace: boolean;
}

/**
 * Values of rows, by namespace and key. Values put are readable at once, and on disk within 10 ms or by `flush`. A value
 * with a wrong checksum is removed and counts as missing. The first value of a key stays.
 */
export class RowCache {
  readonly #database: Database;
  readonly #waiting = new Map<string, Waiting>();
  readonly #stale: number[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #error: unknown;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The namespace of an identity: everything beside the row's fields that its value depends on. */
  namespace(identity: Json): Namespace {
    return { identity: canonicalJson(identity) };
  }

  /** In the order of the keys; undefined where there is none. */
  getMany(namespace: Namespace, keys: readonly Uint8Array[]): (Json | Float32Array | undefined)[] {
    const values = new Array<Json | Float32Array | undefined>(keys.length).fill(undefined);
    const damaged: number[] = [];
    const oldest = Date.now() - recencyMs;
    this.#database.read((prepare) => {
      const id = this.#id(prepare, namespace);
      if (id === undefined) return;
      const find = prepare('SELECT rowid, value, sum, used FROM rows WHERE namespace = ? AND key = ?');
      find.setReturnArrays(true);
      for (let index = 0; index < keys.length; index++) {
        const found = find.get(id, keys[index]!) as unknown as
          | [rowid: number, value: string | Uint8Array, sum: number, used: number]
          | undefined;
        if (!found) continue;
        const [rowid, value, sum, used] = found;
        if (sum !== sumOf(namespace, keys[index]!, value)) damaged.push(rowid);
        else {
          values[index] = decode(value);
          if (used < oldest) this.#stale.push(rowid);
        }
      }
    }, undefined);
    if (damaged.length > 0)
      this.#database.write((prepare) => {
        for (const rowid of damaged) prepare('DELETE FROM rows WHERE rowid = ?').run(rowid);
      });
    if (this.#waiting.size > 0)
      keys.forEach((key, index) => {
        const waiting = this.#waiting.get(nameOf(namespace, key));
        if (waiting) values[index] ??= decode(waiting.value);
      });
    if (this.#stale.length > 0) this.#schedule();
    return values;
  }

  /** Not remembered: another process may have evicted the namespace and made it again. */
  #id(prepare: Prepare, { identity }: Namespace): number | undefined {
    return prepare('SELECT id FROM namespaces WHERE identity = ?').get(identity)?.['id'] as
      | number
      | undefined;
  }

  /**
   * Files a value. Of two for one key the first stays, so that what was read once is not another thing later, unless
   * the user asked for it anew (`replace`). Throws what the last group's commit failed with: `disk-full`, for one.
   */
  put(namespace: Namespace, key: Uint8Array, value: Json | Float32Array, replace = false): void {
    this.#throw();
    if (this.#database.mode !== 'write') return;
    const encoded =
      value instanceof Float32Array
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
        : JSON.stringify(value);
    this.#waiting.set(nameOf(namespace, key), {
      namespace: namespace.identity,
      key: key.slice(),
      value: encoded,
      replace,
    });
    this.#waitingBytes += encoded.length + key.length;
    if (this.#waiting.size >= groupRows || this.#waitingBytes >= groupBytes) {
      this.#commit();
      this.#throw();
    } else this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#commit(), groupMs);
  }

  /** Puts on disk all values put so far. */
  async flush(): Promise<void> {
    this.#commit();
    this.#throw();
  }

  #throw(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  #commit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0 && this.#stale.length === 0) return;
    const now = Date.now();
    try {
      this.#database.write((prepare) => {
        const ids = new Map<string, number>();
        const insert =
          'INSERT INTO rows (namespace, key, value, sum, used) VALUES (?, ?, ?, ?, ?) ON CONFLICT';
        const keep = prepare(`${insert} DO NOTHING`);
        const write = prepare(
          `${insert} (namespace, key) DO UPDATE SET value = excluded.value, sum = excluded.sum, used = excluded.used`,
        );
        for (const { namespace: identity, key, value, replace } of this.#waiting.values()) {
          let id = ids.get(identity);
          if (id === undefined) {
            prepare('INSERT INTO namespaces (identity) VALUES (?) ON CONFLICT DO NOTHING').run(identity);
            id = prepare('SELECT id FROM namespaces WHERE identity = ?').get(identity)!['id'] as number;
            ids.set(identity, id);
          }
          (replace ? write : keep).run(id, key, value, sumOf({ identity }, key, value), now);
        }
        for (const rowid of this.#stale) prepare('UPDATE rows SET used = ? WHERE rowid = ?').run(now, rowid);
      });
      this.#waiting.clear();
      this.#waitingBytes = 0;
    } catch (error) {
      // The values stay readable and are tried again with the next group.
      this.#error = error;
    }
    this.#stale.length = 0;
  }

  /** Namespaces with what they hold. */
  sizes(): { identity: string; rows: number; bytes: number; usedMs: number }[] {
    return this.#database.read(
      (prepare) =>
        prepare(
          `SELECT identity, count(*) AS rows, sum(length(value) + length(key)) AS bytes, max(used) AS usedMs
           FROM rows JOIN namespaces ON namespaces.id = rows.namespace GROUP BY rows.namespace`,
        ).all() as unknown as { identity: string; rows: number; bytes: number; usedMs: number }[],
      [],
    );
  }

  /** Removes the values that were not used since a time. Gives their number and bytes. */
  evict(usedBeforeMs: number, dryRun = false): { rows: number; bytes: number } {
    const condition = 'FROM rows WHERE used < ?';
    const count = (prepare: Prepare): { rows: number; bytes: number } => {
      const row = prepare(
        `SELECT count(*) AS rows, coalesce(sum(length(value) + length(key)), 0) AS bytes ${condition}`,
      ).get(usedBeforeMs);
      return { rows: row!['rows'] as number, bytes: row!['bytes'] as number };
    };
    const none = { rows: 0, bytes: 0 };
    if (dryRun) return this.#database.read(count, none);
    return (
      this.#database.write((prepare) => {
        const result = count(prepare);
        prepare(`DELETE ${condition}`).run(usedBeforeMs);
        prepare('DELETE FROM namespaces WHERE id NOT IN (SELECT namespace FROM rows)').run();
        return result;
      }) ?? none
    );
  }

  /** Bytes of values by time of last use, oldest first, in steps of a day. */
  ages(): { usedMs: number; bytes: number; rows: number }[] {
    return this.#database.read(
      (prepare) =>
        prepare(
          `SELECT used / 86400000 * 86400000 AS usedMs, sum(length(value) + length(key)) AS bytes, count(*) AS rows
           FROM rows GROUP BY 1 ORDER BY 1`,
        ).all() as unknown as { usedMs: number; bytes: number; rows: number }[],
      [],
    );
  }
}

function nameOf({ identity }: Namespace, key: Uint8Array): string {
  return `${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}${identity}`;
}

function sumOf({ identity }: { identity: string }, key: Uint8Array, value: string | Uint8Array): number {
  return crc32(value, crc32(key, crc32(identity)));
}

function decode(value: string | Uint8Array): Json | Float32Array {
  if (typeof value === 'string') return JSON.parse(value) as Json;
  return new Float32Array(value.buffer, value.byteOffset, value.byteLength / 4);
}
