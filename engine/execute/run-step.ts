import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Artefact, Metrics, Row } from '../artefacts.ts';
import type { Asked } from '../asked.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { JsonObject } from '../json.ts';
import type { AskOptions, BatchState } from '../language-model.ts';
import { ProblemError, StepError } from '../problems.ts';
import type { Redaction } from '../record/redaction.ts';
import { type Secrets, secretEnv } from '../secrets.ts';
import { type AnyStepType, type ArtefactSpec, anyInputs, type StepRun } from '../step.ts';
import { DamagedBlobError } from '../store/failures.ts';
import { typeWith } from '../type-with.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import type { Asking } from './asking.ts';
import { stepContext } from './context.ts';
import { tablesBehind } from './gathered-matrix.ts';
import { stepGuard } from './guard.ts';
import { OutputWriters, openInputs, type ProductsOf } from './io.ts';
import { keptMetrics } from './metrics.ts';
import type { WorkerPool } from './pool.ts';
import type { PreparedStep } from './prepare.ts';
import { redactedHandles, redactedType } from './redacted-writes.ts';
import { withRouteFields } from './routed-rows.ts';
import { runRows } from './rows.ts';

/** What one step's work came to. */
export interface StepWork {
  outputs: Record<string, Artefact>;
  metrics: Metrics;
  warnings: string[];
  computed: number;
  cached: number;
  failed: number;
  /** Null for a step that asks no language model. */
  asked: Asked | null;
  attempts: number;
}

export interface StepWorkOptions {
  prepared: PreparedStep;
  workflow: ResolvedWorkflow;
  workspace: Workspace;
  productsOf: ProductsOf;
  pool: WorkerPool;
  signal: AbortSignal;
  /** Values for the places that secrets have in the step's environment. */
  secrets: Secrets;
  redaction: Redaction;
  /** Rows are computed whatever the row cache has. */
  forced: boolean;
  onAttempt(attempt: number): void;
  onProgress(done: number, total: number | null, unit: string, cached: number): void;
  onLog(level: 'info' | 'warning', message: string): void;
  onRetry(attempt: number, delayMs: number, message: string): void;
  onWait(holder: string): void;
  /** What an attempt asked of language models, whether it succeeded or not. */
  onAsked(asked: Asked): void;
  /** What this attempt has asked of language models so far, soon after something was spent. */
  onSpent(asked: Asked): void;
  /** Of an answer that comes in pieces, the text so far. */
  onAnswer(model: string, text: string): void;
  /** How far a batch of requests is that the step waits for. */
  onBatch(state: BatchState): void;
  /** An error that the step's code throws when the step has ended. */
  onLate(error: unknown): void;
}

/** Runs a step: opens inputs, calls the type, finishes outputs; again after failures, as often as `retries` says. */
export async function runStep(options: StepWorkOptions): Promise<StepWork> {
  const { prepared, workspace, signal } = options;
  const source = workspace.registry.find(prepared.step.use)!;
  const hidden = secretEnv(prepared.step.env, options.secrets);
  const loaded = typeWith(await source.load(), prepared.parameters);
  const type = hidden === null ? loaded : redactedType(loaded, options.redaction);
  for (let attempt = 1; ; attempt++) {
    options.onAttempt(attempt);
    try {
      return { ...(await attemptStep(type, options, hidden)), attempts: attempt };
    } catch (error) {
      signal.throwIfAborted();
      if (attempt > prepared.step.retries || !mayRetry(error)) throw error;
      const wait = backoff(attempt);
      options.onRetry(attempt, wait, (error as Error).message);
      await delay(wait, undefined, { signal });
    }
  }
}

/** 1 s, doubling, at most a minute, with up to half of it added at random so that many do not return at once. */
function backoff(attempt: number): number {
  const base = Math.min(60_000, 1000 * 2 ** (attempt - 1));
  return Math.round(base * (1 + Math.random() / 2));
}

/** What a step expects (a missing column) fails again when asked again, unless it says otherwise. */
function mayRetry(error: unknown): boolean {
  if (error instanceof ProblemError || error instanceof DamagedBlobError) return false;
  return !(error instanceof StepError) || error.retryable;
}

