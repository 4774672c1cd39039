import { resolve } from 'node:path';
import { askedBefore } from '../asked.ts';
import type { StepOutcome } from '../events.ts';
import { Redaction } from '../record/redaction.ts';
import type { SharedCache } from '../remote/shared-cache.ts';
import { DamagedBlobError } from '../store/failures.ts';
import type { Lease } from '../store/leases.ts';
import type { StepEntry } from '../store/step-index.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import { failureOf } from './failure.ts';
import { mainRows } from './io.ts';
import { lookUp } from './lookup.ts';
import { damageOf, Mending } from './mending.ts';
import type { WorkerPool } from './pool.ts';
import { type PreparedStep, prepareStep } from './prepare.ts';
import { Publisher } from './publish.ts';
import type { RunState } from './run-state.ts';
import type { StepWork } from './run-step.ts';
import { changedInput, entryOf, outcomeOf } from './step-result.ts';
import { declared, type IsStale, type LeftStep, type RunningStep, whatGoesOn } from './wind-down.ts';

/** What running a step takes; loaded when the first one must run. */
export interface RunningParts {
  pool: WorkerPool;
  runStep: typeof import('./run-step.ts').runStep;
}

interface Running extends RunningStep {
  ended: Promise<void>;
}

/** Why a result is not durable. */
interface Unpublished {
  error: unknown;
}

/**
 * Brings one step to its outcome: takes its result from the cache, or runs it and files what came out. It runs under
 * a lease, so that no other process does the same meanwhile; damaged inputs are computed again first.
 */
export class StepRunner {
  readonly #state: RunState;
  readonly #parts: () => Promise<RunningParts>;
  readonly #publisher: Publisher;
  readonly #mending: Mending;
  readonly #publishing: Promise<unknown>[] = [];
  #shared: Promise<SharedCache | null> | null = null;
  #over = false;
  readonly #running = new Map<ResolvedStep, Running>();

