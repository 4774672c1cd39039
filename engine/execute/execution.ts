import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type PQueue from 'p-queue';
import type { RunStatus, StepOutcome } from '../events.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { Gates } from './gates.ts';
import type { StepGuard } from './guard.ts';
import { type Lookup, lookUp } from './lookup.ts';
import { chainLengths, dependentsOf } from './order.ts';
import { evaluateWhen, type PreparedStep, prepareStep } from './prepare.ts';
import { type ExecutionOptions, RunState } from './run-state.ts';
import { type RunningParts, StepRunner } from './step-runner.ts';

export type { ExecutionOptions } from './run-state.ts';

/** What an execution left: an outcome for each step, in topological order, and what each was prepared with. */
export interface ExecutionResult {
  status: RunStatus;
  /** The steps that were looked at, in the order of the outcomes. */
  steps: readonly ResolvedStep[];
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
  readonly #state: RunState;
  readonly #runner: StepRunner;
  readonly #dependents: Map<string, string[]>;
  readonly #chains: Map<string, number>;
  /** Of each step, how many that it needs have no outcome yet. */
  readonly #open = new Map<string, number>();
  /** What running steps takes; loaded when the first one must run. */
  #machinery: Promise<Machinery> | null = null;
  /** Rejected by an error that belongs to no step: it ends all that run. */
  readonly #defect = Promise.withResolvers<never>();
  #ready: ResolvedStep[] = [];
  #running = 0;
  #lastTurn = 0;
  #wake: () => void = () => {};

  constructor(options: ExecutionOptions) {
    this.#state = new RunState(options);
    const { steps } = this.#state;
    this.#runner = new StepRunner(this.#state, () => this.#machinery!);
    this.#dependents = dependentsOf(steps);
    this.#chains = chainLengths(steps);
    this.#defect.promise.catch(() => {});
    for (const step of steps) {
      this.#open.set(step.id, step.needs.length);
      if (step.needs.length === 0) this.#ready.push(step);
    }
    this.#state.onSettled = ({ id }) => {
      for (const dependent of this.#dependents.get(id)!) this.#closeOne(dependent);
    };
    options.windDown?.attach((isStale) => {
      this.#state.windDown();
      return this.#runner.leave(isStale);
    });
    // Who waits for room in a pool learns that nothing more is started.
    this.#state.onStop = () => void this.#machinery?.then(({ gates }) => gates?.open());
  }

