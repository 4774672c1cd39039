import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AskOptions } from '../../engine/language-model.ts';
import { type BatchLog, type BatchProvider, batchesOf } from './batch.ts';
import type { Budget, Reservation } from './budget.ts';
import type { Failed } from './failures.ts';
import { FollowedBatch, type Waiting } from './followed-batch.ts';
import { type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';
import type { BatchSettings, Limits } from './settings.ts';

/** What a call is expected to take. */
interface Expected {
  usd: number | null;
  tokens: number;
}

/** A request that waits to be part of a batch. */
export interface Gathered extends Waiting {
  readonly request: ProviderRequest;
  readonly expected: Expected;
  /** How often it was submitted, or tried to be. */
  tries: number;
  refuse(failed: Failed): void;
}

/** What a request of a batch came to, with its room in the budget. */
export type BatchedAnswer =
  | { said: ProviderAnswer; room: Reservation | null }
  | { error: ProviderError; room: Reservation | null }
  | Failed;

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
  readonly #followed = new Map<number, FollowedBatch>();
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

  /** Rejects with a ProviderError, or with the reason of the aborted signal; the batch goes on then. */
  ask(
    key: string,
    source: string,
    request: ProviderRequest,
    expected: Expected,
    { signal, notify, onBatch }: AskOptions,
  ): Promise<BatchedAnswer> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        const same = this.#bySignal.get(signal);
        same?.delete(gathered);
        if (same?.size === 0) this.#bySignal.delete(signal);
      };
      const gathered: Gathered = {
        key,
        source,
        request,
        expected,
        room: null,
        tries: 0,
        notify,
        onBatch,
        answer: (said) => {
          leave();
          resolve({ said, room: gathered.room });
        },
        fail: (error) => {
          leave();
          if (error instanceof ProviderError) resolve({ error, room: gathered.room });
          else {
            gathered.room?.end();
            reject(error);
          }
        },
        refuse: (failed) => {
          leave();
          resolve(failed);
        },
      };
      this.#listenTo(signal).add(gathered);
      this.#gather([gathered]);
    });
  }

  /** One listener for all: each for itself would be slow where there are many. */
  #listenTo(signal: AbortSignal): Set<Gathered> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const all = new Set<Gathered>();
    this.#bySignal.set(signal, all);
    signal.addEventListener(
      'abort',
      () => {
        const left = [...all];
        const keys = new Set(left);
        this.#gathered = this.#gathered.filter((one) => !keys.has(one));
        for (const followed of this.#followed.values()) followed.leave(keys);
        for (const one of left) one.fail(signal.reason);
        if (this.#gathered.length === 0) clearTimeout(this.#timer);
      },
      { once: true },
    );
    return all;
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
    this.#submit(all).catch((error: unknown) => {
      for (const one of all) one.fail(error);
    });
  }

  /** Finds the batches that requests are part of already, and submits the others. */
  async #submit(requests: readonly Gathered[]): Promise<void> {
    const fresh = this.#takeUp(requests);
    if (fresh.length === 0) return;
    const refused = this.#reserve(fresh);
    if (refused !== null) {
      for (const one of fresh) one.refuse(refused);
      return;
    }
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
    const batches = new Map<number, Gathered[]>();
    const fresh = requests.filter((one, index) => {
      const noted = found[index];
      if (noted === undefined) return true;
      one.room ??= this.#budget?.admit(one.expected) ?? null;
      if ('answer' in noted) one.answer(JSON.parse(noted.answer) as ProviderAnswer);
      else if (batches.get(noted.batch)?.push(one) === undefined) batches.set(noted.batch, [one]);
      return false;
    });
    for (const [number, waiting] of batches) this.#follow(number, waiting, false);
    return fresh;
  }

  /** Room in the budget for all of them; a failure if there is not enough. */
  #reserve(requests: readonly Gathered[]): Failed | null {
    const without = requests.filter(({ room }) => room === null);
    if (this.#budget === null || without.length === 0) return null;
    const rooms = this.#budget.reserveAll(
      without.map(({ expected }) => expected),
      this.#shown,
    );
    if ('failure' in rooms) return rooms;
    without.forEach((one, index) => {
      one.room = rooms[index] ?? null;
    });
    return null;
  }

  async #submitOne(part: readonly { one: Gathered; line: string }[]): Promise<void> {
    const token = randomUUID();
    const keys = part.map(({ one }) => one.key);
    const [first] = part;
    const noted = first && this.#log.begin(first.one.source, token, keys);
    if (!noted) {
      const error = new ProviderError('setup', 'the batch cannot be noted on disk, so it is not submitted', {
        hint: 'is the cache folder writable? without `batch:` nothing has to be noted',
      });
      for (const { one } of part) one.fail(error);
      return;
    }
    const { number } = noted;
    const own = new Set(noted.keys);
    const mine = part.filter(({ one }) => own.has(one.key));
    // Another process has noted the rest meanwhile.
    if (mine.length < part.length) this.#gather(part.flatMap(({ one }) => (own.has(one.key) ? [] : [one])));
    if (mine.length === 0) return;
    for (const { one } of mine) one.tries++;
    const waiting = mine.map(({ one }) => one);
    const followed = this.#follow(number, waiting, true);
    let id: string;
    try {
      const lines = mine.map(({ line }) => line);
      id = await this.#provider.submit(lines, token, followed.signal);
    } catch (error) {
      this.#notSubmitted(number, followed, error);
      return;
    }
    try {
      this.#log.submitted(number, id);
    } catch (error) {
      // The next run finds it by its token.
      this.#log.abandon(number);
      followed.end(error);
      return;
    }
    followed.begin(id);
  }

  #notSubmitted(number: number, followed: FollowedBatch, error: unknown): void {
    const known = error instanceof ProviderError ? error : null;
    if (known?.fault === 'overloaded') {
      // It was refused, and may be taken later.
      this.#log.drop(number);
      followed.lose(known);
    } else if (known?.mayPass) {
      // It may have arrived all the same: that is found out before it is submitted again.
      this.#log.abandon(number);
      followed.begin(null, known);
    } else {
      if (known === null) this.#log.abandon(number);
      else this.#log.drop(number);
      // Where nobody waits any more, there is nobody to tell.
      if (!followed.signal.aborted) followed.end(error);
    }
  }

  #follow(number: number, waiting: readonly Gathered[], own: boolean): FollowedBatch {
    let followed = this.#followed.get(number);
    if (followed === undefined) {
      followed = new FollowedBatch(number, {
        provider: this.#provider,
        log: this.#log,
        pollMs: this.#settings.pollMs,
        shown: this.#shown,
        onEnd: () => this.#followed.delete(number),
        onLost: (lost, error) => void this.#again(lost as readonly Gathered[], error),
      });
      this.#followed.set(number, followed);
      followed.join(waiting);
      if (!own) followed.begin(null);
    } else followed.join(waiting);
    return followed;
  }

  /** Requests of a batch that never was are asked again, so often as a request is. */
  async #again(lost: readonly Gathered[], error: ProviderError | null): Promise<void> {
    const given = lost.filter(({ tries }) => tries > this.#limits.retries);
    for (const one of given) one.fail(error ?? new ProviderError('unavailable', 'the batch was not taken'));
    const rest = lost.filter(({ tries }) => tries <= this.#limits.retries);
    if (rest.length === 0) return;
    if (error !== null) await delay(Math.min(error.retryAfterMs ?? this.#settings.pollMs, 60_000));
    // Those that were called off meanwhile are not among them any more.
    this.#gather(rest.filter((one) => [...this.#bySignal.values()].some((all) => all.has(one))));
  }
}
