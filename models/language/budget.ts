import { onAbort } from './aborted.ts';
import { type Failed, failed } from './failures.ts';
import { Line } from './line.ts';

/** What calls take: US dollars, requests to a provider (each try is one), tokens of requests and answers. */
export interface Amount {
  readonly usd: number;
  readonly calls: number;
  readonly tokens: number;
}

/** What a run may spend, altogether; what is not named is not limited. */
export type BudgetLimits = Partial<Amount>;

const kinds = ['usd', 'calls', 'tokens'] as const;
const nothing: Amount = { usd: 0, calls: 0, tokens: 0 };
const anything: Amount = { usd: Infinity, calls: Infinity, tokens: Infinity };

interface Waiting {
  readonly amount: Amount;
  /** Leaves the line: with room, or with why there is none. */
  enter(refused: Failed | null): void;
}

/** What a run may spend: a call that would pass a limit is not made. */
export class Budget {
  readonly #limits: BudgetLimits;
  #spent = nothing;
  /** What calls under way are expected to take, and how many there are. */
  #reserved = nothing;
  #underway = 0;
  /** Calls for which there is no room until others have ended. */
  readonly #line = new Line<Waiting>();
  /** Of each kind, none of them takes less. */
  #least: Amount = anything;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /**
   * Makes room for a call; a failure if there is none. Calls under way are waited for: most take less than expected.
   * Rejects when `signal` is aborted.
   *
   * @param expected what one try takes; `usd` is null where no price is known
   */
  async reserve(
    expected: { usd: number | null; tokens: number },
    model: string,
    signal: AbortSignal,
  ): Promise<Reservation | Failed> {
    if (expected.usd === null && this.#limits.usd !== undefined) return withoutPrice(model);
    const amount = amountOf(expected);
    const refused = await this.#enter(amount, signal);
    if (refused !== null) return refused;
    return new Reservation({
      renew: (spent) => {
        this.#settle(amount, spent);
        const entered = this.#enter(amount, signal);
        this.#letIn();
        return entered;
      },
      leave: (spent) => this.#leave(amount, spent),
      counts: (spent) => kinds.some((kind) => spent[kind] > 0 && this.#limits[kind] !== undefined),
    });
  }

  /**
   * Makes room for calls that go together, in their order; without waiting for others. A failure if there is not room for
   * all of them, with how many there is room for.
   */
  reserveAll(
    expected: readonly { usd: number | null; tokens: number }[],
    model: string,
  ): Reservation[] | Failed {
    if (this.#limits.usd !== undefined && expected.some(({ usd }) => usd === null))
      return withoutPrice(model);
    let all = sum(this.#spent, this.#reserved);
    let fit = 0;
    let passed: keyof Amount | null = null;
    for (const one of expected) {
      all = sum(all, amountOf(one));
      passed ??= this.#passed(all);
      if (passed === null) fit++;
    }
    if (passed === null) return expected.map((one) => this.admit(one));
    const { usd, calls, tokens } = sum(sum(all, this.#spent, -1), this.#reserved, -1);
    const whole = { usd: `$${usd.toFixed(4)}`, calls: `${calls} calls`, tokens: `${tokens} tokens` };
    return failed({
      scope: 'step',
      code: 'budget-reached',
      message: `a batch of ${expected.length} requests to ${model} would take up to ${whole[passed]}, and pass the budget of ${shownLimit(passed, this.#limits[passed] ?? 0)}: ${this.#shownSpent(passed)} are spent; ${fit} of them would fit`,
      hint: 'nothing of it was submitted: run again with a higher --budget, with max_tokens, or with fewer rows',
      retryable: false,
    });
  }

  /** Room for a call that was made already, whatever the limits say. */
  admit(expected: { usd: number | null; tokens: number }): Reservation {
    const amount = amountOf(expected);
    this.#hold(amount);
    return new Reservation({
      renew: async (spent) => {
        this.#settle(amount, spent);
        this.#hold(amount);
        this.#letIn();
        return null;
      },
      leave: (spent) => this.#leave(amount, spent),
      counts: () => false,
    });
  }

  #hold(amount: Amount): void {
    this.#reserved = sum(this.#reserved, amount);
    this.#underway++;
  }

  async #enter(amount: Amount, signal: AbortSignal): Promise<Failed | null> {
    const refused = this.#tryEnter(amount);
    if (refused !== 'later') return refused;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = this.#line.push({
        amount,
        enter: (outcome) => {
          leave();
          stay();
          resolve(outcome);
        },
      });
      this.#least = least(this.#least, amount);
      const stay = onAbort(signal, () => {
        leave();
        reject(signal.reason);
      });
    });
  }

