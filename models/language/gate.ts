import { onAbort } from './aborted.ts';
import { Line } from './line.ts';
import type { RateLimits } from './provider.ts';
import { ServerLimit } from './server-limit.ts';
import type { Limits } from './settings.ts';

/** What a try came to, as far as the gate is concerned. */
export type Outcome = 'answered' | 'overloaded' | 'failed';

/** Requests at once to begin with, where the server's capacity is not known, and at most. */
const start = 8;
const most = 128;
/** Above this share of refusals among the last tries, the server has too much to do. Below it, it had a bad moment. */
const overload = 0.15;
const decrease = 0.7;
/** A minute, and a bit for clocks that differ. */
const windowMs = 60_050;

/** Tells what a try came to, and what the answer's headers said. */
export type Learn = (outcome: Outcome, limits: RateLimits | null) => void;

/** A request at the door. */
export interface Entry {
  /** How many it will take. */
  readonly tokens: number;
  /** Those with a higher number go first; 0 if not given. */
  readonly priority?: number;
  /** It was tried before: it goes before those that were not, so that the last ones are not left with all their tries. */
  readonly again?: boolean;
}

interface Waiting extends Entry {
  /** Leaves the line, and goes on. */
  enter(): void;
}

/** Requests that go before some others as they go before the rest. */
interface Rank {
  readonly priority: number;
  readonly again: boolean;
  readonly line: Line<Waiting>;
}

/** A request under way: the server has counted it when it has counted one that was sent later. */
interface Place {
  readonly number: number;
  readonly tokens: number;
}

/**
 * Lets requests to one model through: so many at once, and so many requests and tokens in a minute, by the settings and
 * by what the server says is left. Where nobody says
 * how many at once, it finds out: one more after each round of answers, to 0.7 of them when the server refuses more than
 * 15 % of the last two rounds (additive increase, multiplicative decrease); until the first refusal it doubles.
 */
