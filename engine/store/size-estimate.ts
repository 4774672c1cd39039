import type { Database } from './database.ts';

/** Table within `cache/index.sqlite`: one row. */
export const sizeTables =
  'CREATE TABLE size (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL, stuck INTEGER NOT NULL);';

/**
 * What the store is thought to hold, kept by adding up what is written, so that a run need not walk the store to know
 * whether it is over its cap. It errs upwards (a blob that is written again counts twice) until the next walk sets it right.
 * What a killed process wrote is missing in it: the run that finds its traces walks.
 */
export class SizeEstimate {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Bytes held; `isStuck` if the last walk found more than the cap that could not be removed. Undefined before the first
   * walk.
   */
  get(): { held: number; isStuck: boolean } | undefined {
    return this.#database.read((prepare) => {
      const row = prepare('SELECT bytes, stuck FROM size').get();
      return row && { held: row['bytes'] as number, isStuck: row['stuck'] === 1 };
    }, undefined);
  }

  /** Nothing before the first walk: that counts everything. */
  add(bytes: number): void {
    if (bytes > 0) this.#database.write((prepare) => prepare('UPDATE size SET bytes = bytes + ?').run(bytes));
  }

  /** After a walk. `before` is what `get` gave when it began: what was added since comes on top of what it found. */
  set(found: number, { before, isStuck = false }: { before: number | undefined; isStuck?: boolean }): void {
    this.#database.write((prepare) => {
      const now = prepare('SELECT bytes FROM size').get()?.['bytes'] as number | undefined;
      const meanwhile = now === undefined || before === undefined ? 0 : Math.max(0, now - before);
      prepare('INSERT OR REPLACE INTO size (id, bytes, stuck) VALUES (1, ?, ?)').run(
        found + meanwhile,
        isStuck ? 1 : 0,
      );
    });
  }
}
