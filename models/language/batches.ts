import { randomUUID } from 'node:crypto';
import type { AskOptions, AskResult } from '../../engine/language-model.ts';
import { type BatchLog, type BatchProvider, batchesOf } from './batch.ts';
import type { Budget } from './budget.ts';
import { FollowedBatch } from './followed-batch.ts';
import type { BatchedAnswer, Expected, Gathered } from './gathered.ts';
import { type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';
import type { BatchSettings, Limits } from './settings.ts';

/** A request as it is sent. */
interface Line {
  readonly one: Gathered;
  readonly line: string;
}

/** Requests are gathered until none has come for so long. */
const quietMs = 1000;

/**
 * Gathers the requests to one model, gives them to the provider as batches, and waits for what comes of them. A batch is
 * noted on disk before it is submitted: a request that is part of one already, of an earlier run or of another process,
 * waits for that one.
 */
export class Batches {
  readonly #provider: BatchProvider;
  readonly #log: BatchLog;
  readonly #budget: Budget | null;
  readonly #settings: BatchSettings;
  readonly #limits: Limits;
  /** `openai/gpt-5-mini` */
  readonly #shown: string;
  #gathered: Gathered[] = [];
  /** How often requests came. */
  #arrivals = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #followed = new Map<string, FollowedBatch>();
  /** Requests by the signal that ends their waiting. */
  readonly #bySignal = new Map<AbortSignal, Set<Gathered>>();

  constructor(options: {
    provider: BatchProvider;
    log: BatchLog;
    budget: Budget | null;
    settings: BatchSettings;
    limits: Limits;
    shown: string;
  }) {
    this.#provider = options.provider;
    this.#log = options.log;
    this.#budget = options.budget;
    this.#settings = options.settings;
    this.#limits = options.limits;
    this.#shown = options.shown;
  }

  /**
   * Rejects with the reason of the aborted signal; the batch goes on then.
   *
   * @param known what answer there is by now, if any: asked right before the request would be submitted
   */
  ask(
    key: string,
    request: ProviderRequest,
    expected: Expected,
    known: () => Promise<AskResult | null>,
    { signal, notify, onBatch }: AskOptions,
  ): Promise<BatchedAnswer> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const waiting = this.#listenTo(signal);
      const end = (settle: () => void) => {
        if (!waiting.delete(gathered)) return;
        if (waiting.size === 0) this.#bySignal.delete(signal);
        settle();
      };
      const gathered: Gathered = {
        key,
        request,
        expected,
        signal,
        known,
        room: null,
        tries: 0,
        lost: null,
        notify,
        onBatch,
        answer: (said) => end(() => resolve({ said, room: gathered.room })),
        tell: (answered) => end(() => resolve({ known: answered, room: gathered.room })),
        fail: (error) =>
          end(() => {
            if (error instanceof ProviderError) return resolve({ error, room: gathered.room });
            gathered.room?.end();
            reject(error);
          }),
        refuse: (failed) => end(() => resolve(failed)),
      };
      waiting.add(gathered);
      this.#gather([gathered]);
    });
  }

  /** One listener for all: each for itself would be slow where there are many. */
  #listenTo(signal: AbortSignal): Set<Gathered> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const all = new Set<Gathered>();
    this.#bySignal.set(signal, all);
    signal.addEventListener('abort', () => this.#callOff([...all], signal.reason), { once: true });
    return all;
  }

  /** These wait no more; batches go on without them. */
  #callOff(requests: readonly Gathered[], reason: unknown): void {
    const gone = new Set(requests);
    this.#gathered = this.#gathered.filter((one) => !gone.has(one));
    for (const followed of this.#followed.values()) followed.leave(gone);
    for (const one of requests) one.fail(reason);
    if (this.#gathered.length === 0) clearTimeout(this.#timer);
  }

  #gather(requests: readonly Gathered[]): void {
    this.#gathered.push(...requests);
    clearTimeout(this.#timer);
    const arrivals = ++this.#arrivals;
    this.#timer = setTimeout(
      // What kept the process busy may have kept requests from coming.
      () => setImmediate(() => setImmediate(() => this.#arrivals === arrivals && this.#send())),
      Math.min(quietMs, this.#settings.pollMs),
    );
  }

  #send(): void {
    const all = this.#gathered;
    if (all.length === 0) return;
    this.#gathered = [];
    this.#submit(all).catch((error: unknown) => this.#callOff(all, error));
  }

  /** Finds the batches that requests are part of already, and submits the others. */
  async #submit(requests: readonly Gathered[]): Promise<void> {
    const fresh = this.#reserve(this.#takeUp(requests));
    const { most } = this.#provider;
    const { maxRequests = most.requests } = this.#settings;
    const lines = fresh.map((one) => {
      const line = this.#provider.line(one.key, one.request);
      // One more for the end of the line.
      return { one, line, bytes: Buffer.byteLength(line) + 1 };
    });
    const parts = batchesOf(lines, { ...most, requests: Math.min(most.requests, maxRequests) });
    for (const part of parts) await this.#submitOne(part);
  }

  /** Those that no batch has. The others are answered, or wait for their batches. */
  #takeUp(requests: readonly Gathered[]): Gathered[] {
    const found = this.#log.find(requests.map(({ key }) => key));
    const batches = new Map<string, Gathered[]>();
    const fresh = requests.filter((one, index) => {
      const noted = found[index];
      if (noted === undefined) return true;
      one.room ??= this.#budget?.admit(one.expected) ?? null;
      if ('answer' in noted) one.answer(JSON.parse(noted.answer) as ProviderAnswer);
      else if (batches.get(noted.batch)?.push(one) === undefined) batches.set(noted.batch, [one]);
      return false;
    });
    for (const [token, waiting] of batches) this.#follow(token, waiting, false);
    return fresh;
  }

  /** Those with room in the budget. If there is not enough for all that have none, all of these are refused. */
  #reserve(requests: readonly Gathered[]): readonly Gathered[] {
    const without = requests.filter(({ room }) => room === null);
    if (this.#budget === null || without.length === 0) return requests;
    const rooms = this.#budget.reserveAll(
      without.map(({ expected }) => expected),
      this.#shown,
    );
    if ('failure' in rooms) {
      for (const one of without) one.refuse(rooms);
      return requests.filter(({ room }) => room !== null);
    }
    without.forEach((one, index) => {
      one.room = rooms[index] ?? null;
    });
    return requests;
  }

  async #submitOne(part: readonly Line[]): Promise<void> {
    const wanted = part.filter(({ one }) => !one.signal.aborted);
    if (wanted.length === 0) return;
    const token = randomUUID();
    const keys = this.#log.begin(
      this.#shown,
      token,
      wanted.map(({ one }) => one.key),
    );
    if (keys === null) {
      const error = new ProviderError('setup', 'the batch cannot be noted on disk, so it is not submitted', {
        hint: 'is the cache folder writable? without `batch:` nothing has to be noted',
      });
      for (const { one } of wanted) one.fail(error);
      return;
    }
    const own = new Set(keys);
    // Another process has noted the rest meanwhile.
    const others = wanted.flatMap(({ one }) => (own.has(one.key) ? [] : [one]));
    if (others.length > 0) this.#gather(others);
    const mine = await this.#unanswered(
      token,
      wanted.filter(({ one }) => own.has(one.key)),
    );
    if (mine.length === 0) return;
    for (const { one } of mine) one.tries++;
    const waiting = mine.map(({ one }) => one);
    const followed = this.#follow(token, waiting, true);
    let id: string;
    try {
      const lines = mine.map(({ line }) => line);
      id = await this.#provider.submit(lines, token, followed.signal);
    } catch (error) {
      this.#notSubmitted(token, followed, error);
      return;
    }
    try {
      this.#log.submitted(token, id);
    } catch (error) {
      // The next run finds it by its token.
      this.#log.abandon(token);
      followed.end(error);
      return;
    }
    followed.begin(id);
  }

  /**
   * Those of a noted batch that have no answer by now. What another process was asked is in no batch once it is filed; so
   * only after they were noted is it sure that nobody else asks. Left out are those that were called off as well, and those
   * that were not taken so often as a request is tried.
   */
  async #unanswered(token: string, noted: readonly Line[]): Promise<readonly Line[]> {
    try {
      const known = await Promise.all(noted.map(({ one }) => one.known()));
      const wanted = noted.filter(({ one }, index) => {
        const answered = known[index] ?? null;
        if (answered !== null) one.tell(answered);
        else if (one.tries > this.#limits.retries)
          one.fail(one.lost ?? new ProviderError('unavailable', 'the batch was not taken'));
        else return !one.signal.aborted;
        return false;
      });
      if (wanted.length < noted.length) {
        const kept = new Set(wanted);
        const left = noted.filter((line) => !kept.has(line)).map(({ one }) => one.key);
        this.#log.leaveOut(token, left);
      }
      if (wanted.length === 0) this.#log.abandon(token);
      return wanted;
    } catch (error) {
      this.#log.drop(token, null);
      throw error;
    }
  }

  #notSubmitted(token: string, followed: FollowedBatch, error: unknown): void {
    const known = error instanceof ProviderError ? error : null;
    if (known?.fault === 'overloaded') {
      // It was refused, and may be taken later.
      this.#log.drop(token, null);
      followed.putOff(known);
    } else if (known?.mayPass) {
      // It may have arrived all the same: that is found out before it is submitted again.
      this.#log.abandon(token);
      followed.begin(null, known);
    } else {
      if (known === null) this.#log.abandon(token);
      else this.#log.drop(token, null);
      // Where nobody waits any more, there is nobody to tell.
      if (!followed.signal.aborted) followed.end(error);
    }
  }

  #follow(token: string, waiting: readonly Gathered[], own: boolean): FollowedBatch {
    let followed = this.#followed.get(token);
    if (followed === undefined) {
      followed = new FollowedBatch(token, {
        provider: this.#provider,
        log: this.#log,
        pollMs: this.#settings.pollMs,
        shown: this.#shown,
        onEnd: () => this.#followed.delete(token),
        onLost: (lost, error) => this.#again(lost as readonly Gathered[], error),
      });
      this.#followed.set(token, followed);
      followed.join(waiting);
      if (!own) followed.begin(null);
    } else followed.join(waiting);
    return followed;
  }

  /** Requests of a batch that never was, or that is over, are asked again. */
  #again(lost: readonly Gathered[], error: ProviderError | null): void {
    for (const one of lost) one.lost = error ?? one.lost;
    this.#gather(lost);
  }
}
