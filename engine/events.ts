import type { Artefact, Metrics } from './artefacts.ts';
import type { Asked } from './asked.ts';
import type { BatchState } from './language-model.ts';
import type { Problem } from './problems.ts';

/**
 * Everything that happens in a run, as it happens. The engine only emits these; terminal, JSON, ndjson and pages
 * are reporters. `time` is milliseconds since the epoch.
 */
export type RunEvent =
  | RunStarted
  | StepsAdded
  | StepQueued
  | StepWaiting
  | StepHeld
  | StepStarted
  | StepProgress
  | StepLog
  | StepAnswer
  | StepAsked
  | StepBatch
  | StepRetry
  | StepFinished
  | CacheDamaged
  | CacheEvicted
  | RunWarning
  | RunFinished;

interface At {
  time: number;
}
/** The run exists: its folder is there, nothing was done yet. */
export interface RunStarted extends At {
  type: 'run-started';
  run: string;
  workflow: string;
  steps: { id: string; use: string; needs: string[] }[];
}
/** A step with `for_each` is known to stand for these: it takes no part in the run any more. */
export interface StepsAdded extends At {
  type: 'steps-added';
  step: string;
  steps: { id: string; use: string; needs: string[] }[];
}
/** The step must run; it is ready and waits for a free slot. */
export interface StepQueued extends At {
  type: 'step-queued';
  step: string;
  reason: string;
}
/** Another process does the same work; this one waits for its result. */
export interface StepWaiting extends At {
  type: 'step-waiting';
  step: string;
  holder: string;
}
/** The step is ready, and waits until there is room for it in these pools. */
export interface StepHeld extends At {
  type: 'step-held';
  step: string;
  pools: string[];
}
export interface StepStarted extends At {
  type: 'step-started';
  step: string;
  attempt: number;
  reason: string;
}
export interface StepProgress extends At {
  type: 'step-progress';
  step: string;
  done: number;
  total: number | null;
  unit: string;
  /** Of `done`, how many came from the row cache. */
  cached: number;
}
export interface StepLog extends At {
  type: 'step-log';
  step: string;
  level: 'info' | 'warning';
  message: string;
}
/** What a language model has answered so far, of an alias with `stream: true`; of all answers of a step ten a second at most. */
export interface StepAnswer extends At {
  type: 'step-answer';
  step: string;
  /** The alias. */
  model: string;
  text: string;
}
/**
 * What a step has asked of language models so far, all attempts together: within 100 ms of what was spent. Of a run that is
 * killed it is what is known of its cost.
 */
export interface StepAsked extends At {
  type: 'step-asked';
  step: string;
  asked: Asked;
}
/** How far a batch of requests is that the step waits for: submitted, or taken up from an earlier run. */
export interface StepBatch extends At {
  type: 'step-batch';
  step: string;
  batch: BatchState;
}
/** An attempt failed and another follows after `delay_ms`. */
export interface StepRetry extends At {
  type: 'step-retry';
  step: string;
  attempt: number;
  delay_ms: number;
  message: string;
}
export interface StepFinished extends At {
  type: 'step-finished';
  step: string;
  outcome: StepOutcome;
}
/** A cached result could not be used: a blob is missing or its bytes are not what its name says. */
export interface CacheDamaged extends At {
  type: 'cache-damaged';
  step: string | null;
  message: string;
}
/** The store was over its cap: results and row values that were used least recently are gone. */
export interface CacheEvicted extends At {
  type: 'cache-evicted';
  results: number;
  bytes: number;
  cap_bytes: number;
}
/** Something the user should know at the end of the run: no git repository, a cache that could not be written. */
export interface RunWarning extends At {
  type: 'run-warning';
  message: string;
}
export interface RunFinished extends At {
  type: 'run-finished';
  status: RunStatus;
  duration_ms: number;
}

export type RunStatus = 'succeeded' | 'failed' | 'interrupted';
export type StepStatus = 'ran' | 'cached' | 'skipped' | 'failed' | 'interrupted';
/** Why a step was skipped: its own condition or what it reads was left out; something that it needs failed; the run stopped. */
export type SkipCause = 'when' | 'failed' | 'stopped';

/** How a step ended; the same shape in events, `run --json` and run.json. */
export interface StepOutcome {
  id: string;
  use: string;
  status: StepStatus;
  /** Why it ran, was skipped or failed: `with.k 77 → 50`, `new`, `when is false: …`, `needs topics, which failed`. */
  reason: string;
  /** Of a skipped step. See `skipCauseOf` for records of versions that did not say it. */
  skip_cause?: SkipCause;
  duration_ms: number;
  /** Rows of the main output if it is a table or matrix; null else. */
  rows: number | null;
  rows_computed: number;
  rows_cached: number;
  rows_failed: number;
  metrics: Metrics;
  outputs: { [name: string]: Artefact };
  warnings: string[];
  attempts: number;
  /** What it asked of language models, if anything; of a cached result, what it saved. */
  asked?: Asked;
  error: StepFailure | null;
}

export interface StepFailure {
  code: string;
  message: string;
  hint: string | null;
  /** Set for a defect (an error that the step did not expect): where it was thrown. Goes to the record, not to the terminal. */
  stack: string | null;
  problem: Problem | null;
}

/** Whoever wants to know. A listener that throws never fails a run. */
export type RunListener = (event: RunEvent) => void;
