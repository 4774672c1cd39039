import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type PQueue from 'p-queue';
import { type Artefact, blobsOf } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import type { RunEvent, RunListener, RunStatus, StepFailure, StepOutcome } from '../events.ts';
import { Redaction } from '../record/redaction.ts';
import type { SharedCache } from '../remote/shared-cache.ts';
import type { Secrets } from '../secrets.ts';
import { DamagedBlobError } from '../store/failures.ts';
import type { StepEntry } from '../store/step-index.ts';
import type { ResolvedStep, ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import { failureOf } from './failure.ts';
import type { Gates } from './gates.ts';
import type { StepGuard } from './guard.ts';
import { mainRows, type ProductsOf, type StepProducts } from './io.ts';
import { type Lookup, lookUp } from './lookup.ts';
import { chainLengths, dependentsOf } from './order.ts';
import type { WorkerPool } from './pool.ts';
import { evaluateWhen, type PreparedStep, prepareStep } from './prepare.ts';
import { Publisher } from './publish.ts';
import type { StepWork } from './run-step.ts';

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

/** What an execution left: an outcome for each step, in topological order, and what each was prepared with. */
export interface ExecutionResult {
  status: RunStatus;
  outcomes: StepOutcome[];
  prepared: ReadonlyMap<string, PreparedStep>;
}

/**
 * Takes a workflow's steps from "its inputs are known" to an outcome, as many at once as there are jobs, longest
 * chain first. A step is decided when all that it needs has an outcome: skipped, cached, or queued to run.
 */
export async function execute(options: ExecutionOptions): Promise<ExecutionResult> {
  return new Execution(options).run();
}

/** So long at most goes by without a turn of the event loop while small steps follow each other. */
const turnMs = 10;

class Execution {
  readonly #options: ExecutionOptions;
  readonly #steps: ResolvedStep[];
  readonly #byId: Map<string, ResolvedStep>;
  readonly #dependents: Map<string, string[]>;
  readonly #chains: Map<string, number>;
  readonly #outcomes = new Map<string, StepOutcome>();
  readonly #prepared = new Map<string, PreparedStep>();
  readonly #open = new Map<string, number>();
  /** What running a step takes; loaded when the first one must run. */
  #machinery: Promise<Machinery> | null = null;
  readonly #publisher: Publisher;
  #shared: Promise<SharedCache | null> | null = null;
  /** Why steps were skipped: what hangs on them depends on it. */
  readonly #skipCauses = new Map<string, SkipCause>();
  readonly #publishing: Promise<unknown>[] = [];
  /** Recomputations of damaged results under way, by step. */
  readonly #mending = new Map<string, Promise<void>>();
  /** Rejected by an error that belongs to no step: it ends all that run. */
  readonly #defect = Promise.withResolvers<never>();
  #ready: ResolvedStep[] = [];
  #running = 0;
  #stopping = false;
  #lastTurn = 0;
  #over = false;
  #wake: () => void = () => {};
  /** Calls reporters as what they are, not as a step's code. */
  #outside: (work: () => void) => void = (work) => work();

  constructor(options: ExecutionOptions) {
    this.#options = options;
    const { workflow, only } = options;
    this.#steps = only ? workflow.steps.filter(({ id }) => only.has(id)) : workflow.steps;
    this.#byId = new Map(this.#steps.map((step) => [step.id, step]));
    this.#dependents = dependentsOf(this.#steps);
    this.#chains = chainLengths(this.#steps);
    this.#publisher = new Publisher(options.workspace, workflow.path);
    this.#defect.promise.catch(() => {});
    for (const step of this.#steps) {
      this.#open.set(step.id, step.needs.length);
      if (step.needs.length === 0) this.#ready.push(step);
    }
  }

  async run(): Promise<ExecutionResult> {
    const { signal } = this.#options;
    try {
      for (;;) {
        if (this.#ready.length > 0) {
          const wave = this.#ready;
          this.#ready = [];
          await this.#decide(wave);
        } else if (this.#running > 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else {
          break;
        }
      }
      this.#publisher.hurry();
      await Promise.all(this.#publishing);
      await this.#publisher.flush((message) => this.#emit({ type: 'run-warning', message }));
    } finally {
      await (await this.#shared)?.close();
      const machinery = await this.#machinery;
      if (machinery) {
        await Promise.all([machinery.pool.close(), machinery.scratchesRemoved()]);
        machinery.guard.onDefect = null;
      }
      this.#over = true;
    }
    const outcomes = this.#steps.map(({ id }) => this.#outcomes.get(id)!);
    const failed = outcomes.filter((outcome) => outcome.status === 'failed');
    const tolerated = failed.filter(({ id }) => this.#byId.get(id)!.on_error === 'continue');
    for (const { id, reason } of tolerated)
      this.#emit({ type: 'run-warning', message: `${id} failed, and on_error: continue lets it: ${reason}` });
    const status: RunStatus = signal.aborted
      ? 'interrupted'
      : failed.length > tolerated.length || this.#stopping
        ? 'failed'
        : 'succeeded';
    return { status, outcomes, prepared: this.#prepared };
  }

  readonly #productsOf: ProductsOf = (step, run) => {
    if (run !== null) return this.#options.productsOfRun(run, step);
    const outcome = this.#outcomes.get(step);
    return outcome && (outcome.status === 'ran' || outcome.status === 'cached') ? outcome : undefined;
  };

  /** Decides a wave of steps whose needs all have outcomes. Lookups are made together. */
  async #decide(wave: ResolvedStep[]): Promise<void> {
    const { workflow, workspace, signal } = this.#options;
    const prepared: PreparedStep[] = [];
    for (const step of wave) {
      if (signal.aborted || this.#stopping) {
        this.#skipStopped(step);
        continue;
      }
      const skipped = this.#skipped(step);
      if (skipped !== null) {
        this.#skip(step, skipped.cause, skipped.reason);
        continue;
      }
      try {
        const when = await evaluateWhen(step, workflow, this.#productsOf);
        if (when?.value === false) {
          this.#skip(step, 'when', `when is false: ${when.shown}`);
          continue;
        }
        const ready = await prepareStep(step, workflow, workspace, this.#productsOf);
        this.#prepared.set(step.id, ready);
        prepared.push(ready);
      } catch (error) {
        this.#fail(step, error, 0);
      }
    }
    if (prepared.length === 0) return;
    let lookups: Lookup[];
    try {
      lookups = await lookUp(prepared, workspace, {
        workflowPath: workflow.path,
        forced: this.#options.forced ?? new Set(),
        failedBefore: this.#options.failedBefore,
      });
    } catch (error) {
      for (const { step } of prepared) this.#fail(step, error, 0);
      return;
    }
    for (const [index, item] of prepared.entries()) {
      const lookup = lookups[index]!;
      if (lookup.hit) {
        const damaged = await this.#settleCached(item, lookup.entry);
        if (damaged !== null) this.#enqueue(item, damaged);
      } else if (lookup.failed) {
        const { reason, failed: error } = lookup;
        this.#settle(item.step, { status: 'failed', reason, error });
      } else {
        if (lookup.damaged)
          this.#emit({ type: 'cache-damaged', step: item.step.id, message: lookup.damaged });
        this.#enqueue(item, lookup.reason);
      }
    }
  }

  /** Why a step is not even looked at: something that it needs failed, or was skipped. */
  #skipped(step: ResolvedStep): { cause: SkipCause; reason: string } | null {
    for (const id of step.needs) {
      const need = this.#outcomes.get(id);
      if (need?.status === 'failed') return { cause: 'failed', reason: `needs ${id}, which failed` };
      if (need?.status === 'interrupted') return { cause: 'stopped', reason: 'interrupted' };
      if (need?.status !== 'skipped') continue;
      const cause = this.#skipCauses.get(id)!;
      // `if_skipped: run` is for what a condition leaves out, not for what a failure does.
      if (cause === 'when' && step.if_skipped === 'run') continue;
      return { cause, reason: cause === 'when' ? `needs ${id}, which was skipped` : need.reason };
    }
    return null;
  }

  #skip(step: ResolvedStep, cause: SkipCause, reason: string): void {
    this.#skipCauses.set(step.id, cause);
    this.#settle(step, { status: 'skipped', reason });
  }

  #skipStopped(step: ResolvedStep): void {
    this.#skip(step, 'stopped', this.#options.signal.aborted ? 'interrupted' : 'another step failed');
  }

  #enqueue(prepared: PreparedStep, reason: string): void {
    const { step } = prepared;
    this.#emit({ type: 'step-queued', step: step.id, reason });
    this.#running++;
    const priority = this.#chains.get(step.id)!;
    this.#machinery ??= this.#loadMachinery();
    void this.#machinery
      .then(({ queue, gates }) =>
        gates === null || step.resources === undefined
          ? queue.add(() => this.#work(prepared, reason), { priority })
          : this.#throughGates(gates, queue, prepared, reason),
      )
      .finally(() => {
        this.#running--;
        this.#wake();
      });
  }

  /** A step of a pool waits for its room there without a slot, and then, holding it, takes the next slot. */
  async #throughGates(gates: Gates, queue: PQueue, prepared: PreparedStep, reason: string): Promise<void> {
    const { id, resources = {} } = prepared.step;
    const leave = await gates.enter(resources, this.#chains.get(id)!, (pools) =>
      this.#emit({ type: 'step-held', step: id, pools }),
    );
    try {
      await queue.add(() => this.#work(prepared, reason), { priority: Number.MAX_SAFE_INTEGER });
    } finally {
      leave();
    }
  }

  /** Nothing more is started: who waits for room in a pool learns it. */
  #stop(): void {
    this.#stopping = true;
    void this.#machinery?.then(({ gates }) => gates?.open());
  }

  /** Runs one step that missed, unless another process finished it meanwhile. Never throws. */
  async #work(prepared: PreparedStep, reason: string): Promise<void> {
    const { signal, now } = this.#options;
    const { step } = prepared;
    await this.#breathe();
    if (signal.aborted || this.#stopping) {
      this.#skipStopped(step);
      return;
    }
    const started = now();
    try {
      await Promise.race([this.#attempt(prepared, reason, started), this.#defect.promise]);
    } catch (error) {
      const lost = this.#lostInput(step, error);
      if (lost !== null) this.#skip(step, lost.cause, lost.reason);
      else this.#fail(step, error, now() - started);
    }
  }

  /** Gives timers, signals and files a turn now and then: small steps in process could go on and on without one. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#lastTurn < turnMs) return;
    await turn();
    this.#lastTurn = performance.now();
  }

  async #attempt(prepared: PreparedStep, reason: string, started: number): Promise<void> {
    const { workspace, signal, now } = this.#options;
    const { step, key } = prepared;
    const shared = key !== null && step.cache && !this.#isForced(step);
    const lease = shared
      ? await workspace.leases.acquire(key, {
          signal,
          onWait: (holder) =>
            this.#emit({ type: 'step-waiting', step: step.id, holder: `process ${holder.pid}` }),
        })
      : null;
    let published: Promise<Unpublished | null> | null = null;
    try {
      if (lease) {
        // Another process may have finished the step since it was looked up.
        const [found] = await lookUp([prepared], workspace, {
          workflowPath: this.#options.workflow.path,
          forced: new Set(),
        });
        if (found?.hit && (await this.#settleCached(prepared, found.entry)) === null) return;
        const pulled = await this.#pull(prepared);
        if (pulled && (await this.#settleCached(prepared, pulled, 'from the shared cache')) === null) return;
      }
      const { work, publish } = await this.#runMending(prepared, reason, started);
      published = publish();
      await this.#deliver(step, work.outputs);
      this.#settle(step, { status: 'ran', reason, ...outcomeOf(work, now() - started) });
      this.#publishing.push(
        published.then((failure) => {
          if (failure === null) return;
          // A disk that takes no more: what else would run cannot be kept either.
          this.#stop();
          this.#failAfterwards(step, failure.error);
        }),
      );
    } finally {
      // Who waits for the lease must find the result.
      if (published) void published.then(() => lease?.release());
      else lease?.release();
    }
  }

  /** The shared cache, once a step must run; null if there is none. */
  #openShared(): Promise<SharedCache | null> {
    const { workspace, signal } = this.#options;
    if (workspace.remote === null) return noSharedCache;
    this.#shared ??= import('../remote/open.ts').then(({ openSharedCache }) =>
      openSharedCache(workspace.remote!, workspace, {
        signal,
        warn: (message) => this.#emit({ type: 'run-warning', message }),
      }),
    );
    return this.#shared;
  }

  /** A step's result, if another machine has put it into the shared cache. */
  async #pull(prepared: PreparedStep): Promise<StepEntry | null> {
    const { workspace, workflow } = this.#options;
    const shared = await this.#openShared();
    if (!shared || !(await shared.pull(prepared.key!))) return null;
    const [found] = await lookUp([prepared], workspace, { workflowPath: workflow.path, forced: new Set() });
    return found?.hit ? found.entry : null;
  }

  /**
   * Makes a result durable, while the steps that read it go on: the store reads what is not on disk yet. Gives why it
   * failed (a full disk), or null.
   */
  #publish({ step, key }: PreparedStep, entry: StepEntry | null): Promise<Unpublished | null> {
    const published = this.#publisher
      .publish(step, entry && key ? { key, entry } : null, (message) =>
        this.#emit({ type: 'run-warning', message }),
      )
      .then(
        async () => {
          if (entry && key) (await this.#openShared())?.push(key, entry);
          return null;
        },
        (error: unknown) => ({ error }),
      );
    this.#publishing.push(published);
    return published;
  }

  /**
   * Runs a step; if it reads a damaged result, that result is computed again first. `publish` files what came out, or
   * only makes it durable where it must not be a hit next time.
   */
  async #runMending(
    prepared: PreparedStep,
    reason: string,
    started: number,
  ): Promise<{ work: StepWork; publish(): Promise<Unpublished | null> }> {
    const { workflow, workspace, signal, now } = this.#options;
    const { step } = prepared;
    for (let round = 0; ; round++) {
      try {
        const { runStep, pool } = await this.#machinery!;
        const work = await runStep({
          prepared,
          workflow,
          workspace,
          productsOf: this.#productsOf,
          forced: this.#isForced(step),
          secrets: this.#options.secrets ?? {},
          redaction: this.#options.redaction ?? new Redaction(),
          pool,
          signal,
          onAttempt: (attempt) => this.#emit({ type: 'step-started', step: step.id, attempt, reason }),
          onProgress: this.#progressOf(step.id),
          onLog: (level, message) => this.#emit({ type: 'step-log', step: step.id, level, message }),
          onRetry: (attempt, delayMs, message) =>
            this.#emit({ type: 'step-retry', step: step.id, attempt, delay_ms: delayMs, message }),
          onWait: (holder) => this.#emit({ type: 'step-waiting', step: step.id, holder }),
          onLate: (error) => this.#hearLate(step, error),
        });
        const changed = await this.#inputsChanged(prepared);
        if (changed !== null)
          work.warnings.push(`${changed} changed while the step ran; the result is not cached`);
        // A result with failed rows is no hit next time: only those rows will be computed again.
        const cacheable = step.cache && prepared.key !== null && work.failed === 0 && changed === null;
        const result = cacheable ? entryOf(prepared, work, now() - started, now(), workflow.path) : null;
        const entry = this.#options.redaction?.json(result) ?? result;
        const last = prepared;
        return { work, publish: () => this.#publish(last, entry) };
      } catch (error) {
        if (!(error instanceof DamagedBlobError) || round >= 3) throw error;
        await this.#mend(step, error);
        // What was computed again may have come out otherwise: then this step has other inputs.
        prepared = await prepareStep(step, workflow, workspace, this.#productsOf);
        this.#prepared.set(step.id, prepared);
      }
    }
  }

  /** An error of a step's code when the step has ended changes nothing of its result, but should be known. */
  #hearLate(step: ResolvedStep, error: unknown): void {
    if (this.#over || this.#options.signal.aborted) return;
    const { message } = failureOf(error);
    this.#emit({
      type: 'run-warning',
      message: `${step.id}: when the step had ended, its code failed: ${message}`,
    });
  }

  /** Tells of a step's progress ten times a second at most, and of its end. */
  #progressOf(step: string): (done: number, total: number | null, unit: string, cached: number) => void {
    let last = 0;
    return (done, total, unit, cached) => {
      const now = this.#options.now();
      if (now - last < 100 && done !== total) return;
      last = now;
      this.#emit({ type: 'step-progress', step, done, total, unit, cached });
    };
  }

  /** Computes the step that made a damaged blob again, unless that was done meanwhile. */
  async #mend({ needs }: ResolvedStep, error: DamagedBlobError): Promise<void> {
    const made = (outcome: StepOutcome | undefined) =>
      Object.values(outcome?.outputs ?? {}).some((output) =>
        blobsOf(output).some(({ digest }) => digest === error.digest),
      );
    // Other steps may have come to the same bytes: what the reader names comes first.
    const maker =
      needs.map((id) => this.#outcomes.get(id)).find(made) ?? [...this.#outcomes.values()].find(made);
    if (maker?.status === 'ran') return;
    if (maker?.status !== 'cached') throw error;
    let mending = this.#mending.get(maker.id);
    if (mending === undefined) {
      mending = this.#computeAgain(maker, error)
        .catch((failure: unknown) => {
          if (!this.#options.signal.aborted) this.#takeBack(maker, failure);
          throw error;
        })
        .finally(() => this.#mending.delete(maker.id));
      this.#mending.set(maker.id, mending);
    }
    await mending;
  }

  async #computeAgain(maker: StepOutcome, error: DamagedBlobError): Promise<void> {
    const { id } = maker;
    const prepared = this.#prepared.get(id)!;
    const reason = `a stored output is ${error.reason === 'missing' ? 'missing' : 'damaged'}`;
    this.#emit({ type: 'cache-damaged', step: id, message: error.message });
    const started = this.#options.now();
    const { work, publish } = await this.#runMending(prepared, reason, started);
    const failure = await publish();
    if (failure) throw failure.error;
    this.#replace(prepared.step, {
      status: 'ran',
      reason,
      ...outcomeOf(work, this.#options.now() - started),
    });
  }

  /** A result that is damaged and could not be computed again is none: its step has failed, or what it needs has. */
  #takeBack({ id }: StepOutcome, error: unknown): void {
    const step = this.#byId.get(id)!;
    const lost = this.#lostInput(step, error);
    if (lost === null) {
      this.#stopAfter(step);
      this.#failAfterwards(step, error);
    } else {
      this.#skipCauses.set(id, lost.cause);
      this.#replace(step, { status: 'skipped', reason: lost.reason, outputs: {} });
    }
  }

  /** A step that could not read what a failed one had left has not failed itself: why it is skipped, else null. */
  #lostInput(step: ResolvedStep, error: unknown): { cause: SkipCause; reason: string } | null {
    return error instanceof DamagedBlobError ? this.#skipped(step) : null;
  }

  /**
   * Puts outputs where `output-path` parameters say, whether the step ran or was found in the cache, and checks
   * what the caller will read. Nothing to wait for where there is neither. DamagedBlobError; StepError
   * `output-not-written`.
   */
  #deliver({ outputFiles }: ResolvedStep, outputs: StepOutcome['outputs']): Promise<void> | undefined {
    const { workspace, readAfterwards } = this.#options;
    const read = readAfterwards?.(outputs) ?? null;
    if (outputFiles.length === 0 && read === null) return undefined;
    return (async () => {
      if (read !== null) await workspace.store.read(read);
      for (const { path } of outputFiles) {
        const { placeOutput } = await import('../output-path.ts');
        await placeOutput(resolve(workspace.root, path), path, outputs, workspace);
      }
    })();
  }

  /** The first input file whose content is no longer what the fingerprint says. */
  #isForced({ id }: ResolvedStep): boolean {
    return this.#options.forced?.has(id) === true;
  }

  async #inputsChanged({ files, fingerprint }: PreparedStep): Promise<string | null> {
    if (fingerprint === null) return null;
    const { workspace } = this.#options;
    const use = fingerprint.step_type;
    if (!workspace.registry.names.includes(use)) {
      // What ran is what was imported when the step started: it may be newer than what was looked at first.
      const code = workspace.codeNow(workspace.registry.find(use)!.module, use);
      if (!('digest' in code) || code.digest !== fingerprint.code) return use;
    }
    const paths = [...files.values()].flat();
    const now = await workspace.files.many(paths);
    const names = paths.map((path) => workspace.relative(path));
    return (
      names.find((name, index) => {
        const found = now[index]!;
        return found instanceof Error || found.digest !== fingerprint.files[name];
      }) ?? null
    );
  }

  /** Settles a hit. If it turns out to be damaged, or cannot be used, says why it must be computed, or null. */
  async #settleCached(
    prepared: PreparedStep,
    entry: StepEntry,
    reason = 'unchanged',
  ): Promise<string | null> {
    const { step } = prepared;
    const rows = mainRows(entry.outputs);
    try {
      const delivery = this.#deliver(step, entry.outputs);
      if (delivery) await delivery;
    } catch (error) {
      if (error instanceof DamagedBlobError) {
        this.#emit({ type: 'cache-damaged', step: step.id, message: error.message });
        return `a stored output is ${error.reason === 'missing' ? 'missing' : 'damaged'}`;
      }
      this.#fail(step, error, 0);
      return null;
    }
    this.#publisher.used(step, prepared.key!);
    this.#settle(step, {
      status: 'cached',
      reason,
      rows,
      rows_cached: step.rowWise ? (rows ?? 0) : 0,
      metrics: entry.metrics,
      outputs: entry.outputs,
      warnings: entry.warnings,
    });
    return null;
  }

  #fail(step: ResolvedStep, error: unknown, duration: number): void {
    if (this.#options.signal.aborted) {
      this.#settle(step, { status: 'interrupted', reason: 'interrupted', duration_ms: duration });
      return;
    }
    this.#stopAfter(step);
    const failure = failureOf(error);
    this.#settle(step, { status: 'failed', reason: failure.message, duration_ms: duration, error: failure });
  }

  /** The failure of a step ends the run, unless it is told to go on. */
  #stopAfter({ on_error }: ResolvedStep): void {
    if (!this.#options.keepGoing && on_error === 'stop') this.#stop();
  }

  /** A step that is done and whose result was lost has failed. What read it meanwhile stays done. */
  #failAfterwards(step: ResolvedStep, error: unknown): void {
    const failure = failureOf(error);
    this.#replace(step, { status: 'failed', reason: failure.message, outputs: {}, error: failure });
  }

  /** Another outcome of a step that has one. */
  #replace(step: ResolvedStep, change: Partial<StepOutcome>): void {
    const outcome: StepOutcome = { ...this.#outcomes.get(step.id)!, ...change };
    this.#outcomes.set(step.id, outcome);
    this.#emit({ type: 'step-finished', step: step.id, outcome });
  }

  #settle(step: ResolvedStep, partial: Pick<StepOutcome, 'status' | 'reason'> & Partial<StepOutcome>): void {
    const outcome: StepOutcome = {
      id: step.id,
      use: step.use,
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
      ...partial,
    };
    // A step that was left behind may end after all.
    if (this.#outcomes.has(step.id)) return;
    this.#outcomes.set(step.id, outcome);
    this.#emit({ type: 'step-finished', step: step.id, outcome });
    for (const id of this.#dependents.get(step.id)!) {
      const open = this.#open.get(id)! - 1;
      this.#open.set(id, open);
      if (open === 0) this.#ready.push(this.#byId.get(id)!);
    }
  }

  #emit(
    event: RunEvent extends infer E ? (E extends { time: number } ? Omit<E, 'time'> : never) : never,
  ): void {
    const { listener, now } = this.#options;
    this.#outside(() => listener({ ...event, time: now() } as RunEvent));
  }

  async #loadMachinery(): Promise<Machinery> {
    const [{ default: Queue }, { WorkerPool: Threads }, { runStep }, { stepGuard }, { scratchesRemoved }] =
      await Promise.all([
        import('p-queue'),
        import('./pool.ts'),
        import('./run-step.ts'),
        import('./guard.ts'),
        import('./scratch.ts'),
      ]);
    this.#outside = (work) => stepGuard.outside(work);
    stepGuard.onDefect = (error) => {
      this.#stop();
      this.#defect.reject(error);
    };
    return {
      gates: await this.#loadGates(),
      queue: new Queue({ concurrency: this.#options.jobs ?? availableParallelism() }),
      pool: new Threads(),
      runStep,
      guard: stepGuard,
      scratchesRemoved,
    };
  }

  /** Null for a workflow without pools. */
  async #loadGates(): Promise<Gates | null> {
    const { workflow, signal } = this.#options;
    if (workflow.pools === undefined) return null;
    const gates = new (await import('./gates.ts')).Gates(workflow.pools);
    const open = () => gates.open();
    if (signal.aborted) open();
    else signal.addEventListener('abort', open, { once: true });
    return gates;
  }
}

