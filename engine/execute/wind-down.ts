import type { Digest } from '../digest.ts';
import { declaredId } from '../workflow/address.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';

/** A step that goes on while its run is wound down. */
export interface LeftStep {
  id: string;
  /** The step of the workflow that it is, or that it stands for as one of its `for_each`. */
  declared: string;
  /** What its result will be filed under: another run that needs it waits for it. */
  key: Digest;
  /** What it holds of the workflow's pools meanwhile. */
  resources: Readonly<Record<string, number>>;
}

/** Whether a step is one of those named, or is what one with `for_each` that is named stands for. */
export type IsStale = (step: ResolvedStep) => boolean;

/** What is known of a step that runs. */
export interface RunningStep {
  /** The key whose lease it holds: another run can wait for its result. */
  leased: Digest | null;
  /** The steps that wait until its damaged result is computed again; null for one that has no result yet. */
  readers: ReadonlySet<ResolvedStep> | null;
}

/**
 * Of the steps that run those that are not stale and whose results another run can wait for, with what is computed again for
 * them. A step that asks language models is no such: the limits of a model hold within one run, and its rows and answers
 * are kept anyway.
 */
export function whatGoesOn(
  running: ReadonlyMap<ResolvedStep, RunningStep>,
  isStale: IsStale,
): Set<ResolvedStep> {
  const can = (step: ResolvedStep): boolean =>
    step.languageModels === undefined &&
    !isStale(step) &&
    [...running].every(([mended, { readers }]) => !readers?.has(step) || can(mended));
  const does = (step: ResolvedStep): boolean => {
    const { leased = null, readers = null } = running.get(step) ?? {};
    return can(step) && (readers === null ? leased !== null : [...readers].some(does));
  };
  return new Set([...running.keys()].filter(does));
}

/**
 * Lets a run come to its end before it is done: it begins no more steps, and of those that run only the ones go on for
 * whose results another run can wait. That is where `signal` would stop them all.
 */
export class WindDown {
  #wind: ((isStale: IsStale) => Promise<LeftStep[]>) | null = null;

  /** The run's end of it. */
  attach(wind: (isStale: IsStale) => Promise<LeftStep[]>): void {
    this.#wind = wind;
  }

  /**
   * Winds the run down; again, to stop more of what goes on.
   *
   * @param stale ids of steps that must not go on
   * @returns the steps that go on, when all that is done before them can be found by another run; null if no step has
   * begun, so that there is nothing to go on
   */
  async begin(stale: readonly string[]): Promise<LeftStep[] | null> {
    const named = new Set(stale);
    return (await this.#wind?.((step) => named.has(declared(step)))) ?? null;
  }
}

/** The step of the workflow that a step is, or that it stands for as one of its `for_each`. */
export function declared({ id, item }: ResolvedStep): string {
  return item === undefined ? id : declaredId(id);
}