async function attemptStep(
  type: AnyStepType,
  options: StepWorkOptions,
  hidden: Readonly<Record<string, string>> | null,
): Promise<Omit<StepWork, 'attempts'>> {
  const { prepared, workflow, workspace, productsOf, redaction } = options;
  const { step } = prepared;
  const limit = step.timeout_ms === null ? null : timeLimit(step.timeout_ms);
  const signal = limit === null ? options.signal : AbortSignal.any([options.signal, limit.signal]);
  const stop = new AbortController();
  /** Aborts the step's own signal, whose listeners are the step's code as well. */
  let abort = (reason: unknown) => stop.abort(reason);
  const pass = () => abort(signal.reason);
  const warnings: string[] = [];
  const onLog: StepWorkOptions['onLog'] = (level, message) => {
    if (level === 'warning') warnings.push(message);
    options.onLog(level, message);
  };
  const asking =
    prepared.languageModels.size === 0 ? null : await openAsking({ ...options, onLog }, stop.signal);
  const { context, dispose } = stepContext({
    step,
    seed: workflow.seed,
    root: workflow.root,
    params: prepared.params,
    matrix: prepared.matrix,
    env: { ...prepared.env, ...hidden },
    files: prepared.files,
    models: prepared.models,
    asking,
    pool: options.pool,
    signal: stop.signal,
    onProgress: (done, total, unit) => options.onProgress(done, total, unit, 0),
    onLog,
  });
  const specs: Record<string, ArtefactSpec> = { ...step.outputs };
  const writers = new OutputWriters(workspace.store, specs);
  const handles = hidden === null ? writers.handles() : redactedHandles(writers.handles(), specs, redaction);
  const writeAnswer = (row: Row) =>
    (handles['answers'] as { write(row: Row): Promise<void> | undefined }).write(row);
  const guarded = {
    onLine: (line: string) => options.onLog('info', line),
    onLate: options.onLate,
  };
  try {
    const run = {
      parameters: prepared.parameters,
      inputs: await openInputs(
        step,
        workspace.store,
        productsOf,
        (input) => type.inputs === anyInputs || type.inputs[input]?.optional === true,
        tablesBehind(workflow, productsOf),
      ),
      outputs: handles,
      context,
    } as unknown as StepRun<never, never, never>;
    const work = stepGuard.run(guarded, async () => {
      abort = AsyncLocalStorage.bind(abort);
      if (signal.aborted) pass();
      else signal.addEventListener('abort', pass, { once: true });
      if (type.kind === 'step') {
        const result = await type.run(run);
        if (asking) for (const row of asking.rows()) await writeAnswer(row);
        return { result, computed: 0, cached: 0, failed: 0 };
      }
      const { fingerprint } = prepared;
      return runRows({
        type: withRouteFields(type, prepared.languageModels.values()),
        run,
        writeFailed: (row: Row) =>
          (handles['failed'] as { write(row: Row): Promise<void> | undefined }).write(row),
        asking: asking && { by: asking, write: writeAnswer },
        identity: fingerprint && step.cache ? rowIdentity(fingerprint) : null,
        cache: step.cache ? workspace.rowCache() : null,
        leases: workspace.leases,
        maxFailures: step.max_row_failures,
        forced: options.forced,
        onProgress: (done, total, cached) => options.onProgress(done, total, 'rows', cached),
        onWait: (holder) => options.onWait(`process ${holder.pid}`),
      });
    });
    const { result, ...rows } = await untilAborted(work, signal);
    const outputs = await writers.finish();
    const metrics = redaction.json(keptMetrics(result?.metrics ?? {}, (text) => warnings.push(text)));
    return { outputs, metrics, warnings: redaction.json(warnings), asked: asking?.asked ?? null, ...rows };
  } catch (error) {
    // What the step left running learns by its signal that it is over.
    abort(error);
    await writers.abort();
    throw limit?.signal.aborted && !options.signal.aborted ? limit.signal.reason : error;
  } finally {
    asking?.close();
    if (asking) options.onAsked(asking.asked);
    limit?.clear();
    signal.removeEventListener('abort', pass);
    dispose();
  }
}

async function openAsking(
  { prepared, onLog, onAnswer, onSpent, onBatch }: StepWorkOptions,
  signal: AbortSignal,
): Promise<Asking> {
  const { Asking: Opened } = await import('./asking.ts');
  const notify: AskOptions['notify'] = (message, level = 'info') => onLog(level, message);
  const { id, priority = 0 } = prepared.step;
  return new Opened({
    step: id,
    models: prepared.languageModels,
    signal,
    notify,
    priority,
    onText: onAnswer,
    onSpent,
    onBatch,
  });
}

/** What a row's value depends on beside its fields and the row parameters: all of the fingerprint but the inputs. */
export function rowIdentity({
  code,
  packages,
  params = {},
  matrix,
  order,
  files,
  models,
  env,
  seed,
}: Fingerprint): JsonObject {
  return {
    code,
    packages,
    params,
    ...(matrix && { matrix }),
    ...(order && { order }),
    files,
    models,
    env,
    seed,
  };
}

function timeLimit(ms: number): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () =>
      controller.abort(
        new StepError('timeout', `it took longer than its timeout of ${ms / 1000} s`, undefined, {
          retryable: true,
        }),
      ),
    ms,
  );
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/** A step that ignores its signal must not hold up Ctrl-C: it is left behind a second after the abort. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => {
      timer = setTimeout(() => reject(signal.reason), 1000);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    clearTimeout(timer);
    if (leave) signal.removeEventListener('abort', leave);
    work.catch(() => undefined);
  }
}