  /** Null: there was room. `later`: there may be, once one of those under way has ended. */
  #tryEnter(amount: Amount): Failed | null | 'later' {
    const together = this.#passed(sum(this.#spent, sum(this.#reserved, amount)));
    if (together === null) {
      this.#hold(amount);
      return null;
    }
    const alone = this.#passed(sum(this.#spent, amount));
    return this.#underway > 0 && alone === null ? 'later' : this.#refusal(together);
  }

  /** Lets in those that wait and for which there is room now, and refuses those for which there will be none. */
  #letIn(): void {
    let rest = anything;
    for (const { amount, enter } of this.#line) {
      // Where there is no room for the least of them, the others need not be looked at.
      const waits = this.#underway > 0 && this.#passed(sum(this.#spent, this.#least)) === null;
      if (waits && this.#passed(sum(this.#spent, sum(this.#reserved, this.#least))) !== null) return;
      const refused = this.#tryEnter(amount);
      if (refused === 'later') rest = least(rest, amount);
      else enter(refused);
    }
    this.#least = rest;
  }

  /** The first limit that so much is above; null if there is none. */
  #passed(amount: Amount): keyof Amount | null {
    return kinds.find((kind) => amount[kind] > (this.#limits[kind] ?? Infinity)) ?? null;
  }

  #shownSpent(kind: keyof Amount): string {
    return kind === 'usd' ? `$${this.#spent.usd.toFixed(4)}` : `${this.#spent[kind]}`;
  }

  #refusal(kind: keyof Amount): Failed {
    return failed({
      scope: 'step',
      code: 'budget-reached',
      message: `the next call would pass the budget of ${shownLimit(kind, this.#limits[kind] ?? 0)}: ${this.#shownSpent(kind)} are spent`,
      hint: 'what is done stays done: run again with a higher --budget to go on',
      retryable: false,
    });
  }

  #leave(amount: Amount, spent: Amount): void {
    this.#settle(amount, spent);
    this.#letIn();
  }

  #settle(amount: Amount, spent: Amount): void {
    this.#underway--;
    this.#reserved = this.#underway === 0 ? nothing : sum(this.#reserved, amount, -1);
    this.#spent = sum(this.#spent, spent);
  }
}

interface Room {
  /** Room for another try: it is looked for before others get what this one gives back. */
  renew(spent: Amount): Promise<Failed | null>;
  leave(spent: Amount): void;
  /** Whether so much is anything that is limited. */
  counts(spent: Amount): boolean;
}

/** Room in a budget for one call, from before its first try until it has ended. */
export class Reservation {
  readonly #room: Room;
  #held = true;
  #spent = nothing;

  constructor(room: Room) {
    this.#room = room;
  }

  /** A try was made, and took so much. */
  spend(usd: number, tokens: number): void {
    this.#spent = sum(this.#spent, { usd, calls: 1, tokens });
  }

  /** Makes room for another try where those before it took something; a failure if there is none. */
  async renew(): Promise<Failed | null> {
    if (!this.#room.counts(this.#spent)) return null;
    const spent = this.#spent;
    this.#spent = nothing;
    this.#held = false;
    const refused = await this.#room.renew(spent);
    this.#held = refused === null;
    return refused;
  }

  /** The call has ended. */
  end(): void {
    if (this.#held) this.#room.leave(this.#spent);
    this.#held = false;
    this.#spent = nothing;
  }
}

/** The budget has no room for another try: thrown where tries are made. */
export class Refused extends Error {
  readonly failed: Failed;
  constructor(refusal: Failed) {
    super(refusal.failure.message);
    this.failed = refusal;
  }
}

function sum(a: Amount, b: Amount, times = 1): Amount {
  return {
    usd: a.usd + times * b.usd,
    calls: a.calls + times * b.calls,
    tokens: a.tokens + times * b.tokens,
  };
}

function least(a: Amount, b: Amount): Amount {
  return {
    usd: Math.min(a.usd, b.usd),
    calls: Math.min(a.calls, b.calls),
    tokens: Math.min(a.tokens, b.tokens),
  };
}

function shownLimit(kind: keyof Amount, limit: number): string {
  return kind === 'usd' ? `$${limit}` : `${limit} ${kind}`;
}

/** What one request is expected to take. */
function amountOf({ usd, tokens }: { usd: number | null; tokens: number }): Amount {
  return { usd: usd ?? 0, calls: 1, tokens };
}

function withoutPrice(model: string): Failed {
  return failed({
    scope: 'step',
    code: 'budget-without-price',
    message: `no price is known for ${model}, so that a budget in dollars cannot be kept`,
    hint: 'give the model a price in the workflow: price: { input: 0.25, output: 2 }, in dollars for a million tokens (for your own server price: { input: 0, output: 0 }), or fetch those of hosted models (reprise models refresh); calls and tokens can be limited without one',
    retryable: false,
  });
}
