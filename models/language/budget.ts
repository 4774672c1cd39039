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
  async reserve(usd: number | null, model: string, signal: AbortSignal): Promise<Failed | null> {
    if (usd === null)
      return failed({
        scope: 'step',
        code: 'budget-without-price',
        message: `no price is known for ${model}, so that --budget cannot be kept`,
        hint: 'give the model a price in the workflow: price: { input: 0.25, output: 2 }, in dollars for a million tokens, or fetch those of hosted models (reprise models refresh)',
        retryable: false,
      });
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

  /** The call that `reserved` was made for has ended, and cost `usd`. */
  settle(reserved: number, usd: number): void {
    this.#underway--;
    this.#reserved = this.#underway === 0 ? 0 : this.#reserved - reserved;
    this.#spent += usd;
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }
}
