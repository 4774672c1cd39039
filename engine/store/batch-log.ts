import { hostname } from 'node:os';
import type { Database, Prepare } from './database.ts';
import { isProcessAlive } from './session.ts';

/** A batch of requests at a provider, as it is noted. */
export interface NotedBatch {
  readonly number: number;
  /** Names the model that is asked. */
  readonly source: string;
  /** Told to the provider, so that a batch is found whose number never came back. */
  readonly token: string;
  /** What the provider calls it; null as long as it did not say. */
  readonly id: string | null;
  readonly requests: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Whether the process that submits it still runs, as far as can be told. */
  readonly submitting: boolean;
}

/** A request that is part of a batch: what came back for it, or the batch that it is in. */
export type NotedRequest = { readonly answer: string } | { readonly batch: number };

export const batchTables = `CREATE TABLE batches (number INTEGER PRIMARY KEY, source TEXT NOT NULL, token TEXT NOT NULL, id TEXT, requests INTEGER NOT NULL, since INTEGER NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL);
CREATE TABLE requests (key TEXT PRIMARY KEY NOT NULL, batch INTEGER NOT NULL, answer TEXT) WITHOUT ROWID;
CREATE INDEX requests_of ON requests (batch);`;

/** Providers keep results for 29 days or more; what is older is of no use. */
const keptMs = 30 * 86_400_000;
/** The longest that a submission takes, of a process of which it cannot be told whether it runs. */
const submissionMs = 15 * 60_000;

interface Row {
  number: number;
  source: string;
  token: string;
  id: string | null;
  requests: number;
  since: number;
  pid: number;
  host: string;
}

/**
 * The batches of requests that were given to providers, with the keys of their requests: noted on disk before they are
 * submitted, so that whatever happens to the process, the next one takes them up instead of paying again. A key is in one
 * batch at a time.
 */
export class BatchLog {
  readonly #database: Database;
  readonly #host = hostname();
  /** Keys that nobody needs any more; they go with the next write. */
  readonly #released = new Set<string>();
  /** Batches that this process is about to submit. */
  readonly #begun = new Set<number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Notes a batch that is about to be submitted, with those keys that are in no other, and gives both. Null where nothing
   * can be noted; such a batch must not be submitted.
   */
  begin(source: string, token: string, keys: readonly string[]): { number: number; keys: string[] } | null {
    const now = Date.now();
    const noted = this.#database.write((prepare) => {
      this.#forget(prepare);
      const old = prepare('SELECT number FROM batches WHERE since < ?').all(now - keptMs);
      for (const { number } of old) remove(prepare, number as number);
      const inserted = prepare(
        'INSERT INTO batches (source, token, requests, since, pid, host) VALUES (?, ?, 0, ?, ?, ?)',
      ).run(source, token, now, process.pid, this.#host);
      const number = Number(inserted.lastInsertRowid);
      const put = prepare('INSERT INTO requests (key, batch) VALUES (?, ?) ON CONFLICT DO NOTHING');
      const own = keys.filter((key) => put.run(key, number).changes === 1);
      if (own.length === 0) remove(prepare, number);
      prepare('UPDATE batches SET requests = ? WHERE number = ?').run(own.length, number);
      return { number, keys: own };
    });
    this.#released.clear();
    if (noted && noted.keys.length > 0) this.#begun.add(noted.number);
    return noted ?? null;
  }

  /** The provider has it, under this name. */
  submitted(number: number, id: string): void {
    this.#begun.delete(number);
    this.#database.write((prepare) => prepare('UPDATE batches SET id = ? WHERE number = ?').run(id, number));
  }

  /** Nobody knows whether the provider has it: its answer did not come. */
  abandon(number: number): void {
    this.#begun.delete(number);
  }

  /** What providers call the batches that are noted. */
  ids(): string[] {
    return this.#database.read(
      (prepare) =>
        prepare('SELECT id FROM batches WHERE id IS NOT NULL')
          .all()
          .map(({ id }) => String(id)),
      [],
    );
  }

  /** It is none: its requests may be asked otherwise. */
  drop(number: number): void {
    this.#begun.delete(number);
    this.#database.write((prepare) => remove(prepare, number));
  }

  /** What came back, by key. Requests without an answer are in no batch any more. */
  finish(number: number, answers: ReadonlyMap<string, string>): void {
    this.#database.write((prepare) => {
      const put = prepare('UPDATE requests SET answer = ? WHERE key = ? AND batch = ?');
      for (const [key, answer] of answers) put.run(answer, key, number);
      prepare('DELETE FROM requests WHERE batch = ? AND answer IS NULL').run(number);
      tidy(prepare, number);
    });
  }

  /** Where requests are, by key; undefined of those that are in no batch. */
  find(keys: readonly string[]): (NotedRequest | undefined)[] {
    return this.#database.read(
      (prepare) => {
        const find = prepare('SELECT batch, answer FROM requests WHERE key = ?');
        return keys.map((key) => {
          const found = this.#released.has(key)
            ? undefined
            : (find.get(key) as { batch: number; answer: string | null } | undefined);
          if (found === undefined) return undefined;
          return found.answer === null ? { batch: found.batch } : { answer: found.answer };
        });
      },
      keys.map(() => undefined),
    );
  }

  batch(number: number): NotedBatch | undefined {
    const row = this.#database.read(
      (prepare) => prepare('SELECT * FROM batches WHERE number = ?').get(number) as Row | undefined,
      undefined,
    );
    if (row === undefined) return undefined;
    const { pid, host, ...batch } = row;
    const own = pid === process.pid ? this.#begun.has(number) : isProcessAlive(pid);
    const alive = host === this.#host ? own : true;
    return {
      ...batch,
      submitting: batch.id === null && alive && Date.now() - batch.since < submissionMs,
    };
  }

  /** Answers that are filed, or are none: they are not needed here any more. */
  release(keys: readonly string[]): void {
    for (const key of keys) this.#released.add(key);
  }

  /** Forgets what was released. */
  flush(): void {
    if (this.#released.size === 0) return;
    this.#database.write((prepare) => this.#forget(prepare));
    this.#released.clear();
  }

  #forget(prepare: Prepare): void {
    const find = prepare('SELECT batch FROM requests WHERE key = ? AND answer IS NOT NULL');
    const forget = prepare('DELETE FROM requests WHERE key = ? AND answer IS NOT NULL');
    const touched = new Set<number>();
    for (const key of this.#released) {
      const found = find.get(key) as { batch: number } | undefined;
      if (found === undefined) continue;
      forget.run(key);
      touched.add(found.batch);
    }
    for (const number of touched) tidy(prepare, number);
  }
}

function remove(prepare: Prepare, number: number): void {
  prepare('DELETE FROM requests WHERE batch = ?').run(number);
  prepare('DELETE FROM batches WHERE number = ?').run(number);
}

/** A batch without requests is over. */
function tidy(prepare: Prepare, number: number): void {
  prepare('DELETE FROM batches WHERE number = ? AND NOT EXISTS (SELECT 1 FROM requests WHERE batch = ?)').run(
    number,
    number,
  );
}
