import { type Failed, failed } from './failures.ts';

/** What a run may spend: a call that would pass the limit is not made. */
export class Budget {
  readonly #usd: number;
  #spent = 0;
  /** What calls under way are expected to cost, and how many there are. */
  #reserved = 0;
  #underway = 0;
  /** Resolves when a call has ended. */
  #ended = Promise.withResolvers<void>();

  constructor(usd: number) {
    this.#usd = usd;
  }

  /**
   * Makes room for a call; a failure if there is none. Calls under way are waited for: most cost less than expected. `usd`
   * is null where no price is known. Rejects when `signal` is aborted.
   */
  async reserve(usd: number | null, model: string, signal: AbortSignal): Promise<Reservation | Failed> {
    if (usd === null)
      return failed({
        scope: 'step',
        code: 'budget-without-price',
        message: `no price is known for ${model}, so that --budget cannot be kept`,
        hint: 'give the model a price in the workflow: price: { input: 0.25, output: 2 }, in dollars for a million tokens, or fetch those of hosted models (reprise models refresh)',
        retryable: false,
      });
    const refused = await this.#enter(usd, signal);
    if (refused !== null) return refused;
    return new Reservation(
      () => this.#enter(usd, signal),
      (cost) => this.#leave(usd, cost),
    );
  }

  async #enter(usd: number, signal: AbortSignal): Promise<Failed | null> {
    while (this.#underway > 0 && this.#spent + this.#reserved + usd > this.#usd) {
      if (this.#spent + usd > this.#usd) break;
      await this.#ended.promise;
      signal.throwIfAborted();
    }
    if (this.#spent + this.#reserved + usd > this.#usd)
      return failed({
        scope: 'step',
        code: 'budget-reached',
        message: `the next call would pass the budget of $${this.#usd}: $${this.#spent.toFixed(4)} are spent`,
        hint: 'what is done stays done: run again with a higher --budget to go on',
        retryable: false,
      });
    this.#reserved += usd;
    this.#underway++;
    return null;
  }

  #leave(usd: number, cost: number): void {
    this.#underway--;
    this.#reserved = this.#underway === 0 ? 0 : this.#reserved - usd;
    this.#spent += cost;
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }
}

/** Room in a budget for one call, from before its first try until it has ended. */
export class Reservation {
  readonly #enter: () => Promise<Failed | null>;
  readonly #leave: (cost: number) => void;
  #held = true;
  #cost = 0;

  constructor(enter: () => Promise<Failed | null>, leave: (cost: number) => void) {
    this.#enter = enter;
    this.#leave = leave;
  }

  /** A try cost so many US dollars. */
  spend(usd: number): void {
    this.#cost += usd;
  }

  /** Makes room for another try where those before it cost something; a failure if there is none. */
  async renew(): Promise<Failed | null> {
    if (this.#cost === 0) return null;
    this.end();
    const refused = await this.#enter();
    this.#held = refused === null;
    return refused;
  }

  /** The call has ended. */
  end(): void {
    if (this.#held) this.#leave(this.#cost);
    this.#held = false;
    this.#cost = 0;
  }
}
