import { hostname } from 'node:os';
import type { Database, Prepare } from './database.ts';
import { isProcessAlive } from './session.ts';

/** A batch of requests at a provider, as it is noted. */
export interface NotedBatch {
  /** Names it here, and no other ever; told to the provider, so that a batch is found whose number never came back. */
  readonly token: string;
  /** The model that is asked: `openai/gpt-5-mini` */
  readonly model: string;
  /** What the provider calls it; null as long as it did not say. */
  readonly id: string | null;
  readonly requests: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Whether the process that submits it still runs, as far as can be told. */
  readonly submitting: boolean;
}

/** A request that is part of a batch: what came back for it, or the token of the batch that it is in. */
export type NotedRequest = { readonly answer: string } | { readonly batch: string };

/** What makes the tables of each version of `cache/batches.sqlite` from the one before. */
export const batchTables = [
  `CREATE TABLE batches (number INTEGER PRIMARY KEY, source TEXT NOT NULL, token TEXT NOT NULL, id TEXT, requests INTEGER NOT NULL, since INTEGER NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL);
CREATE TABLE requests (key TEXT PRIMARY KEY NOT NULL, batch INTEGER NOT NULL, answer TEXT) WITHOUT ROWID;
CREATE INDEX requests_of ON requests (batch);`,
  // Numbers were given anew to other batches: tokens are not.
  `ALTER TABLE batches RENAME TO numbered;
ALTER TABLE requests RENAME TO of_numbered;
DROP INDEX requests_of;
CREATE TABLE batches (token TEXT PRIMARY KEY NOT NULL, model TEXT NOT NULL, id TEXT, requests INTEGER NOT NULL, since INTEGER NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE requests (key TEXT PRIMARY KEY NOT NULL, batch TEXT NOT NULL, answer TEXT) WITHOUT ROWID;
CREATE INDEX requests_of ON requests (batch);
INSERT INTO batches SELECT token, '', id, requests, since, pid, host FROM numbered;
INSERT INTO requests SELECT key, token, answer FROM of_numbered JOIN numbered ON number = batch;
DROP TABLE of_numbered;
DROP TABLE numbered;`,
];

/** Providers keep results for 29 days or more; what is older is of no use. */
const keptMs = 30 * 86_400_000;
/** The longest that a submission takes, of a process of which it cannot be told whether it runs. */
const submissionMs = 15 * 60_000;

interface Row {
  token: string;
  model: string;
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
  /** Keys that nobody needs any more. */
  readonly #released = new Set<string>();
  /** Batches that this process is about to submit. */
  readonly #begun = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Notes a batch that is about to be submitted, with those keys that are in no other, and gives these. Null where nothing
   * can be noted; such a batch must not be submitted.
   *
   * @param token of no other batch
   */
  begin(model: string, token: string, keys: readonly string[]): string[] | null {
    const now = Date.now();
    const noted = this.#database.write((prepare) => {
      const old = prepare('SELECT token FROM batches WHERE since < ?').all(now - keptMs);
      for (const each of old) remove(prepare, each['token'] as string);
      // What is asked anew was answered with what is no answer.
      forget(
        prepare,
        keys.filter((key) => this.#released.has(key)),
      );
      const put = prepare('INSERT INTO requests (key, batch) VALUES (?, ?) ON CONFLICT DO NOTHING');
      const own = keys.filter((key) => put.run(key, token).changes === 1);
      if (own.length > 0)
        prepare(
          'INSERT INTO batches (token, model, requests, since, pid, host) VALUES (?, ?, ?, ?, ?, ?)',
        ).run(token, model, own.length, now, process.pid, this.#host);
      return own;
    });
    if (noted === undefined) return null;
    for (const key of keys) this.#released.delete(key);
    if (noted.length > 0) this.#begun.add(token);
    return noted;
  }

