import type { Digest } from '../digest.ts';
import type { RunEvent } from '../events.ts';
import type { Resources } from '../execute/gates.ts';
import type { LeftStep } from '../execute/wind-down.ts';
import type { PlannedStep } from '../plan.ts';
import type { Problem } from '../problems.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { KnownFailure, Wish } from './machine.ts';
import type { WatchSet } from './watch-set.ts';

/** What an attempt is to do: compile → plan → run. Plain JSON, as is all below: attempts are made in other processes. */
export interface AttemptRequest {
  wish: Wish;
  /** Only for saved files is it planned first, and not run if there is nothing to do. */
  cause: 'start' | 'saved' | 'asked';
  /** Steps that need not be tried again. */
  failures: KnownFailure[];
  /** The workflow as it last was without problems, to be run if it has some now; null if that is not wanted. */
  lastGood: ResolvedWorkflow | null;
  /** What steps of earlier attempts, which are finished beside it, hold of the pools. */
  held: Resources;
}

/** What an attempt tells while it is under way. */
export type AttemptNews =
  /** What it reads. With problems, only what was found until then: what was read before stays watched, too. */
  | { type: 'reads'; set: WatchSet; complete: boolean }
  /** `lastGood`: what was good before is run instead. */
  | { type: 'problems'; problems: Problem[]; lastGood: boolean }
  /** `keys`: what results are filed under, of the steps whose inputs are known. */
  | { type: 'planned'; steps: PlannedStep[]; keys: Digest[] }
  /** It is wound down: these steps go on and nothing else. */
  | { type: 'left'; steps: LeftStep[]; workflow: ResolvedWorkflow }
  | { type: 'event'; event: RunEvent };

/** How an attempt came out. */
export interface AttemptEnd {
  /**
   * `unchanged`: nothing to do, so that no run was made. `planned`: a plan was asked for. `refused`: the workflow has
   * problems. `crashed`: an error that no step is to blame for.
   */
  outcome: 'succeeded' | 'failed' | 'interrupted' | 'unchanged' | 'planned' | 'refused' | 'crashed';
  failures: KnownFailure[];
  /** Absolute path of the run's folder; null if there is none. */
  folder: string | null;
  /** Absolute paths of the pages that the run left. */
  pages: string[];
  /** What was run, for the next time. Null if it was refused. */
  workflow: ResolvedWorkflow | null;
  /** For `crashed`, and for what went wrong beside the run. */
  error: { message: string; hint: string | null } | null;
}

/** An attempt that is under way. */
export interface RunningAttempt {
  /** Never rejects. */
  readonly ended: Promise<AttemptEnd>;
  /** Asks it to end, and ends it after so many milliseconds. */
  cancel(graceMs: number): void;
  /**
   * Asks it to begin nothing more and to stop these steps; what goes on it tells as `left`, and if it does not within so many
   * milliseconds, it is ended. May be asked again, for more steps.
   */
  windDown(stale: readonly string[], graceMs: number): void;
  /** What others hold of the pools now. */
  hold(resources: Resources): void;
}

/** Makes attempts. The engine knows neither step types nor commands: the command line hands one in. */
export interface AttemptRunner {
  start(request: AttemptRequest, hear: (news: AttemptNews) => void): RunningAttempt;
  close(): void;
}
