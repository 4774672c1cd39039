import { type Failed, failed } from './failures.ts';

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

/** What a run may spend: a call that would pass a limit is not made. */
export class Budget {
  readonly #limits: BudgetLimits;
  #spent = nothing;
  /** What calls under way are expected to take, and how many there are. */
  #reserved = nothing;
  #underway = 0;
  /** Resolves when a call has ended. */
  #ended = Promise.withResolvers<void>();

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
      enter: () => this.#enter(amount, signal),
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
      enter: async () => this.#hold(amount),
      leave: (spent) => this.#leave(amount, spent),
      counts: () => false,
    });
  }

  #hold(amount: Amount): null {
    this.#reserved = sum(this.#reserved, amount);
    this.#underway++;
    return null;
  }

  async #enter(amount: Amount, signal: AbortSignal): Promise<Failed | null> {
    const alone = () => this.#passed(sum(this.#spent, amount));
    const together = () => this.#passed(sum(this.#spent, sum(this.#reserved, amount)));
    while (this.#underway > 0 && together() !== null && alone() === null) {
      await this.#ended.promise;
      signal.throwIfAborted();
    }
    const passed = together();
    if (passed !== null) return this.#refusal(passed);
    this.#reserved = sum(this.#reserved, amount);
    this.#underway++;
    return null;
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
    this.#underway--;
    this.#reserved = this.#underway === 0 ? nothing : sum(this.#reserved, amount, -1);
    this.#spent = sum(this.#spent, spent);
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }
}

interface Room {
  enter(): Promise<Failed | null>;
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
    this.end();
    const refused = await this.#room.enter();
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

function sum(a: Amount, b: Amount, times = 1): Amount {
  return {
    usd: a.usd + times * b.usd,
    calls: a.calls + times * b.calls,
    tokens: a.tokens + times * b.tokens,
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
    hint: 'give the model a price in the workflow: price: { input: 0.25, output: 2 }, in dollars for a million tokens, or fetch those of hosted models (reprise models refresh); calls and tokens can be limited without one',
    retryable: false,
  });
}