  constructor(state: RunState, parts: () => Promise<RunningParts>) {
    this.#state = state;
    this.#parts = parts;
    const { workspace, workflow } = state.options;
    this.#publisher = new Publisher(workspace, workflow.path);
    this.#mending = new Mending(state, async (prepared, reason, readers) => {
      const started = state.options.now();
      const ended = Promise.withResolvers<void>();
      this.#running.set(prepared.step, { leased: null, readers, ended: ended.promise });
      try {
        const { work, publish } = await this.#runMending(prepared, reason, started);
        const failure = await publish();
        if (failure) throw failure.error;
        return { status: 'ran', reason, ...outcomeOf(work, state.options.now() - started) };
      } finally {
        this.#running.delete(prepared.step);
        ended.resolve();
      }
    });
  }

  /** Runs a step that missed, unless another process finished it meanwhile. */
  async run(prepared: PreparedStep, reason: string, started: number): Promise<void> {
    const state = this.#state;
    const { workspace, now } = state.options;
    const { step, key } = prepared;
    const ended = Promise.withResolvers<void>();
    const running: Running = { leased: null, readers: null, ended: ended.promise };
    this.#running.set(step, running);
    const signal = state.signalOf(step);
    const shared = key !== null && step.cache && !state.isForced(step);
    let lease: Lease | null = null;
    let published: Promise<Unpublished | null> | null = null;
    try {
      if (shared) {
        lease = await workspace.leases.acquire(key, {
          signal,
          onWait: ({ pid }) => {
            const holder = pid === process.pid ? 'another step' : `process ${pid}`;
            state.emit({ type: 'step-waiting', step: step.id, holder });
          },
        });
        running.leased = key;
        // Another process may have finished the step since it was looked up.
        const found = await this.#look(prepared);
        if (found && (await this.settleCached(prepared, found)) === null) return;
        const pulled = await this.#pull(prepared);
        if (pulled && (await this.settleCached(prepared, pulled, 'from the shared cache')) === null) return;
      }
      const { work, publish } = await this.#runMending(prepared, reason, started);
      published = publish();
      await this.#deliver(step, work.outputs);
      state.settle(step, { status: 'ran', reason, ...outcomeOf(work, now() - started) });
      this.#publishing.push(
        published.then((failure) => {
          if (failure === null) return;
          // A disk that takes no more: what else would run cannot be kept either.
          state.stop();
          state.failAfterwards(step, failure.error);
        }),
      );
    } finally {
      this.#running.delete(step);
      ended.resolve();
      // Who waits for the lease must find the result.
      if (published) void published.then(() => lease?.release());
      else lease?.release();
    }
  }

  /** Settles a hit. If it turns out to be damaged, or cannot be used, says why it must be computed, or null. */
  async settleCached(prepared: PreparedStep, entry: StepEntry, reason = 'unchanged'): Promise<string | null> {
    const state = this.#state;
    const { step } = prepared;
    const rows = mainRows(entry.outputs);
    try {
      const delivery = this.#deliver(step, entry.outputs);
      if (delivery) await delivery;
    } catch (error) {
      if (error instanceof DamagedBlobError) {
        state.emit({ type: 'cache-damaged', step: step.id, message: error.message });
        return damageOf(error);
      }
      state.fail(step, error);
      return null;
    }
    this.#publisher.used(step, prepared.key!);
    state.settle(step, {
      status: 'cached',
      reason,
      rows,
      rows_cached: step.rowWise ? (rows ?? 0) : 0,
      metrics: entry.metrics,
      outputs: entry.outputs,
      warnings: entry.warnings,
      ...(entry.asked && { asked: askedBefore(entry.asked) }),
    });
    return null;
  }

  /** Interrupts what runs, but for what may go on: gives that. */
  async leave(isStale: IsStale): Promise<LeftStep[]> {
    const ends: Promise<void>[] = [];
    const goOn = whatGoesOn(this.#running, isStale);
    for (const [step, { ended }] of this.#running) {
      if (goOn.has(step)) continue;
      this.#state.interrupt(step);
      ends.push(ended);
    }
    // What comes next in another run must find what was done here, and free what was taken.
    await Promise.all(ends);
    this.#publisher.hurry();
    await Promise.all(this.#publishing);
    return [...this.#running].flatMap(([step, { leased: key }]) =>
      key === null || this.#state.isInterrupted(step)
        ? []
        : [{ id: step.id, declared: declared(step), key, resources: step.resources ?? {} }],
    );
  }

  /** No more steps come: waits until all results are durable and the caches are up to date. */
  async finish(): Promise<void> {
    this.#publisher.hurry();
    await Promise.all(this.#publishing);
    await this.#publisher.flush((message) => this.#state.warn(message));
  }

  /** Ends the connection to the shared cache. */
  async close(): Promise<void> {
    await (await this.#shared)?.close();
    this.#over = true;
  }

  async #look(prepared: PreparedStep): Promise<StepEntry | null> {
    const { workspace, workflow } = this.#state.options;
    const [found] = await lookUp([prepared], workspace, { workflowPath: workflow.path, forced: new Set() });
    return found?.hit ? found.entry : null;
  }

  /** The shared cache, once a step must run; null if there is none. */
  #openShared(): Promise<SharedCache | null> {
    const { workspace, signal } = this.#state.options;
    if (workspace.remote === null) return noSharedCache;
    this.#shared ??= import('../remote/open.ts').then(({ openSharedCache }) =>
      openSharedCache(workspace.remote!, workspace, {
        signal,
        warn: (message) => this.#state.warn(message),
      }),
    );
    return this.#shared;
  }

  /** A step's result, if another machine has put it into the shared cache. */
  async #pull(prepared: PreparedStep): Promise<StepEntry | null> {
    const shared = await this.#openShared();
    const wanted = { key: prepared.key!, outputs: prepared.step.outputs };
    if (!shared || !(await shared.pull(wanted))) return null;
    return await this.#look(prepared);
  }

  /**
   * Makes a result durable, while the steps that read it go on: the store reads what is not on disk yet. Gives why it
   * failed (a full disk), or null.
   */
  #publish({ step, key }: PreparedStep, entry: StepEntry | null): Promise<Unpublished | null> {
    const published = this.#publisher
      .publish(step, entry && key ? { key, entry } : null, (message) => this.#state.warn(message))
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
    const state = this.#state;
    const { workflow, workspace, now, secrets = {}, redaction } = state.options;
    const { step } = prepared;
    const { id } = step;
    const signal = state.signalOf(step);
    for (let round = 0; ; round++) {
      try {
        const { runStep, pool } = await this.#parts();
        const work = await runStep({
          prepared,
          workflow,
          workspace,
          productsOf: state.productsOf,
          forced: state.isForced(step),
          secrets,
          redaction: redaction ?? new Redaction(),
          pool,
          signal,
          onAttempt: (attempt) => state.emit({ type: 'step-started', step: id, attempt, reason }),
          onProgress: this.#progressOf(id),
          onLog: (level, message) => state.emit({ type: 'step-log', step: id, level, message }),
          onRetry: (attempt, delayMs, message) =>
            state.emit({ type: 'step-retry', step: id, attempt, delay_ms: delayMs, message }),
          onWait: (holder) => state.emit({ type: 'step-waiting', step: id, holder }),
          onAnswer: (model, text) => state.emit({ type: 'step-answer', step: id, model, text }),
          onSpent: (asked) => state.emit({ type: 'step-asked', step: id, asked: state.askedOf(step, asked) }),
          onAsked: (asked) => state.noteAsked(step, asked),
          onBatch: (batch) => state.noteBatch(step, batch),
          onLate: (error) => this.#hearLate(step, error),
        });
        const changed = await changedInput(prepared, workspace);
        if (changed !== null)
          work.warnings.push(`${changed} changed while the step ran; the result is not cached`);
        // A result with failed rows is no hit next time: only those rows will be computed again.
        const cacheable = step.cache && prepared.key !== null && work.failed === 0 && changed === null;
        const result = cacheable ? entryOf(prepared, work, now() - started, now(), workflow.path) : null;
        const entry = redaction?.json(result) ?? result;
        const last = prepared;
        return { work, publish: () => this.#publish(last, entry) };
      } catch (error) {
        if (!(error instanceof DamagedBlobError) || round >= 3) throw error;
        await this.#mending.mend(step, error);
        // What was computed again may have come out otherwise: then this step has other inputs.
        prepared = await prepareStep(step, workflow, workspace, state.productsOf);
        state.prepared.set(id, prepared);
      }
    }
  }

  /** An error of a step's code when the step has ended changes nothing of its result, but should be known. */
  #hearLate(step: ResolvedStep, error: unknown): void {
    if (this.#over || this.#state.isInterrupted(step)) return;
    this.#state.warn(`${step.id}: when the step had ended, its code failed: ${failureOf(error).message}`);
  }

  /** Tells of a step's progress ten times a second at most, and of its end. */
  #progressOf(step: string): (done: number, total: number | null, unit: string, cached: number) => void {
    let last = 0;
    return (done, total, unit, cached) => {
      const now = this.#state.options.now();
      if (now - last < 100 && done !== total) return;
      last = now;
      this.#state.emit({ type: 'step-progress', step, done, total, unit, cached });
    };
  }

  /**
   * Puts outputs where `output-path` parameters say, whether the step ran or was found in the cache, and checks
   * what the caller will read. Nothing to wait for where there is neither. DamagedBlobError; StepError
   * `output-not-written`.
   */
  #deliver({ outputFiles }: ResolvedStep, outputs: StepOutcome['outputs']): Promise<void> | undefined {
    const { workspace, readAfterwards } = this.#state.options;
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
}

const noSharedCache = Promise.resolve(null);