  /** These are not submitted with the others of a batch that is about to be. */
  leaveOut(token: string, keys: readonly string[]): void {
    this.#database.write((prepare) => {
      const leave = prepare('DELETE FROM requests WHERE key = ? AND batch = ? AND answer IS NULL');
      for (const key of keys) leave.run(key, token);
      prepare(
        'UPDATE batches SET requests = (SELECT count(*) FROM requests WHERE batch = token) WHERE token = ?',
      ).run(token);
      tidy(prepare, token);
    });
  }

  /** The provider has it, under this name. */
  submitted(token: string, id: string): void {
    this.#begun.delete(token);
    this.#database.write((prepare) => prepare('UPDATE batches SET id = ? WHERE token = ?').run(id, token));
  }

  /** Nobody knows whether the provider has it: its answer did not come. */
  abandon(token: string): void {
    this.#begun.delete(token);
  }

  /** The provider seems to have it, under this name: unless it has a name by now, or another batch has this one. */
  found(token: string, id: string): void {
    this.#database.write((prepare) =>
      prepare(
        'UPDATE batches SET id = ? WHERE token = ? AND id IS NULL AND NOT EXISTS (SELECT 1 FROM batches WHERE id = ?)',
      ).run(id, token, id),
    );
  }

  /** What the provider calls so is another batch: that of these requests, if they are of one. */
  mistaken(token: string, id: string, keys: readonly string[]): void {
    this.#database.write((prepare) => {
      prepare('UPDATE batches SET id = NULL WHERE token = ? AND id = ?').run(token, id);
      const find = prepare('SELECT batch FROM requests WHERE key = ?');
      const owner = keys.map((key) => find.get(key)?.['batch']).find((batch) => batch !== undefined);
      if (owner !== undefined) prepare('UPDATE batches SET id = ? WHERE token = ?').run(id, owner);
    });
  }

  /** What providers call the batches that are noted. */
  ids(): string[] {
    return this.all().flatMap(({ id }) => id ?? []);
  }

  /** It is none, as long as the provider is not known to call it otherwise: its requests may be asked otherwise. */
  drop(token: string, id: string | null): void {
    this.#begun.delete(token);
    this.#database.write((prepare) => {
      const found = prepare('SELECT id FROM batches WHERE token = ?').get(token);
      if (found !== undefined && found['id'] === id) remove(prepare, token);
    });
  }

  /** Forgets what the provider calls so, with its requests. False if there is no such batch. */
  forget(id: string): boolean {
    const forgotten = this.#database.write((prepare) => {
      const found = prepare('SELECT token FROM batches WHERE id = ? OR token = ?').all(id, id);
      for (const { token } of found) remove(prepare, token as string);
      return found.length > 0;
    });
    return forgotten ?? false;
  }

  /** What came back, by key. Requests without an answer are in no batch any more. */
  finish(token: string, answers: ReadonlyMap<string, string>): void {
    this.#database.write((prepare) => {
      const put = prepare('UPDATE requests SET answer = ? WHERE key = ? AND batch = ?');
      for (const [key, answer] of answers) put.run(answer, key, token);
      prepare('DELETE FROM requests WHERE batch = ? AND answer IS NULL').run(token);
      tidy(prepare, token);
    });
  }

  /** Whether requests of it wait for what comes back: nobody has finished or dropped it. */
  isOpen(token: string): boolean {
    return this.#database.read(
      (prepare) =>
        prepare('SELECT 1 FROM requests WHERE batch = ? AND answer IS NULL LIMIT 1').get(token) !== undefined,
      false,
    );
  }

  /** Whether one of the requests is part of it. */
  holds(token: string, keys: readonly string[]): boolean {
    return this.#database.read((prepare) => {
      const find = prepare('SELECT 1 FROM requests WHERE key = ? AND batch = ?');
      return keys.some((key) => find.get(key, token) !== undefined);
    }, false);
  }

  /** Where requests are, by key; undefined of those that are in no batch. */
  find(keys: readonly string[]): (NotedRequest | undefined)[] {
    return this.#database.read(
      (prepare) => {
        const find = prepare('SELECT batch, answer FROM requests WHERE key = ?');
        return keys.map((key) => {
          const found = this.#released.has(key)
            ? undefined
            : (find.get(key) as { batch: string; answer: string | null } | undefined);
          if (found === undefined) return undefined;
          return found.answer === null ? { batch: found.batch } : { answer: found.answer };
        });
      },
      keys.map(() => undefined),
    );
  }

  batch(token: string): NotedBatch | undefined {
    return this.#select('WHERE token = ?', token)[0];
  }

  /** In the order of their submission. */
  all(): NotedBatch[] {
    return this.#select('ORDER BY since, token');
  }

  #select(which: string, ...values: string[]): NotedBatch[] {
    const rows = this.#database.read(
      (prepare) => prepare(`SELECT * FROM batches ${which}`).all(...values) as unknown as Row[],
      [],
    );
    return rows.map(({ pid, host, ...batch }) => {
      const own = pid === process.pid ? this.#begun.has(batch.token) : isProcessAlive(pid);
      const alive = host === this.#host ? own : true;
      return {
        ...batch,
        submitting: batch.id === null && alive && Date.now() - batch.since < submissionMs,
      };
    });
  }

  /** Answers that are filed, or are none: they are not needed here once what was filed is on disk. */
  release(keys: readonly string[]): void {
    for (const key of keys) this.#released.add(key);
  }

  /** Forgets what was released: what was filed of it must be on disk. */
  flush(): void {
    if (this.#released.size === 0) return;
    this.#database.write((prepare) => forget(prepare, this.#released));
    this.#released.clear();
  }
}

/** Answers of these are not needed any more. */
function forget(prepare: Prepare, keys: Iterable<string>): void {
  const find = prepare('SELECT batch FROM requests WHERE key = ? AND answer IS NOT NULL');
  const drop = prepare('DELETE FROM requests WHERE key = ? AND answer IS NOT NULL');
  const touched = new Set<string>();
  for (const key of keys) {
    const found = find.get(key) as { batch: string } | undefined;
    if (found === undefined) continue;
    drop.run(key);
    touched.add(found.batch);
  }
  for (const token of touched) tidy(prepare, token);
}

function remove(prepare: Prepare, token: string): void {
  prepare('DELETE FROM requests WHERE batch = ?').run(token);
  prepare('DELETE FROM batches WHERE token = ?').run(token);
}

/** A batch without requests is over. */
function tidy(prepare: Prepare, token: string): void {
  prepare('DELETE FROM batches WHERE token = ? AND NOT EXISTS (SELECT 1 FROM requests WHERE batch = ?)').run(
    token,
    token,
  );
}
