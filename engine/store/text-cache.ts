import { crc32 } from 'node:zlib';
import type { Database } from './database.ts';

export const textTables =
  'CREATE TABLE texts (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL, used INTEGER NOT NULL);';

const day = 86_400_000;

/**
 * Texts that save work between processes and can be made again: compiled workflows, code digests. Writes wait for
 * `flush`, and an entry that nobody asked for in 30 days goes then.
 */
export class TextCache {
  readonly #database: Database;
  readonly #waiting = new Map<string, string>();

  constructor(database: Database) {
    this.#database = database;
  }

  get(key: string): string | undefined {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const row = this.#database.read(
      (prepare) =>
        prepare('SELECT value, sum, used FROM texts WHERE key = ?').get(key) as
          | { value: string; sum: number; used: number }
          | undefined,
      undefined,
    );
    // A byte that flipped in the database is a miss.
    if (row === undefined || row.sum !== sumOf(key, row.value)) return undefined;
    // Recency is kept to the day: a hit must not cost a write.
    if (Date.now() - row.used > day) this.#waiting.set(key, row.value);
    return row.value;
  }

  set(key: string, value: string): void {
    this.#waiting.set(key, value);
  }

  flush(): void {
    if (this.#waiting.size === 0) return;
    const now = Date.now();
    this.#database.write((prepare) => {
      const put = prepare('INSERT OR REPLACE INTO texts (key, value, sum, used) VALUES (?, ?, ?, ?)');
      for (const [key, value] of this.#waiting) put.run(key, value, sumOf(key, value), now);
      prepare('DELETE FROM texts WHERE used < ?').run(now - 30 * day);
    });
    this.#waiting.clear();
  }
}

function sumOf(key: string, value: string): number {
  return crc32(value, crc32(key));
}