  /** One of the steps that a step needs has its outcome. */
  #closeOne(id: string): void {
    const open = this.#open.get(id)! - 1;
    this.#open.set(id, open);
    if (open === 0) this.#ready.push(this.#state.step(id));
  }

  async run(): Promise<ExecutionResult> {
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
      await this.#runner.finish();
    } finally {
      // Nothing is left that could be wound down: what the caller still does with the result is not to be stopped.
      this.#state.options.windDown?.attach(async () => []);
      const machinery = await this.#machinery;
      if (machinery) {
        await Promise.all([machinery.pool.close(), machinery.scratchesRemoved()]);
        machinery.guard.onDefect = null;
      }
      await this.#runner.close();
    }
    const { steps, outcomes, prepared } = this.#state;
    const status = this.#status();
    return { status, steps, outcomes: steps.map(({ id }) => outcomes.get(id)!), prepared };
  }

  #status(): RunStatus {
    const state = this.#state;
    const failed = [...state.outcomes.values()].filter(({ status }) => status === 'failed');
    const tolerated = failed.filter(({ id }) => state.step(id).on_error === 'continue');
    for (const { id, reason } of tolerated)
      state.warn(`${id} failed, and on_error: continue lets it: ${reason}`);
    if (state.options.signal.aborted || state.cutShort) return 'interrupted';
    const stopped = state.stopping && !state.windingDown;
    return failed.length > tolerated.length || stopped ? 'failed' : 'succeeded';
  }

  /** Decides a wave of steps whose needs all have outcomes. Lookups are made together. */
  async #decide(wave: ResolvedStep[]): Promise<void> {
    const state = this.#state;
    const { workflow, workspace, signal, failedBefore } = state.options;
    const { forced } = state;
    const prepared: PreparedStep[] = [];
    for (const step of wave) {
      if (signal.aborted || state.stopping) {
        state.skipStopped(step);
        continue;
      }
      const skipped = state.whySkipped(step);
      if (skipped !== null) {
        state.skip(step, skipped.cause, skipped.reason);
        continue;
      }
      try {
        if (step.for_each !== undefined) {
          await this.#expand(step);
          continue;
        }
        const when = await evaluateWhen(step, workflow, workspace, state.productsOf);
        if (when?.value === false) {
          state.skip(step, 'when', `when is false: ${when.shown}`);
          continue;
        }
        const ready = await prepareStep(step, workflow, workspace, state.productsOf);
        state.prepared.set(step.id, ready);
        prepared.push(ready);
      } catch (error) {
        state.fail(step, error);
      }
    }
    if (prepared.length === 0) return;
    let lookups: Lookup[];
    try {
      lookups = await lookUp(prepared, workspace, { workflowPath: workflow.path, forced, failedBefore });
    } catch (error) {
      for (const { step } of prepared) state.fail(step, error);
      return;
    }
    for (const [index, item] of prepared.entries()) {
      const lookup = lookups[index]!;
      if (lookup.hit) {
        const damaged = await this.#runner.settleCached(item, lookup.entry);
        if (damaged !== null) this.#enqueue(item, damaged);
      } else if (lookup.failed) {
        const { reason, failed: error } = lookup;
        state.settle(item.step, { status: 'failed', reason, error });
      } else {
        if (lookup.damaged)
          state.emit({ type: 'cache-damaged', step: item.step.id, message: lookup.damaged });
        this.#enqueue(item, lookup.reason);
      }
    }
  }

  /** Puts the steps that a step with `for_each` stands for in its place: its table is there now. */
  async #expand(step: ResolvedStep): Promise<void> {
    const state = this.#state;
    const { boundTo, namesOf, stepsForRows } = await import('./for-each.ts');
    const { id } = step;
    const { workspace, only } = state.options;
    const instances = await stepsForRows(step, workspace.store, state.productsOf, only);
    if (instances.length === 0) {
      state.skip(step, 'when', `${namesOf(step.for_each!)} has no rows`);
      return;
    }
    const dependents = this.#dependents.get(id)!.map((reader) => state.step(reader));
    const besides = dependents.filter(({ sameRows }) => sameRows?.includes(id));
    const readers = dependents
      .filter((reader) => !besides.includes(reader))
      .map((reader) => boundTo(reader, step, instances));
    for (const instance of instances) {
      this.#chains.set(instance.id, this.#chains.get(id)!);
      this.#dependents.set(instance.id, []);
    }
    for (const reader of readers) {
      const added = reader.needs.length - state.step(reader.id).needs.length;
      this.#open.set(reader.id, this.#open.get(reader.id)! + added);
      const needed = new Set(reader.needs);
      for (const instance of instances)
        if (needed.has(instance.id)) this.#dependents.get(instance.id)!.push(reader.id);
    }
    state.expand(step, instances, readers);
    const added = instances.map(({ id, use, needs }) => ({ id, use, needs }));
    state.emit({ type: 'steps-added', step: id, steps: added });
    for (const instance of instances) {
      // Those of the same row, which may not be done.
      const open = instance.needs.filter((need) => !state.outcomes.has(need) && this.#dependents.has(need));
      for (const need of open) this.#dependents.get(need)!.push(instance.id);
      this.#open.set(instance.id, open.length);
      if (open.length === 0) this.#ready.push(instance);
    }
    // Steps that run for the rows of the same table wait for no more than to know these.
    for (const { id: beside } of besides) this.#closeOne(beside);
  }

  #enqueue(prepared: PreparedStep, reason: string): void {
    const { step } = prepared;
    this.#state.emit({ type: 'step-queued', step: step.id, reason });
    this.#running++;
    const priority = this.#priorityOf(step);
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

  /** What the workflow says goes before how much hangs on a step. */
  #priorityOf({ id, priority = 0 }: ResolvedStep): number {
    return priority * 1e6 + this.#chains.get(id)!;
  }

  /** A step of a pool waits for its room there without a slot, and then, holding it, takes the next slot. */
  async #throughGates(gates: Gates, queue: PQueue, prepared: PreparedStep, reason: string): Promise<void> {
    const { id, resources = {} } = prepared.step;
    const leave = await gates.enter(resources, this.#priorityOf(prepared.step), (pools) =>
      this.#state.emit({ type: 'step-held', step: id, pools }),
    );
    try {
      await queue.add(() => this.#work(prepared, reason), { priority: Number.MAX_SAFE_INTEGER });
    } finally {
      leave();
    }
  }

  /** Runs one step that missed. Never throws. */
  async #work(prepared: PreparedStep, reason: string): Promise<void> {
    const state = this.#state;
    const { signal, now } = state.options;
    await this.#breathe();
    if (signal.aborted || state.stopping) {
      state.skipStopped(prepared.step);
      return;
    }
    const started = now();
    try {
      await Promise.race([this.#runner.run(prepared, reason, started), this.#defect.promise]);
    } catch (error) {
      state.fail(prepared.step, error, now() - started);
    }
  }

  /** Gives timers, signals and files a turn now and then: small steps in process could go on and on without one. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#lastTurn < turnMs) return;
    await turn();
    this.#lastTurn = performance.now();
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
    this.#state.outside = (work) => stepGuard.outside(work);
    stepGuard.onDefect = (error) => {
      this.#state.stop();
      this.#defect.reject(error);
    };
    return {
      gates: await this.#loadGates(),
      queue: new Queue({ concurrency: this.#state.options.jobs ?? availableParallelism() }),
      pool: new Threads(),
      runStep,
      guard: stepGuard,
      scratchesRemoved,
    };
  }

  /** Null for a workflow without pools. */
  async #loadGates(): Promise<Gates | null> {
    const { workflow, signal, held } = this.#state.options;
    if (workflow.pools === undefined) return null;
    const gates = new (await import('./gates.ts')).Gates(workflow.pools, { ...(held && { held }) });
    const open = () => gates.open();
    if (signal.aborted) open();
    else signal.addEventListener('abort', open, { once: true });
    return gates;
  }
}

/** What running steps takes. */
interface Machinery extends RunningParts {
  gates: Gates | null;
  queue: PQueue;
  guard: StepGuard;
  scratchesRemoved(): Promise<void>;
}
