import type { Artefact } from '../artefacts.ts';
import { type Asked, addAsked } from '../asked.ts';
import type { Digest } from '../digest.ts';
import type { RunEvent, RunListener, SkipCause, StepFailure, StepOutcome } from '../events.ts';
import type { BatchState } from '../language-model.ts';
import type { Redaction } from '../record/redaction.ts';
import type { Secrets } from '../secrets.ts';
import { DamagedBlobError } from '../store/failures.ts';
import type { ResolvedStep, ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import { failureOf } from './failure.ts';
import type { HeldElsewhere } from './gates.ts';
import type { ProductsOf, StepProducts } from './io.ts';
import type { PreparedStep } from './prepare.ts';
import type { WindDown } from './wind-down.ts';

export interface ExecutionOptions {
  workflow: ResolvedWorkflow;
  workspace: Workspace;
  /** Steps to do, with all that they need; every step if not given. */
  only?: ReadonlySet<string>;
  /** Ids of steps that run whatever the cache says. */
  forced?: ReadonlySet<string>;
  /** Failures by key that are not tried again; what does not hang on them goes on. */
  failedBefore?: ReadonlyMap<Digest, StepFailure>;
  /** Go on with what does not hang on a failed step. */
  keepGoing?: boolean;
  /** Steps at once; the number of cores if not given. */
  jobs?: number;
  signal: AbortSignal;
  /** Ends the run as well, but lets steps go on. */
  windDown?: WindDown;
  /** What others hold of the workflow's pools. */
  held?: HeldElsewhere;
  listener: RunListener;
  /** Secrets that must not stand in the index of results. */
  redaction?: Redaction;
  /** Values of the secrets that the workflow names. */
  secrets?: Secrets;
  now(): number;
  /** What steps of earlier runs left, for `from: run:<run>/…`. */
  productsOfRun(run: string, step: string): StepProducts | undefined;
  /** The blob of a step's outputs that the caller reads when the run is over: a damaged one is computed again, too. */
  readAfterwards?(outputs: { readonly [name: string]: Artefact }): Digest | null;
}

/** An event without its time, which the state adds. */
export type Untimed<E> = E extends { time: number } ? Omit<E, 'time'> : never;

/**
 * What has come of each step so far, and whether the run goes on. Every change is told to the listener; `onSettled` hears
 * of each step that has its first outcome, `onStop` that nothing more is to be started.
 */
export class RunState {
  readonly options: ExecutionOptions;
  /** In a topological order. A step with `for_each` gives way to those that it stands for. */
  steps: readonly ResolvedStep[];
  /** Steps that run whatever the cache says. */
  readonly forced: Set<string>;
  readonly outcomes = new Map<string, StepOutcome>();
  readonly prepared = new Map<string, PreparedStep>();
  stopping = false;
  /** It stops because it is wound down, and not for a failure. */
  windingDown = false;
  /** The run is wound down, and that has kept a step from being done. */
  cutShort = false;
  onSettled: (step: ResolvedStep) => void = () => {};
  onStop: () => void = () => {};
  /** Calls listeners as what they are, not as a step's code. */
  outside: (work: () => void) => void = (work) => work();
  readonly #byId: Map<string, ResolvedStep>;
  /** What each attempt of a step asked of language models. */
  readonly #asked = new Map<string, Asked[]>();
  /** Batches that have not ended, by step and by their names. */
  readonly #batches = new Map<string, Map<string, BatchState>>();
  /** What stops single steps. */
  readonly #stops = new Map<string, AbortController>();

  constructor(options: ExecutionOptions) {
    this.options = options;
    const { workflow, only } = options;
    this.forced = new Set(options.forced);
    this.steps = only ? workflow.steps.filter(({ id }) => only.has(id)) : workflow.steps;
    this.#byId = new Map(this.steps.map((step) => [step.id, step]));
  }

  step(id: string): ResolvedStep {
    return this.#byId.get(id)!;
  }

  /** Puts the steps that a step with `for_each` stands for in its place, and its readers as they are bound to them. */
  expand({ id }: ResolvedStep, instances: readonly ResolvedStep[], readers: readonly ResolvedStep[]): void {
    const bound = new Map(readers.map((reader) => [reader.id, reader]));
    this.steps = this.steps.flatMap((step) => (step.id === id ? instances : [bound.get(step.id) ?? step]));
    this.#byId.delete(id);
    for (const step of [...instances, ...readers]) this.#byId.set(step.id, step);
    if (this.forced.has(id)) for (const instance of instances) this.forced.add(instance.id);
  }

  isForced({ id }: ResolvedStep): boolean {
    return this.forced.has(id);
  }

  readonly productsOf: ProductsOf = (step, run) => {
    if (run !== null) return this.options.productsOfRun(run, step);
    const outcome = this.outcomes.get(step);
    return outcome && (outcome.status === 'ran' || outcome.status === 'cached') ? outcome : undefined;
  };

  emit(event: Untimed<RunEvent>): void {
    const { listener, now } = this.options;
    this.outside(() => listener({ ...event, time: now() } as RunEvent));
  }

  warn(message: string): void {
    this.emit({ type: 'run-warning', message });
  }

  /** The outcome of a step. One that was left behind may end after all: its first outcome stays. */
  settle(step: ResolvedStep, partial: Pick<StepOutcome, 'status' | 'reason'> & Partial<StepOutcome>): void {
    const { id, use } = step;
    if (this.outcomes.has(id)) return;
    const asked = this.#asked.get(id);
    const outcome: StepOutcome = {
      id,
      use,
      duration_ms: 0,
      rows: null,
      rows_computed: 0,
      rows_cached: 0,
      rows_failed: 0,
      metrics: {},
      outputs: {},
      warnings: [],
      attempts: 0,
      error: null,
      ...(asked && { asked: addAsked(asked) }),
      ...partial,
    };
    this.outcomes.set(id, outcome);
    this.emit({ type: 'step-finished', step: id, outcome });
    this.onSettled(step);
  }

  /** Another outcome of a step that has one. */
  replace({ id }: ResolvedStep, change: Partial<StepOutcome>): void {
    const outcome: StepOutcome = { ...this.outcomes.get(id)!, ...change };
    this.outcomes.set(id, outcome);
    this.emit({ type: 'step-finished', step: id, outcome });
  }

  /** Aborted when the run is, or when this step alone is interrupted. */
  signalOf({ id }: ResolvedStep): AbortSignal {
    const stop = this.#stops.get(id) ?? new AbortController();
    this.#stops.set(id, stop);
    return AbortSignal.any([this.options.signal, stop.signal]);
  }

  interrupt({ id }: ResolvedStep): void {
    this.#stops.get(id)?.abort(new Error('interrupted'));
  }

  isInterrupted({ id }: ResolvedStep): boolean {
    return this.options.signal.aborted || this.#stops.get(id)?.signal.aborted === true;
  }

  /** Counts what an attempt of a step asked of language models. */
  noteAsked({ id }: ResolvedStep, asked: Asked): void {
    this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked]);
  }

  /** What a step asked in all its attempts, with this one that is not over. */
  askedOf({ id }: ResolvedStep, asked: Asked): Asked {
    return addAsked([...(this.#asked.get(id) ?? []), asked]);
  }

  /** Tells how far a batch of requests is, and keeps it, for those who end the run before the batch has ended. */
  noteBatch({ id: step }: ResolvedStep, batch: BatchState): void {
    const batches = this.#batches.get(step) ?? new Map<string, BatchState>();
    this.#batches.set(step, batches);
    if (batch.state === 'ended') batches.delete(batch.id);
    else batches.set(batch.id, batch);
    this.emit({ type: 'step-batch', step, batch });
  }

  /** What becomes of a step's batches that are at their provider, in words. */
  #batchesOf({ id }: ResolvedStep): string {
    return [...(this.#batches.get(id)?.values() ?? [])]
      .map(
        (batch) =>
          `; batch ${batch.id} goes on at its provider (${batch.done} of ${batch.requests} requests done), and the next run takes it up`,
      )
      .join('');
  }

  /** Why a step is not even looked at: something that it needs failed, or was skipped. */
  whySkipped(step: ResolvedStep): { cause: SkipCause; reason: string } | null {
    for (const id of step.needs) {
      const need = this.outcomes.get(id);
      if (need?.status === 'failed') return { cause: 'failed', reason: `needs ${id}, which failed` };
      if (need?.status === 'interrupted') return { cause: 'stopped', reason: 'interrupted' };
      if (need?.status !== 'skipped') continue;
      const cause = need.skip_cause!;
      // `if_skipped: run` is for what a condition leaves out, not for what a failure does.
      if (cause === 'when' && step.if_skipped === 'run') continue;
      return { cause, reason: cause === 'when' ? `needs ${id}, which was skipped` : need.reason };
    }
    return null;
  }

  skip(step: ResolvedStep, cause: SkipCause, reason: string): void {
    this.settle(step, { status: 'skipped', reason, skip_cause: cause });
  }

  skipStopped(step: ResolvedStep): void {
    this.cutShort ||= this.windingDown;
    const interrupted = this.options.signal.aborted || this.windingDown;
    const why = interrupted ? null : this.whySkipped(step);
    if (why?.cause === 'failed') this.skip(step, 'failed', why.reason);
    else this.skip(step, 'stopped', interrupted ? 'interrupted' : 'another step failed');
  }

  /** Nothing more is started. */
  stop(): void {
    this.stopping = true;
    this.onStop();
  }

  /** Nothing more is started, and that is no step's fault. */
  windDown(): void {
    this.windingDown ||= !this.stopping;
    this.stop();
  }

  /** A step that failed, could not be done because the run was interrupted, or could not read what a failed one had left. */
  fail(step: ResolvedStep, error: unknown, duration = 0): void {
    const lost = this.#lostInput(step, error);
    if (this.isInterrupted(step)) {
      this.cutShort = true;
      this.settle(step, {
        status: 'interrupted',
        reason: `interrupted${this.#batchesOf(step)}`,
        duration_ms: duration,
      });
    } else if (lost !== null) this.skip(step, lost.cause, lost.reason);
    else {
      this.#stopAfter(step);
      const failed = failureOf(error, this.options.workspace.root, step);
      const batches = this.#batchesOf(step);
      const failure =
        batches === '' ? failed : { ...failed, hint: `${failed.hint ?? 'run again'}${batches}` };
      this.settle(step, { status: 'failed', reason: failure.message, duration_ms: duration, error: failure });
    }
  }

  /** A step that is done and whose result was lost has failed. What read it meanwhile stays done. */
  failAfterwards(step: ResolvedStep, error: unknown): void {
    const failure = failureOf(error);
    this.replace(step, { status: 'failed', reason: failure.message, outputs: {}, error: failure });
  }

  /** A result that is damaged and could not be computed again is none: its step has failed, or what it needs has. */
  takeBack(step: ResolvedStep, error: unknown): void {
    const lost = this.#lostInput(step, error);
    if (lost === null) {
      this.#stopAfter(step);
      this.failAfterwards(step, error);
    } else {
      this.replace(step, { status: 'skipped', reason: lost.reason, skip_cause: lost.cause, outputs: {} });
    }
  }

  /** A step that could not read what a failed one had left has not failed itself: why it is skipped, else null. */
  #lostInput(step: ResolvedStep, error: unknown): { cause: SkipCause; reason: string } | null {
    return error instanceof DamagedBlobError ? this.whySkipped(step) : null;
  }

  /** The failure of a step ends the run, unless it is told to go on. */
  #stopAfter({ on_error }: ResolvedStep): void {
    if (!this.options.keepGoing && on_error === 'stop') this.stop();
  }
}
