import { setTimeout as delay } from 'node:timers/promises';
import type { AskOptions, BatchState } from '../../engine/language-model.ts';
import { type BatchLog, type BatchProvider, type BatchStatus, unknownBatch } from './batch.ts';
import type { Reservation } from './budget.ts';
import { type ProviderAnswer, ProviderError } from './provider.ts';

/** A request that waits for a batch. */
export interface Waiting {
  readonly key: string;
  room: Reservation | null;
  readonly notify: AskOptions['notify'];
  readonly onBatch: AskOptions['onBatch'];
  answer(said: ProviderAnswer): void;
  fail(error: unknown): void;
}

export interface Following {
  readonly provider: BatchProvider;
  readonly log: BatchLog;
  readonly pollMs: number;
  readonly shown: string;
  onEnd(): void;
  /** The provider has no such batch: these have to be asked again. `error`: why it was not taken, if that is known. */
  onLost(waiting: readonly Waiting[], error: ProviderError | null): void;
}

/** A batch that is not found so often was never submitted. */
const looksForLost = 2;
/** Milliseconds: a server that wants a longer pause is asked sooner. */
const longestPauseMs = 60_000;
/** Milliseconds that deleting files may hold up answers. */
const discardMs = 30_000;

/** Looks at one batch again and again until it has ended, for all that wait for it, and gives each what came of it. */
export class FollowedBatch {
  readonly #token: string;
  readonly #options: Following;
  readonly #waiting = new Set<Waiting>();
  readonly #left = new AbortController();
  /** How often it was looked for in vain. */
  #misses = 0;
  /** Batches that were taken for it. */
  readonly #mistaken = new Set<string>();
  /** What was told last. */
  #told = '';

