import { type Failed, failed } from './failures.ts';

/** What a run may spend: a call that would pass the limit is not made. */
export class Budget {
  readonly #usd: number;
  #spent = 0;
  /** What calls under way are expected to cost. */
  #reserved = 0;

  constructor(usd: number) {
    this.#usd = usd;
  }

  /** Makes room for a call; a failure if there is none. `usd` is null where no price is known. */
  reserve(usd: number | null, model: string): Failed | null {
    if (usd === null)
      return failed({
        scope: 'step',
        code: 'budget-without-price',
        message: `no price is known for ${model}, so that --budget cannot be kept`,
        hint: 'give the model a price in the workflow: price: { input: 0.25, output: 2 }, in dollars for a million tokens',
        retryable: false,
      });
    if (this.#spent + this.#reserved + usd > this.#usd)
      return failed({
        scope: 'step',
        code: 'budget-reached',
        message: `the next call would pass the budget of $${this.#usd}: $${this.#spent.toFixed(4)} are spent`,
        hint: 'what is done stays done: run again with a higher --budget to go on',
        retryable: false,
      });
    this.#reserved += usd;
    return null;
  }

  /** The call that `reserved` was made for has ended, and cost `usd`. */
  settle(reserved: number, usd: number): void {
    this.#reserved -= reserved;
    this.#spent += usd;
  }
}
