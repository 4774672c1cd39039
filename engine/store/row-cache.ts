import { crc32 } from 'node:zlib';
import { canonicalJson, type Json, type JsonObject } from '../json.ts';
import type { Database, Prepare } from './database.ts';
import { recencyMs } from './keyv-sqlite.ts';

/** What all values of a step type with certain parameters have in common. */
export interface Namespace {
  readonly identity: string;
}

/** Tables of `cache/rows.sqlite`. A value is TEXT (JSON) or a BLOB (float32, little-endian). */
export const rowTables = `CREATE TABLE namespaces (id INTEGER PRIMARY KEY, identity TEXT UNIQUE NOT NULL);
CREATE TABLE rows (namespace INTEGER NOT NULL, key BLOB NOT NULL, value NOT NULL, sum INTEGER NOT NULL, used INTEGER NOT NULL, UNIQUE (namespace, key));`;

/** Values of one namespace that were used last in one hour: they are evicted together. */
export interface RowGroup {
  namespace: number;
  identity: string;
  /** Hours since 1970. */
  hour: number;
  /** When the latest of them was used. */
  usedMs: number;
  bytes: number;
  rows: number;
}

const hourMs = 3_600_000;
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
 * Values of rows, by namespace and key. Values put are readable at once, and on their way to the disk within 10 ms, or on
 * it by `flush`: what waits for the disk holds up nobody. A value with a wrong checksum is removed and counts as missing. The first value of a key stays.
 */
export class RowCache {
  readonly #database: Database;
  readonly #waiting = new Map<string, Waiting>();
  readonly #stale: number[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off. */
  #due = 0;
  #error: unknown;
  #written = 0;
  /** Commits that are not known to be on disk. */
  #unsynced = false;
  #syncing: Promise<void> | null = null;

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

  /** Any values of a namespace, so many at most. */
  some(namespace: Namespace, count: number): (Json | Float32Array)[] {
    return this.#database.read((prepare) => {
      const id = this.#id(prepare, namespace);
      if (id === undefined) return [];
      const rows = prepare('SELECT value FROM rows WHERE namespace = ? LIMIT ?').all(id, count);
      return rows.map(({ value }) => decode(value as string | Uint8Array));
    }, []);
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
   *
   * @param waitMs how long it may wait for others to be written with
   */
  put(
    namespace: Namespace,
    key: Uint8Array,
    value: Json | Float32Array,
    replace = false,
    waitMs = groupMs,
  ): void {
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
    } else this.#schedule(waitMs);
  }

  #schedule(waitMs = groupMs): void {
    const due = performance.now() + waitMs;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#commit(), waitMs);
  }

  /** Puts on disk all values put so far. */
  async flush(): Promise<void> {
    this.#commit();
    while (this.#unsynced || this.#syncing !== null) await this.#sync();
    this.#throw();
  }

  /** Waits for the disk to have what was committed before; commits of meanwhile are next. */
  #sync(): Promise<void> {
    this.#syncing ??= (async () => {
      this.#unsynced = false;
      try {
        await this.#database.sync();
      } catch (error) {
        this.#error = error;
      } finally {
        this.#syncing = null;
      }
      if (this.#unsynced) void this.#sync();
    })();
    return this.#syncing;
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
    let written = 0;
    try {
      this.#database.write((prepare) => {
        written = 0;
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
          const { changes } = (replace ? write : keep).run(
            id,
            key,
            value,
            sumOf({ identity }, key, value),
            now,
          );
          if (changes === 1) written += value.length + key.length;
        }
        for (const rowid of this.#stale) prepare('UPDATE rows SET used = ? WHERE rowid = ?').run(now, rowid);
      });
      this.#written += written;
      this.#unsynced = true;
      void this.#sync();
      this.#waiting.clear();
      this.#waitingBytes = 0;
    } catch (error) {
      // The values stay readable and are tried again with the next group.
      this.#error = error;
    }
    this.#stale.length = 0;
  }

  /** Namespaces of a step type, with when the key's value was used last in each, or null where it has none. */
  namespacesOf(type: string, key: Uint8Array): { identity: JsonObject; usedMs: number | null }[] {
    return this.#database.read((prepare) => {
      const all = prepare('SELECT id, identity FROM namespaces').all() as { id: number; identity: string }[];
      const find = prepare('SELECT used FROM rows WHERE namespace = ? AND key = ?');
      return all.flatMap(({ id, identity: text }) => {
        const identity = JSON.parse(text) as JsonObject;
        if (identity['type'] !== type) return [];
        return [{ identity, usedMs: (find.get(id, key)?.['used'] as number | undefined) ?? null }];
      });
    }, []);
  }

  /** Bytes that were filed since the last call. */
  takeWritten(): number {
    const bytes = this.#written;
    this.#written = 0;
    return bytes;
  }

  /** What the cache holds, by namespace and hour of last use. */
  groups(): RowGroup[] {
    return this.#database.read(
      (prepare) =>
        prepare(
          `SELECT namespace, identity, used / ${hourMs} AS hour, max(used) AS usedMs,
             sum(length(value) + length(key)) AS bytes, count(*) AS rows
           FROM rows JOIN namespaces ON namespaces.id = rows.namespace GROUP BY namespace, hour`,
        ).all() as unknown as RowGroup[],
      [],
    );
  }

  /** Removes groups. Values of them that were used meanwhile stay. */
  evict(groups: readonly Pick<RowGroup, 'namespace' | 'hour'>[]): void {
    if (groups.length === 0) return;
    this.#database.write((prepare) => {
      for (const { namespace, hour } of groups)
        prepare('DELETE FROM rows WHERE namespace = ? AND used >= ? AND used < ?').run(
          namespace,
          hour * hourMs,
          (hour + 1) * hourMs,
        );
      prepare('DELETE FROM namespaces WHERE id NOT IN (SELECT namespace FROM rows)').run();
    });
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