  constructor(token: string, options: Following) {
    this.#token = token;
    this.#options = options;
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  join(waiting: readonly Waiting[]): void {
    for (const one of waiting) this.#waiting.add(one);
  }

  /** These do not wait any more: the batch goes on without them. */
  leave(gone: ReadonlySet<Waiting>): void {
    for (const one of gone) this.#waiting.delete(one);
    if (this.#waiting.size > 0) return;
    this.#left.abort(new Error('nobody waits for the batch'));
    this.#options.onEnd();
  }

  /** Nothing more comes of it. */
  end(error: unknown): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    this.#options.onEnd();
    for (const one of all) one.fail(error);
  }

  /** The provider did not take it for now: those that wait are asked again, after the pause that it wants. */
  putOff(error: ProviderError): void {
    const { pollMs } = this.#options;
    this.#goOn(async () => {
      await this.#pause(Math.min(error.retryAfterMs ?? pollMs, longestPauseMs));
      this.#lose(error);
    });
  }

  /** There is no such batch, or it is over: those that wait have to be asked again. */
  #lose(error: ProviderError | null): void {
    const lost = [...this.#waiting];
    this.#waiting.clear();
    this.#options.onEnd();
    this.#options.onLost(lost, error);
  }

  /**
   * @param id what the provider calls it; null where that has to be found out
   * @param error why that is not known
   */
  begin(id: string | null, error: ProviderError | null = null): void {
    this.#goOn(() => this.#run(id, error));
  }

  #goOn(work: () => Promise<void>): void {
    work().catch((failure: unknown) => {
      if (!this.signal.aborted) this.end(failure);
    });
  }

  async #run(submitted: string | null, failed: ProviderError | null): Promise<void> {
    const { log } = this.#options;
    let id = submitted;
    const requests = log.batch(this.#token)?.requests ?? this.#waiting.size;
    if (id !== null) this.#tell({ id, requests, done: 0, state: 'submitted' });
    // What was just handed over, or failed to be, is not looked at at once.
    if (id !== null || failed !== null) await this.#pause();
    for (;;) {
      // There is none, or another process that waits for it as well was faster.
      if (!log.isOpen(this.#token)) {
        if (id !== null) this.#tell({ id, requests, done: requests, state: 'ended' });
        return this.#lose(failed);
      }
      id ??= await this.#tried(() => this.#named());
      const known = id;
      const status = known === null ? undefined : await this.#tried(() => this.#looked(known));
      if (known !== null && status) {
        if (status.refused) {
          log.drop(this.#token, known);
          await this.#discard(known);
          return this.end(status.refused);
        }
        const { done, total, ended } = status;
        if (ended) {
          const collected = await this.#tried(() => this.#collect(known, status));
          if (collected === 'all') return;
          if (collected === 'others') {
            this.#tell({ id: known, requests: total, done, state: 'ended' });
            id = null;
            continue;
          }
        }
        this.#tell({ id: known, requests: total, done, state: 'running' });
      }
      if (log.isOpen(this.#token)) await this.#pause();
    }
  }

  async #looked(id: string): Promise<BatchStatus> {
    try {
      return await this.#options.provider.status(id, this.signal);
    } catch (error) {
      throw error instanceof ProviderError ? unknownBatch(id, error) : error;
    }
  }

  #pause(ms = this.#options.pollMs): Promise<void> {
    return delay(ms, undefined, { signal: this.signal });
  }

  /** What passes by itself does not end the waiting: the batch goes on. */
  async #tried<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.signal.throwIfAborted();
      if (!(error instanceof ProviderError) || !error.mayPass) throw error;
      this.#notify(
        `${this.#options.shown}: the batch could not be looked at (${error.message}); it is tried again`,
      );
      return null;
    }
  }

  /** What the provider calls the batch; null if that is not known yet, or there is no such batch. */
  async #named(): Promise<string | null> {
    const { provider, log } = this.#options;
    const noted = log.batch(this.#token);
    if (noted === undefined || noted.submitting) return null;
    if (noted.id !== null) return noted.id;
    const { token, requests, since } = noted;
    const lost = { token, requests, since, others: [...log.ids(), ...this.#mistaken] };
    // A server that cannot list its batches cannot say that it has this one.
    const found = await provider.find(lost, this.signal).catch((error: unknown) => {
      if (error instanceof ProviderError && error.fault === 'unknown-model') return null;
      throw error;
    });
    if (found !== null) {
      log.found(token, found);
      return log.batch(token)?.id ?? null;
    }
    // One that arrived a moment ago may not be listed yet. Dropped, it is not open any more.
    if (++this.#misses >= looksForLost) log.drop(token, null);
    return null;
  }

  /** Fetches what came of the batch, notes it, and tells it; or finds that another one was taken for it. */
  async #collect(id: string, { done, total, unanswered }: BatchStatus): Promise<'all' | 'others' | 'none'> {
    const { provider, log, onEnd } = this.#options;
    const answers = new Map<string, string>();
    const errors = new Map<string, ProviderError>();
    for await (const result of provider.results(id, this.signal)) {
      if ('answer' in result) answers.set(result.key, JSON.stringify(result.answer));
      else errors.set(result.key, result.error);
    }
    // Who has finished it may have let go of what the provider had.
    if (!log.isOpen(this.#token)) return 'none';
    const keys = [...answers.keys(), ...errors.keys()];
    if (provider.guesses && keys.length > 0 && !log.holds(this.#token, keys)) {
      log.mistaken(this.#token, id, keys);
      this.#mistaken.add(id);
      return 'others';
    }
    // From now on it does not have to be fetched again.
    log.finish(this.#token, answers);
    await this.#discard(id);
    this.#tell({ id, requests: total, done, state: 'ended' });
    const all = [...this.#waiting];
    this.#waiting.clear();
    onEnd();
    for (const one of all) {
      const answer = answers.get(one.key);
      if (answer !== undefined) one.answer(JSON.parse(answer) as ProviderAnswer);
      else one.fail(errors.get(one.key) ?? new ProviderError('unanswered', unanswered));
    }
    return 'all';
  }

  /** Removes what the provider still has of a batch that is over. */
  async #discard(id: string): Promise<void> {
    const { provider, shown } = this.#options;
    try {
      await provider.discard(id, AbortSignal.any([this.signal, AbortSignal.timeout(discardMs)]));
    } catch (error) {
      this.signal.throwIfAborted();
      const why = (error as Error).message;
      this.#notify(
        `${shown}: the files of batch ${id} could not be deleted (${why}); they stay at the provider`,
      );
    }
  }

  #notify(message: string): void {
    for (const notify of new Set([...this.#waiting].map((one) => one.notify))) notify(message);
  }

  #tell(state: Omit<BatchState, 'model'>): void {
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    for (const onBatch of new Set([...this.#waiting].map((one) => one.onBatch)))
      onBatch?.({ ...state, model: this.#options.shown });
  }
}