export class Gate {
  readonly #limits: Limits;
  readonly #most: number;
  readonly #now: () => number;
  #allowed: number;
  #running = 0;
  readonly #places = new Set<Place>();
  #entered = 0;
  /** Tries of this round, and how many of them were refused; and of the one before it, under the same or a lower number. */
  #tries = 0;
  #refused = 0;
  #before = { tries: 0, refused: 0 };
  #everRefused = false;
  /** How often the number was looked at. */
  #round = 0;
  /** In the order in which they are let in. */
  readonly #ranks: Rank[] = [];
  #runningTokens = 0;
  /** What came back in the last minute: the server got it before that, whenever it was sent. */
  #log: { at: number; tokens: number }[] = [];
  readonly #serverRequests = new ServerLimit();
  readonly #serverTokens = new ServerLimit();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#most = limits.concurrency ?? most;
    this.#allowed = limits.concurrency ?? start;
    this.#now = now;
  }

  /** Requests that may be under way at once, now. */
  get allowed(): number {
    return Math.floor(this.#allowed);
  }

  /** Waits for a place, and does the work, which tells what it came to. */
  async through<T>(entry: Entry, signal: AbortSignal, work: (learn: Learn) => Promise<T>): Promise<T> {
    const { tokens } = entry;
    await this.#enter(entry, signal);
    const place: Place = { number: ++this.#entered, tokens };
    this.#places.add(place);
    const round = this.#round;
    try {
      return await work((outcome, limits) => {
        if (limits !== null) this.#heed(limits, place);
        this.#learn(outcome, round);
      });
    } finally {
      this.#places.delete(place);
      this.#running--;
      this.#runningTokens -= tokens;
      if (this.#counts) this.#log.push({ at: this.#now(), tokens });
      this.#letIn();
    }
  }

  /** What the server says is left does not count what was sent after the request that it answers. */
  #heed({ requests, tokens }: RateLimits, { number }: Place): void {
    const later = [...this.#places].filter((place) => place.number > number);
    const laterTokens = later.reduce((sum, place) => sum + place.tokens, 0);
    if (requests) this.#serverRequests.heed(requests, later.length, this.#now());
    if (tokens) this.#serverTokens.heed(tokens, laterTokens, this.#now());
  }

  #learn(outcome: Outcome, round: number): void {
    // What began under another number tells nothing about this one.
    if (round !== this.#round) return;
    this.#tries++;
    if (outcome === 'overloaded') this.#refused++;
    if (this.#tries < Math.max(10, this.#allowed)) return;
    const { tries, refused } = this.#before;
    // One round by itself has too few tries to tell an overload from chance.
    const decreases = (this.#refused + refused) / (this.#tries + tries) > overload;
    this.#before = decreases ? { tries: 0, refused: 0 } : { tries: this.#tries, refused: this.#refused };
    if (decreases) {
      this.#allowed = Math.max(1, Math.floor(this.#allowed * decrease));
      this.#everRefused = true;
    } else if (this.#refused === 0 && !this.#everRefused) {
      this.#allowed = Math.min(this.#most, this.#allowed * 2);
    } else this.#allowed = Math.min(this.#most, this.#allowed + 1);
    this.#tries = 0;
    this.#refused = 0;
    this.#round++;
  }

  #enter(entry: Entry, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = this.#lineOf(entry).push({
        ...entry,
        enter: () => {
          leave();
          stay();
          resolve();
        },
      });
      const stay = onAbort(signal, () => {
        leave();
        if (this.#next === undefined) this.#stopTimer();
        reject(signal.reason);
      });
      this.#letIn();
    });
  }

  #lineOf({ priority = 0, again = false }: Entry): Line<Waiting> {
    const known = this.#ranks.find((rank) => rank.priority === priority && rank.again === again);
    if (known !== undefined) return known.line;
    const line = new Line<Waiting>();
    this.#ranks.push({ priority, again, line });
    this.#ranks.sort((a, b) => b.priority - a.priority || Number(b.again) - Number(a.again));
    return line;
  }

  get #next(): Waiting | undefined {
    return this.#ranks.find(({ line }) => line.first !== undefined)?.line.first;
  }

  #letIn(): void {
    let next = this.#next;
    for (; next !== undefined && this.#running < this.allowed; next = this.#next) {
      const wait = this.#waitMs(next.tokens);
      // Until one of those under way comes back, nobody knows.
      if (wait === Infinity) return;
      if (wait > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#letIn();
        }, wait);
        return;
      }
      this.#running++;
      this.#runningTokens += next.tokens;
      this.#serverRequests.spend(1);
      this.#serverTokens.spend(next.tokens);
      next.enter();
    }
    if (next === undefined) this.#stopTimer();
  }

  /** A timer that nobody waits for would keep the process alive. */
  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #counts(): boolean {
    const { requests_per_minute, tokens_per_minute } = this.#limits;
    return requests_per_minute !== undefined || tokens_per_minute !== undefined;
  }

  /** How long until the limits let one more request of so many tokens through. */
  #waitMs(tokens: number): number {
    const now = this.#now();
    const closed = Math.max(this.#serverRequests.waitMs(1, now), this.#serverTokens.waitMs(tokens, now));
    if (!this.#counts) return closed;
    const { requests_per_minute: requests = Infinity, tokens_per_minute: most = Infinity } = this.#limits;
    let passed = 0;
    while (passed < this.#log.length && this.#log[passed]!.at <= now - windowMs) passed++;
    if (passed > 0) this.#log.splice(0, passed);
    let sum = this.#log.reduce((total, entry) => total + entry.tokens, this.#runningTokens);
    let wait = 0;
    let open = this.#log.length;
    const fits = () => this.#running + open < requests && sum + tokens <= most;
    for (const entry of this.#log) {
      if (fits()) break;
      sum -= entry.tokens;
      open--;
      wait = entry.at + windowMs - now;
    }
    // One that is bigger than the limit goes alone.
    if (!fits() && this.#running > 0) return Infinity;
    return Math.max(closed, wait);
  }
}
