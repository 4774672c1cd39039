import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { StepError } from '../problems.ts';
import type { Database, Prepare } from './database.ts';
import { isProcessAlive } from './session.ts';

export interface LeaseHolder {
  pid: number;
  host: string;
}

/** The right to compute something, which one process has at a time. */
export interface Lease {
  readonly key: string;
  /** False if another process took it, because this one was stopped for long. */
  readonly held: boolean;
  release(): void;
}

interface Row {
  holder: string;
  pid: number;
  host: string;
  expires_ms: number;
}

export const leaseTables = `CREATE TABLE leases (key TEXT PRIMARY KEY NOT NULL, holder TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL, expires_ms INTEGER NOT NULL);`;

const beatMs = 2_000;
const expiryMs = 8_000;
/** A process of this machine that lives but is silent (busy in one long call, or stopped) keeps its leases so long. */
const graceMs = 30_000;
const pollMs = 100;

/** Who computes what now, among the processes that use a store. Without a database that can be written, all go ahead. */
export class Leases {
  readonly #database: Database;
  readonly #host = hostname();
  readonly #held = new Map<string, { holder: string; lost: boolean }>();
  readonly #waiting = new Set<() => void>();
  #beat: NodeJS.Timeout | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Waits until nobody else has the key. A second `acquire` in the same process waits like that of another process.
   * `onWait` is called once, with who has it; `signal` ends the waiting with its reason.
   */
  async acquire(
    key: string,
    options: { signal?: AbortSignal | undefined; onWait?: ((holder: LeaseHolder) => void) | undefined } = {},
  ): Promise<Lease> {
    const { signal, onWait } = options;
    const holder = randomUUID();
    for (let waited = false; ; waited = true) {
      signal?.throwIfAborted();
      const other = this.#try(key, holder);
      if (!other) break;
      if (!waited) onWait?.({ pid: other.pid, host: other.host });
      await this.#pause(signal);
    }
    const state = { holder, lost: false };
    this.#held.set(holder, state);
    this.#beat ??= setInterval(() => this.#renew(), beatMs).unref();
    return {
      key,
      get held() {
        return !state.lost;
      },
      release: () => {
        if (!this.#held.delete(holder)) return;
        if (this.#held.size === 0) this.#stop();
        this.#write((prepare) => prepare('DELETE FROM leases WHERE key = ? AND holder = ?').run(key, holder));
        for (const wake of [...this.#waiting]) wake();
      },
    };
  }

  /** Until the next look: soon, or when this process releases a lease. */
  #pause(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, pollMs);
      signal?.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }

  /**
   * Leases only save work, so a full disk or a failing database stops nobody: without a row in the table, two processes
   * may do the same at a time.
   */
  #write<T>(work: (prepare: Prepare) => T): T | undefined {
    try {
      return this.#database.write(work);
    } catch (error) {
      if (error instanceof StepError || (error as NodeJS.ErrnoException).code === 'ERR_SQLITE_ERROR')
        return undefined;
      throw error;
    }
  }

  /** Takes the key, or gives the row of who has it. */
  #try(key: string, holder: string): Row | undefined {
    const now = Date.now();
    const take = (prepare: Prepare): Row | undefined => {
      const row = prepare('SELECT holder, pid, host, expires_ms FROM leases WHERE key = ?').get(key) as
        | Row
        | undefined;
      if (row && !this.#isOver(row, now)) return row;
      prepare(
        'INSERT OR REPLACE INTO leases (key, holder, pid, host, expires_ms) VALUES (?, ?, ?, ?, ?)',
      ).run(key, holder, process.pid, this.#host, now + expiryMs);
      return undefined;
    };
    return this.#write(take);
  }

  #isOver(row: Row, now: number): boolean {
    if (row.host !== this.#host) return row.expires_ms <= now;
    // Our own row that we do not know is that of an earlier process with our id.
    if (row.pid === process.pid) return !this.#held.has(row.holder) && row.expires_ms <= now;
    return !isProcessAlive(row.pid) || row.expires_ms + graceMs <= now;
  }

  #renew(): void {
    const expires = Date.now() + expiryMs;
    this.#write((prepare) => {
      const update = prepare('UPDATE leases SET expires_ms = ? WHERE holder = ?');
      for (const state of this.#held.values())
        if (update.run(expires, state.holder).changes === 0) state.lost = true;
    });
  }

  #stop(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  /** Releases all. */
  close(): void {
    this.#stop();
    const holders = [...this.#held.keys()];
    this.#held.clear();
    if (holders.length > 0)
      this.#write((prepare) => {
        for (const holder of holders) prepare('DELETE FROM leases WHERE holder = ?').run(holder);
      });
  }
}
