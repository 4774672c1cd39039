import { join } from 'node:path';
import { BatchLog, batchTables } from './batch-log.ts';
import { type Database, openDatabase } from './database.ts';
import { FileDigests, fileTables } from './file-digests.ts';
import { Leases, leaseTables } from './leases.ts';
import { RowCache, rowTables } from './row-cache.ts';
import { SizeEstimate, sizeTables } from './size-estimate.ts';
import { StepIndex, stepTables } from './step-index.ts';
import { TextCache, textTables } from './text-cache.ts';

/** The databases under `cache/`. Each is opened when it is first used. */
export class Caches {
  readonly #index: Database;
  readonly #rowDatabase: Database;
  readonly #answerDatabase: Database;
  readonly #leaseDatabase: Database;
  readonly #batchDatabase: Database;
  readonly steps: StepIndex;
  readonly files: FileDigests;
  readonly rows: RowCache;
  /** Answers of language models, filed as values of rows are; paid for, so that eviction leaves them alone. */
  readonly answers: RowCache;
  /** Batches of requests that are at a provider. */
  readonly batches: BatchLog;
  readonly leases: Leases;
  readonly texts: TextCache;
  readonly size: SizeEstimate;

  private constructor(folder: string, onDamage: ((message: string) => void) | undefined) {
    // What brings a database from each version to the next, the first from an empty file.
    const open = (name: string, versions: string[], durable: boolean | 'afterwards'): Database =>
      openDatabase(join(folder, 'cache', `${name}.sqlite`), {
        version: versions.length,
        migrate: (sql, from) => {
          for (const tables of versions.slice(from)) sql.exec(tables);
        },
        durable,
        ...(onDamage && { onDamage }),
      });
    this.#index = open('index', [`${stepTables}\n${fileTables}\n${textTables}`, sizeTables], true);
    this.#rowDatabase = open('rows', [rowTables], 'afterwards');
    this.#answerDatabase = open('answers', [rowTables], 'afterwards');
    this.#batchDatabase = open('batches', batchTables, true);
    // After a power loss nobody holds a lease.
    this.#leaseDatabase = open('leases', [leaseTables], false);
    this.steps = new StepIndex(this.#index);
    this.files = new FileDigests(this.#index);
    this.texts = new TextCache(this.#index);
    this.size = new SizeEstimate(this.#index);
    this.rows = new RowCache(this.#rowDatabase);
    this.answers = new RowCache(this.#answerDatabase);
    this.batches = new BatchLog(this.#batchDatabase);
    this.leases = new Leases(this.#leaseDatabase);
  }

  /** `folder` is the store's folder; damage that was mended is told to `onDamage`. */
  static open(options: { folder: string; onDamage?: ((message: string) => void) | undefined }): Caches {
    return new Caches(options.folder, options.onDamage);
  }

  /** False if nothing can be filed: what a run computes is not there for the next one. */
  get writable(): boolean {
    return this.#index.mode === 'write';
  }

  /** Gives the space of what was deleted back to the disk. */
  shrink(): void {
    this.#index.shrink();
    this.#rowDatabase.shrink();
    this.#answerDatabase.shrink();
    this.#leaseDatabase.shrink();
    this.#batchDatabase.shrink();
  }

  /** Writes what waits, releases all leases and closes the files. */
  async close(): Promise<void> {
    try {
      this.files.flush();
      this.texts.flush();
      await this.rows.flush();
      await this.answers.flush();
      // Only now are the answers where they belong.
      this.batches.flush();
      this.leases.close();
    } finally {
      this.#index.close();
      this.#rowDatabase.close();
      this.#answerDatabase.close();
      this.#leaseDatabase.close();
      this.#batchDatabase.close();
    }
  }
}
