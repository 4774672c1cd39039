import type { RunEvent, StepStatus } from '../events.ts';
import type { PlannedStep } from '../plan.ts';
import type { Problem } from '../problems.ts';
import type { AttemptEnd } from './attempt.ts';
import type { Wish } from './machine.ts';
import type { MetricChange } from './metric-changes.ts';

/** Everything that happens in a watch: its own events, and those of its runs. Paths are relative to the root. */
export type WatchEvent =
  | RunEvent
  | Watching
  | FilesSaved
  | AttemptStarted
  | AttemptPlanned
  | WorkflowRefused
  | AttemptCancelled
  | AttemptLeft
  | AttemptEnded
  | WatchProblem
  | WatchEnded;

interface At {
  /** Milliseconds since the epoch. */
  time: number;
}
/** Files are watched from now on; told again when they are others. */
export interface Watching extends At {
  type: 'watching';
  files: number;
}
/** The bytes of files have changed. */
export interface FilesSaved extends At {
  type: 'files-saved';
  files: string[];
  /** What that leads to: an attempt soon, the end of the stale one under way, or an attempt when that has ended. */
  leads_to: 'attempt' | 'cancel' | 'attempt-later';
}
/** compile → plan → run begins. */
export interface AttemptStarted extends At {
  type: 'attempt-started';
  wish: Wish;
  cause: 'start' | 'saved' | 'asked';
  /** What was saved, made or deleted since the last one. */
  files: string[];
}
/** What the run will do, and why. */
export interface AttemptPlanned extends At {
  type: 'attempt-planned';
  steps: PlannedStep[];
}
/** The workflow cannot be run. */
export interface WorkflowRefused extends At {
  type: 'workflow-refused';
  problems: Problem[];
  /** It is the last version without problems that is run now. */
  last_good: boolean;
}
/** Steps that run are stale: they end, and what they have finished stays. */
export interface AttemptCancelled extends At {
  type: 'attempt-cancelled';
  files: string[];
}
/**
 * Of the attempt that was cancelled, these steps are not stale: they are finished beside the next one, which waits for
 * them where it needs them, and nothing more is told of them here.
 */
export interface AttemptLeft extends At {
  type: 'attempt-left';
  steps: string[];
}
export interface AttemptEnded extends At {
  type: 'attempt-ended';
  outcome: AttemptEnd['outcome'];
  duration_ms: number;
  /** Id of the run; null if none was made. */
  run: string | null;
  steps: { [status in StepStatus]: number };
  /** Metrics that have another value than after the attempt before. */
  metrics: MetricChange[];
  /** Absolute paths. */
  pages: string[];
  error: AttemptEnd['error'];
}
/** Something keeps files from being watched. */
export interface WatchProblem extends At {
  type: 'watch-problem';
  message: string;
}
export interface WatchEnded extends At {
  type: 'watch-ended';
}
