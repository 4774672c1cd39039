import Keyv from 'keyv';
import type { Artefact, Metrics } from '../artefacts.ts';
import type { Asked } from '../asked.ts';
import type { Digest } from '../digest.ts';
import type { JsonObject } from '../json.ts';
import type { Database } from './database.ts';
import { type KeyvSqlite, keyvSqlite, keyvTable } from './keyv-sqlite.ts';

/** The result of a step that succeeded, stored under the digest of its fingerprint. */
export interface StepEntry {
  fingerprint: JsonObject;
  outputs: { [name: string]: Artefact };
  metrics: Metrics;
  warnings: string[];
  rows_failed: number;
  /** What it asked of language models, if anything. */
  asked?: Asked;
  duration_ms: number;
  /** ISO 8601 time. */
  created: string;
  /** Path of the workflow, and id of the step, that computed it first: for people, since others may share it. */
  made_by?: { workflow: string; step: string };
}

/** Tables of the step index within `cache/index.sqlite`. */
export const stepTables = `${keyvTable('steps')}
CREATE TABLE last (workflow TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (workflow, step));`;

/** Keyv's own serializer marks bytes and big integers, which entries have not, and takes five times as long. */
const plainJson = {
  stringify: (value: unknown) => JSON.stringify(value),
  parse: <T>(text: string) => JSON.parse(text) as T,
};

/** Results of steps by fingerprint: Keyv over `cache/index.sqlite`. Damaged entries are misses. */
export class StepIndex {
  readonly #database: Database;
  readonly #adapter: KeyvSqlite;
  readonly #keyv: Keyv<StepEntry>;
  #error: unknown;

  constructor(database: Database) {
    const { adapter, store } = keyvSqlite(database, 'steps');
    this.#database = database;
    this.#adapter = adapter;
    this.#keyv = new Keyv<StepEntry>({ store, serialization: plainJson });
    // Keyv hides errors behind false and undefined: they are thrown again here.
    this.#keyv.on('error', (error: unknown) => {
      this.#error ??= error;
    });
  }

  async #checked<T>(result: Promise<T>): Promise<T> {
    const value = await result;
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return value;
  }

  async getMany(keys: readonly Digest[]): Promise<(StepEntry | undefined)[]> {
    if (keys.length === 0) return [];
    return await this.#checked(this.#keyv.getMany<StepEntry>([...keys]));
  }

  /** In one transaction. The blobs must be on disk: `await store.sync()` first. Nothing in a read-only store. */
  async setMany(entries: readonly { key: Digest; entry: StepEntry }[]): Promise<void> {
    if (entries.length === 0) return;
    const results = await this.#checked(
      this.#keyv.setMany(entries.map(({ key, entry }) => ({ key, value: entry }))),
    );
    if (this.#database.mode === 'write' && !results.every((result) => result === true))
      throw new Error(`results of steps were not written to ${this.#database.path}`);
  }

  /** Bytes of entries that were written since the last call. */
  takeWritten(): number {
    const bytes = this.#adapter.written;
    this.#adapter.written = 0;
    return bytes;
  }

  /**
   * Says that results are in use, for eviction; written only for those not used for an hour and those in `always`.
   * A result that is the last one of its step needs no more: it is as recent as the last run of the workflow.
   */
  touch(keys: readonly Digest[], always: ReadonlySet<Digest> = new Set()): void {
    const stale = keys.filter((key) => always.has(key) || this.#adapter.stale.has(key));
    if (stale.length > 0) this.#adapter.touch(stale);
  }

  async delete(keys: readonly Digest[]): Promise<void> {
    if (keys.length > 0) await this.#checked(this.#keyv.deleteMany([...keys]));
  }

  /** All results, with their size in the index and the time of their last use (to an hour). */
  async *all(): AsyncGenerator<{ key: Digest; entry: StepEntry; usedMs: number; bytes: number }, void> {
    for (const { key, used, bytes } of this.#adapter.sizes()) {
      const [entry] = await this.getMany([key as Digest]);
      if (entry) yield { key: key as Digest, entry, usedMs: used, bytes };
    }
  }

  /** Keys of the last success of steps of a workflow, for the plan's reasons. */
  getLast(workflow: string, steps: readonly string[]): (Digest | undefined)[] {
    return this.#database.read(
      (prepare) =>
        steps.map((step) => {
          const row = prepare('SELECT key FROM last WHERE workflow = ? AND step = ?').get(workflow, step);
          return row?.['key'] as Digest | undefined;
        }),
      steps.map(() => undefined),
    );
  }

  /** Of every workflow, the last success of each step. */
  allLast(): { workflow: string; step: string; key: Digest }[] {
    return this.#database.read(
      (prepare) =>
        prepare('SELECT workflow, step, key FROM last').all() as unknown as {
          workflow: string;
          step: string;
          key: Digest;
        }[],
      [],
    );
  }

  /** Written only where it differs; gives the keys that are new. */
  setLast(workflow: string, last: { readonly [step: string]: Digest }): Set<Digest> {
    const steps = Object.keys(last);
    const before = this.getLast(workflow, steps);
    const changed = steps.filter((step, index) => before[index] !== last[step]);
    if (changed.length === 0) return new Set();
    this.#database.write((prepare) => {
      for (const step of changed)
        prepare('INSERT OR REPLACE INTO last (workflow, step, key) VALUES (?, ?, ?)').run(
          workflow,
          step,
          last[step]!,
        );
    });
    return new Set(changed.map((step) => last[step]!));
  }
}
