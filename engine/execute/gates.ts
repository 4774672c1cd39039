import type { Pool } from '../workflow/resolved.ts';

export type Resources = Readonly<Record<string, number>>;

/** What steps of other runs hold of the pools: it counts as taken. */
export class HeldElsewhere {
  #resources: Resources;
  #awaited = false;
  onChange: () => void = () => {};
  /** Told whether a step waits in a pool of which others hold something: only they can end that. */
  onAwaited: (awaited: boolean) => void = () => {};

  constructor(resources: Resources = {}) {
    this.#resources = resources;
  }

  of(pool: string): number {
    return this.#resources[pool] ?? 0;
  }

  set(resources: Resources): void {
    this.#resources = resources;
    this.onChange();
  }

  /** Says which pools steps wait in now. */
  await(pools: readonly string[]): void {
    const awaited = pools.some((pool) => this.of(pool) > 0);
    if (awaited === this.#awaited) return;
    this.#awaited = awaited;
    this.onAwaited(awaited);
  }
}

interface Waiting {
  resources: Resources;
  priority: number;
  enter(leave: () => void): void;
}

/** What is free of a pool, and when more will be. */
interface State {
  pool: Pool;
  /** Taken by steps that run; of a pool of starts nothing is given back. */
  taken: number;
  /** Times of the starts within the last period, the oldest first. */
  starts: number[];
}

/**
 * Groups of concurrency. A step enters when all that it takes is free at once, so two steps never wait for what the other
 * holds. The more urgent goes first, then the one that came first; what it waits for nobody behind it takes, so a
 * step that takes much is not passed by for ever.
 */
export class Gates {
  readonly #pools: Map<string, State>;
  readonly #now: () => number;
  readonly #held: HeldElsewhere;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #open = false;

  /** @param options.now milliseconds that never go back */
  constructor(
    pools: Readonly<Record<string, Pool>>,
    {
      now = () => performance.now(),
      held = new HeldElsewhere(),
    }: { now?: () => number; held?: HeldElsewhere } = {},
  ) {
    this.#now = now;
    this.#held = held;
    held.onChange = () => this.#admit();
    this.#pools = new Map(
      Object.entries(pools).map(([name, pool]) => [name, { pool, taken: 0, starts: [] }]),
    );
  }

  /**
   * Resolves when the step may start, with what gives back what it takes. `onWait` is told if that is not at once, with
   * the pools that are full.
   */
  enter(
    resources: Resources,
    priority: number,
    onWait: (pools: string[]) => void = () => {},
  ): Promise<() => void> {
    return new Promise((enter) => {
      const waiting = { resources, priority, enter };
      const behind = this.#waiting.findIndex((other) => other.priority < priority);
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, waiting);
      this.#admit();
      if (!this.#waiting.includes(waiting)) return;
      const full = Object.keys(resources).filter((name) => this.#free(name) < resources[name]!);
      onWait(full.length > 0 ? full : Object.keys(resources));
    });
  }

  /** Lets everybody in: the run ends, and who comes in will see it. */
  open(): void {
    this.#open = true;
    this.#admit();
  }

  #admit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const kept: Waiting[] = [];
    const spokenFor = new Set<string>();
    let next = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting) {
      const names = Object.keys(waiting.resources);
      const fits = names.every(
        (name) => !spokenFor.has(name) && this.#free(name) >= waiting.resources[name]!,
      );
      if (fits || this.#open) {
        waiting.enter(this.#take(waiting.resources));
        continue;
      }
      kept.push(waiting);
      for (const name of names) {
        spokenFor.add(name);
        next = Math.min(next, this.#freeAt(name, waiting.resources[name]!));
      }
    }
    this.#waiting = kept;
    this.#held.await([...spokenFor]);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#admit(), Math.max(1, Math.ceil(next - this.#now())));
  }

  #take(resources: Resources): () => void {
    const now = this.#now();
    const held: [State, number][] = [];
    for (const [name, amount] of Object.entries(resources)) {
      const state = this.#pools.get(name)!;
      if ('at_once' in state.pool) {
        state.taken += amount;
        held.push([state, amount]);
      } else for (let start = 0; start < amount; start++) state.starts.push(now);
    }
    return () => {
      for (const [state, amount] of held.splice(0)) state.taken -= amount;
      this.#admit();
    };
  }

  #free(name: string): number {
    const state = this.#pools.get(name)!;
    const { pool } = state;
    if ('at_once' in pool) return pool.at_once - state.taken - this.#held.of(name);
    const since = this.#now() - pool.per_ms;
    while (state.starts.length > 0 && state.starts[0]! <= since) state.starts.shift();
    return pool.starts - state.starts.length;
  }

  /** When that much of a pool of starts will be free; of others only the end of a step tells. */
  #freeAt(name: string, amount: number): number {
    const { pool, starts } = this.#pools.get(name)!;
    if ('at_once' in pool) return Number.POSITIVE_INFINITY;
    const tooMany = starts.length + amount - pool.starts;
    return tooMany <= 0 ? Number.POSITIVE_INFINITY : starts[tooMany - 1]! + pool.per_ms;
  }
}
