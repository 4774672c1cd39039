import type { Left } from './provider.ts';

/** A server that says less than this does not mean a limit of the minute: waiting for it would be no use. */
const longestMs = 60_050;

/**
 * What a server says is left of its requests or tokens, and what has been spent of it since. It fills up steadily where
 * the server says what there is when it is full, as the token buckets of OpenAI and Anthropic do; else all at once.
 */
export class ServerLimit {
  /** Null: nothing is known, or it is full again. */
  #known: { left: number; at: number; until: number; limit: number | null; perMs: number } | null = null;

  /** @param uncounted spent by requests that the server had not seen when it said so */
  heed({ remaining, resetMs, limit }: Left, uncounted: number, now: number): void {
    this.#known = {
      left: remaining - uncounted,
      at: now,
      until: now + Math.min(resetMs, longestMs),
      limit,
      perMs: limit === null || resetMs <= 0 ? 0 : Math.max(0, limit - remaining) / resetMs,
    };
  }

  spend(amount: number): void {
    if (this.#known !== null) this.#known.left -= amount;
  }

  /** Milliseconds until so much is there. What is more than the limit itself may go when it is full. */
  waitMs(amount: number, now: number): number {
    if (this.#known === null) return 0;
    const { left, at, until, limit, perMs } = this.#known;
    if (now >= until) {
      this.#known = null;
      return 0;
    }
    const needed = Math.min(amount, limit ?? amount);
    const there = left + perMs * (now - at);
    if (there >= needed) return 0;
    return Math.min(until - now, perMs > 0 ? Math.ceil((needed - there) / perMs) : Infinity);
  }
}
