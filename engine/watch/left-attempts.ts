import type { Digest } from '../digest.ts';
import type { Resources } from '../execute/gates.ts';
import type { LeftStep } from '../execute/wind-down.ts';
import type { AttemptNews, RunningAttempt } from './attempt.ts';

/** Steps of cancelled attempts that are not stale, and are finished beside the attempts that follow. */
export class LeftAttempts {
  readonly #attempts = new Map<RunningAttempt, readonly LeftStep[]>();
  readonly #graceMs: number;
  readonly #onHeld: (resources: Resources) => void;

  /**
   * @param options.graceMs milliseconds that a stale step has to come to its end
   * @param options.onHeld told whenever the steps hold less of the pools
   */
  constructor(options: { graceMs: number; onHeld(resources: Resources): void }) {
    this.#graceMs = options.graceMs;
    this.#onHeld = options.onHeld;
  }

  add(attempt: RunningAttempt, steps: readonly LeftStep[]): void {
    this.#attempts.set(attempt, steps);
  }

  /** What the steps hold of the pools. */
  get held(): Resources {
    const held: Record<string, number> = {};
    for (const { resources } of [...this.#attempts.values()].flat())
      for (const [pool, amount] of Object.entries(resources)) held[pool] = (held[pool] ?? 0) + amount;
    return held;
  }

  /** Resolves when all have ended. */
  get ended(): Promise<unknown> {
    return Promise.all([...this.#attempts.keys()].map((attempt) => attempt.ended));
  }

  /** Takes news of an attempt that is left; false for any other. */
  hear(attempt: RunningAttempt, news: AttemptNews): boolean {
    const steps = this.#attempts.get(attempt);
    if (steps === undefined) return false;
    if (news.type === 'left') this.#set(attempt, news.steps);
    if (news.type === 'event' && news.event.type === 'step-finished') {
      const { step } = news.event;
      this.#set(
        attempt,
        steps.filter(({ id }) => id !== step),
      );
    }
    return true;
  }

  /** Forgets an attempt that has ended; false if it was none of these. */
  ends(attempt: RunningAttempt): boolean {
    const known = this.#attempts.delete(attempt);
    if (known) this.#onHeld(this.held);
    return known;
  }

  /** Stops steps that have become stale. */
  stop(stale: readonly string[]): void {
    const named = new Set(stale);
    this.#stopThose(({ declared }) => named.has(declared));
  }

  /** Stops the steps whose results nobody will look for under these keys. */
  keep(keys: ReadonlySet<Digest>): void {
    this.#stopThose(({ key }) => !keys.has(key));
  }

  cancel(graceMs: number): void {
    for (const attempt of this.#attempts.keys()) attempt.cancel(graceMs);
  }

  #stopThose(isStale: (step: LeftStep) => boolean): void {
    for (const [attempt, steps] of this.#attempts) {
      const stale = steps.filter(isStale).map(({ declared }) => declared);
      if (stale.length > 0) attempt.windDown(stale, this.#graceMs);
    }
  }

  #set(attempt: RunningAttempt, steps: readonly LeftStep[]): void {
    this.#attempts.set(attempt, steps);
    this.#onHeld(this.held);
  }
}