const noSharedCache = Promise.resolve(null);

/** Why a result is not durable. */
interface Unpublished {
  error: unknown;
}

/** A false condition, something needed that failed, or a run that came to its end. */
type SkipCause = 'when' | 'failed' | 'stopped';

/** What running a step takes. */
interface Machinery {
  gates: Gates | null;
  queue: PQueue;
  pool: WorkerPool;
  runStep: typeof import('./run-step.ts').runStep;
  guard: StepGuard;
  scratchesRemoved(): Promise<void>;
}

/** What an outcome has from the work that was done. */
function outcomeOf(work: StepWork, durationMs: number) {
  return {
    duration_ms: durationMs,
    rows: mainRows(work.outputs),
    rows_computed: work.computed,
    rows_cached: work.cached,
    rows_failed: work.failed,
    metrics: work.metrics,
    outputs: work.outputs,
    warnings: work.warnings,
    attempts: work.attempts,
  };
}

function entryOf(
  prepared: PreparedStep,
  work: StepWork,
  durationMs: number,
  now: number,
  workflow: string,
): StepEntry {
  return {
    fingerprint: (prepared.fingerprint ?? {}) as StepEntry['fingerprint'],
    outputs: work.outputs,
    metrics: work.metrics,
    warnings: work.warnings,
    rows_failed: work.failed,
    duration_ms: Math.round(durationMs),
    created: new Date(now).toISOString(),
    made_by: { workflow, step: prepared.step.id },
  };
}
