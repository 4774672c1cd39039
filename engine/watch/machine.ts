import type { Digest } from '../digest.ts';
import type { StepFailure } from '../events.ts';

/*
 * What `reprise watch` does next, without a clock, a file or a process: events go in, actions come out.
 *
 *              start, asked
 *      ┌──────────────────────────────────────┐
 *      │                                      ▼
 *   ┌──────┐ saved  ┌──────────┐ time-up ┌─────────┐ ⟲ saved, not stale: noted for afterwards
 *   │ idle │ ─────▶ │ settling │ ──────▶ │ running │
 *   └──────┘        └──────────┘         └─────────┘
 *      ▲              ▲  ⟲ saved: longer   │ │   │
 *      │ ended,       │                    │ │   │ saved and stale, asked
 *      │ nothing noted│    ended,          │ │   ▼
 *      ├──────────────┼────────────────────┘ │ ┌────────────┐ ⟲ saved: noted
 *      │              └──────────────────────┘ │ cancelling │
 *      │              │    something noted     └────────────┘
 *      │              └──── ended ───────────────┘
 *      │
 *   quit, from anywhere: what runs is cancelled, and when it has ended there is only `over`.
 */

/** A step that failed, and under which key: with the same inputs, parameters and code it would fail again. */
export interface KnownFailure {
  step: string;
  key: Digest;
  failure: StepFailure;
}

/** What a person asked for with a key. */
export type Wish = 'run' | 'force' | 'plan';

export type WatchInput =
  | { type: 'start'; at: number }
  /**
   * The bytes of files changed. `stale`: what runs now has read, or will read, what they were before. `excuses`: they count
   * in no key (secrets, settings), so that what failed may succeed under the same one.
   */
  | { type: 'saved'; at: number; files: readonly string[]; stale: boolean; excuses: boolean }
  /** The time that `wait` asked for is up. */
  | { type: 'time-up'; at: number }
  | { type: 'asked'; at: number; wish: Wish }
  | { type: 'ended'; at: number; failures: readonly KnownFailure[] }
  | { type: 'quit' };

export type WatchAction =
  /** Begin an attempt; there is none under way. `files`: what was saved since the last one. */
  | {
      type: 'attempt';
      wish: Wish;
      cause: 'start' | 'saved' | 'asked';
      files: string[];
      failures: KnownFailure[];
    }
  /** Stop the attempt; its end comes as `ended`. `saved`: only what is stale need be stopped. */
  | { type: 'cancel'; cause: 'saved' | 'asked' | 'quit'; files: string[] }
  /** Say `time-up` at that time; replaces what was asked for before. */
  | { type: 'wait'; until: number }
  | { type: 'over' };

export type WatchState = 'idle' | 'settling' | 'running' | 'cancelling' | 'over';

/** Milliseconds that a single save waits for others. */
export const quietMs = 20;
/** The same once a second save has come: a copy, a checkout or a formatter is at work. */
export const busyMs = 100;
/** Saves start no more than one attempt in this time, so that a hundred in a second lead to two at most. */
export const apartMs = 1000;

/** The state machine above. Paths are the caller's; times are milliseconds of any one clock. */
export class WatchMachine {
  #state: WatchState = 'idle';
  #quitting = false;
  /** Saved since the last attempt began. */
  #files = new Set<string>();
  #firstSave = 0;
  #asked: Wish | null = null;
  #lastStart = Number.NEGATIVE_INFINITY;
  #failures = new Map<Digest, KnownFailure>();
  /** What fails in the attempt under way is excused already. */
  #excused = false;
  /** What the attempt under way was begun for: still to be run if it is cancelled. */
  #current: string[] = [];

  get state(): WatchState {
    return this.#state;
  }

  take(input: WatchInput): WatchAction[] {
    if (this.#state === 'over') return [];
    switch (input.type) {
      case 'start':
        return this.#state === 'idle' ? this.#attempt('run', 'start', input.at) : [];
      case 'saved':
        return this.#saved(input);
      case 'time-up':
        return this.#state === 'settling' ? this.#attempt('run', 'saved', input.at) : [];
      case 'asked':
        return this.#ask(input);
      case 'ended':
        return this.#ended(input);
      case 'quit':
        return this.#quit();
    }
  }

  #saved({ at, files, stale, excuses }: WatchInput & { type: 'saved' }): WatchAction[] {
    if (this.#quitting || files.length === 0) return [];
    if (this.#files.size === 0) this.#firstSave = at;
    for (const file of files) this.#files.add(file);
    if (excuses) {
      this.#failures.clear();
      this.#excused = true;
    }
    if (this.#state === 'idle') return this.#settle(at, quietMs);
    if (this.#state === 'settling') return this.#settle(at, busyMs);
    return this.#state === 'running' && stale ? this.#cancel('saved') : [];
  }

  #cancel(cause: 'saved' | 'asked' | 'quit'): WatchAction[] {
    this.#state = 'cancelling';
    const files = [...this.#files];
    this.#files = new Set([...this.#current, ...files]);
    return [{ type: 'cancel', cause, files }];
  }

  /** Waits until saves have come to rest, but no longer than `apartMs`: a file that grows all the time is run, too. */
  #settle(at: number, quiet: number): WatchAction[] {
    this.#state = 'settling';
    const rest = Math.min(at + quiet, this.#firstSave + apartMs);
    return [{ type: 'wait', until: Math.max(rest, this.#lastStart + apartMs) }];
  }

  /** A person does not wait for saves to settle. A plan beside a run would only say what the run says. */
  #ask({ at, wish }: WatchInput & { type: 'asked' }): WatchAction[] {
    if (this.#quitting) return [];
    if (this.#state === 'idle' || this.#state === 'settling') return this.#attempt(wish, 'asked', at);
    if (wish === 'plan') return [];
    this.#asked = wish;
    return this.#state === 'running' ? this.#cancel('asked') : [];
  }

  #ended({ at, failures }: WatchInput & { type: 'ended' }): WatchAction[] {
    if (this.#state !== 'running' && this.#state !== 'cancelling') return [];
    if (!this.#excused) for (const failure of failures) this.#failures.set(failure.key, failure);
    if (this.#quitting) {
      this.#state = 'over';
      return [{ type: 'over' }];
    }
    if (this.#asked !== null) return this.#attempt(this.#asked, 'asked', at);
    this.#state = 'idle';
    return this.#files.size > 0 ? this.#settle(at, quietMs) : [];
  }

  #attempt(wish: Wish, cause: 'start' | 'saved' | 'asked', at: number): WatchAction[] {
    // Who asks wants to see it tried, whatever was known.
    if (cause === 'asked' && wish !== 'plan') this.#failures.clear();
    const files = [...this.#files];
    // A plan runs nothing: what was saved before it is still to be run.
    if (wish !== 'plan') this.#files.clear();
    this.#asked = null;
    this.#excused = false;
    this.#current = wish === 'plan' ? [] : files;
    this.#state = 'running';
    this.#lastStart = at;
    return [{ type: 'attempt', wish, cause, files, failures: [...this.#failures.values()] }];
  }

  #quit(): WatchAction[] {
    if (this.#quitting) return [];
    this.#quitting = true;
    if (this.#state === 'cancelling') return [];
    if (this.#state === 'running') return this.#cancel('quit');
    this.#state = 'over';
    return [{ type: 'over' }];
  }
}
