import { hash } from 'node:crypto';
import type { Row } from '../artefacts.ts';
import { canonicalJson, type Json, type JsonObject } from '../json.ts';
import { StepError } from '../problems.ts';
import { type RowComputer, RowFailure, type StepResult, type StepRun, type TableInput } from '../step.ts';
import type { LeaseHolder, Leases } from '../store/leases.ts';
import type { RowCache } from '../store/row-cache.ts';
import { rowsFor } from '../type-with.ts';
import { answersOf, withAnswers, withoutAnswers } from './asked-rows.ts';
import type { Asking } from './asking.ts';
import { contentOf, type RoutedType } from './routed-rows.ts';
import { type Value, ValueStore } from './value-store.ts';

export interface RowRun {
  type: RoutedType;
  run: StepRun<JsonObject, never, never>;
  /** Appends to the implicit `failed` output. */
  writeFailed(row: Row): Promise<void> | undefined;
  /** What rows are filed under beside fields and parameters: all else of the fingerprint. Null: no row cache. */
  identity: JsonObject | null;
  cache: RowCache | null;
  leases: Leases;
  /** Of types that ask language models, with what appends to the implicit `answers` output. */
  asking?: { by: Asking; write(row: Row): Promise<void> | undefined } | null;
  maxFailures: { count: number } | { share: number };
  forced: boolean;
  onProgress(done: number, total: number, cached: number): void;
  onWait(holder: LeaseHolder): void;
}

export interface RowRunResult {
  result: StepResult;
  computed: number;
  cached: number;
  failed: number;
}

/** Values made of answers, which are on disk already, can be made again for nothing: they wait for each other. */
const answeredWaitMs = 1000;
/** Rows at once whose requests are gathered to be asked together; more make another batch. */
const gatheredRows = 100_000;
/**
 * There, so many times the usual number of rows are under way that are asked about one by one: those behind them may be
 * gathered with others, and should not have to wait. More would take too much memory.
 */
const ahead = 64;
/** Reasons of failed rows that are told apart in the error, and those that it says. */
const [countedReasons, shownReasons] = [1000, 3];

/**
 * Runs a row-wise step: looks every row up in the row cache, computes each missing value once (equal rows share it),
 * files it as it arrives, and lets the type write its outputs. Interrupted at any moment, the next run finds all
 * rows that were filed. Only successes are filed.
 */
export async function runRows(options: RowRun): Promise<RowRunResult> {
  const { type, run, cache } = options;
  const { signal } = run.context;
  const input = await rowsFor(type, run);
  const content = contentOf(type, run.parameters, input);
  const computer = (await type.open(run)) as RowComputer<Value>;
  let values: ValueStore | undefined;
  try {
    const namespace =
      cache && options.identity !== null
        ? cache.namespace(namespaceIdentity(type, run.parameters, options.identity, computer.identity))
        : null;
    const work = await collect(input, content, signal);
    values = new ValueStore({
      filing: cache && namespace ? { cache, namespace } : null,
      keys: work.keys,
      replace: options.forced,
      waitMs: options.asking ? answeredWaitMs : undefined,
    });
    const kept = values;
    // A forced step computes its rows whatever the cache has.
    let missing = options.forced ? work.all() : await kept.lookUp(work.all());
    let cachedRows = rowsOf(work, (unique) => kept.has(unique));
    const failures = new Map<number, RowFailure>();
    const computed = new Set<number>();
    const compute = options.asking ? withAnswers(computer, options.asking.by) : computer;
    const asking = options.asking?.by;
    const gathering = asking?.gathers === true ? asking : null;
    if (missing.length > 0) {
      options.onProgress(cachedRows, input.rows, cachedRows);
      const lease =
        namespace === null
          ? null
          : await options.leases.acquire(`rows:${namespace.identity}`, { signal, onWait: options.onWait });
      try {
        // Another holder of the lease may have computed some of them meanwhile.
        if (!options.forced) missing = await kept.lookUp(missing);
        cachedRows = rowsOf(work, (unique) => kept.has(unique));
        let done = cachedRows;
        await computeMissing(compute, gathering, work, missing, signal, (unique, value) => {
          if (value instanceof RowFailure) failures.set(unique, value);
          else kept.put(unique, value);
          computed.add(unique);
          done += work.counts[unique]!;
          options.onProgress(done, input.rows, cachedRows);
        });
        await kept.flush();
      } finally {
        lease?.release();
      }
    }
    const failed = await reportFailures(options, input, work, failures);
    const rows = emitted(input, work, kept, failures);
    const bare = options.asking && withoutAnswers(rows, computed, options.asking.by, options.asking.write);
    const given = Object.assign(bare ?? rows, { count: input.rows - failed });
    const result = await type.emit(run, given);
    return { result, computed: input.rows - cachedRows - failed, cached: cachedRows, failed };
  } finally {
    values?.close();
    await computer.close?.();
  }
}

/** What values of rows are filed under, beside the row's fields. */
export function namespaceIdentity(
  type: RoutedType,
  parameters: JsonObject,
  step: JsonObject,
  computer: Json,
): JsonObject {
  return {
    type: type.type,
    step,
    identity: computer,
    parameters: type.rowParameters?.(parameters) ?? parameters,
    fields: type.fields(parameters),
    ...(type.routeFields && { route_fields: type.routeFields.map(({ name }) => name) }),
  };
}

/** The name of a row's value within its namespace, by the values of its fields. */
export function rowKey(content: readonly Json[]): Buffer {
  return hash('sha256', canonicalJson(content as Json[]), 'buffer');
}

/** The input's rows as unique pieces of work: equal fields are one. */
interface Work {
  /** For each row of the input, in order, its unique piece. */
  unique: Uint32Array;
  keys: Uint8Array[];
  /** Field values of each unique piece. */
  fields: Json[][];
  /** Rows that share each piece. */
  counts: number[];
  all(): number[];
}

async function collect(
  input: TableInput,
  contentOfRow: (row: Row) => Json[],
  signal: AbortSignal,
): Promise<Work> {
  const unique = new Uint32Array(input.rows);
  const seen = new Map<string, number>();
  const keys: Uint8Array[] = [];
  const values: Json[][] = [];
  const counts: number[] = [];
  let position = 0;
  for await (const block of input.blocks()) {
    signal.throwIfAborted();
    for (const row of block) {
      const content = contentOfRow(row);
      const key = rowKey(content);
      const name = key.toString('latin1');
      let index = seen.get(name);
      if (index === undefined) {
        index = keys.length;
        seen.set(name, index);
        keys.push(key);
        values.push(content);
        counts.push(0);
      }
      counts[index]!++;
      unique[position++] = index;
    }
  }
  return { unique, keys, fields: values, counts, all: () => keys.map((_, index) => index) };
}

function rowsOf(work: Work, has: (unique: number) => boolean): number {
  return work.counts.reduce((sum, count, index) => (has(index) ? sum + count : sum), 0);
}

/** @param gathering tells of rows whose requests are gathered: each makes way for another, that all can be asked together */
async function computeMissing(
  computer: RowComputer<Value>,
  gathering: Asking | null,
  work: Work,
  missing: number[],
  signal: AbortSignal,
  onValue: (unique: number, value: Value | RowFailure) => void,
): Promise<void> {
  const { order, batchSize, concurrency } = computer;
  if (order) {
    const rank = new Map(missing.map((piece) => [piece, order(work.fields[piece]!)]));
    missing.sort((a, b) => rank.get(a)! - rank.get(b)! || a - b);
  }
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  let failure: unknown;
  let next = 0;
  let underway = 0;
  const ended = Promise.withResolvers<void>();
  const begin = (): void => {
    underway++;
    computeBatches().then(() => void (--underway === 0 && ended.resolve()), ended.reject);
  };
  const computeBatches = async (): Promise<void> => {
    let hasMadeWay = false;
    const makeWay = () => {
      if (hasMadeWay || underway >= gatheredRows) return;
      hasMadeWay = true;
      begin();
    };
    while (!hasMadeWay && next < missing.length && !stopped.aborted) {
      const pieces = missing.slice(next, next + batchSize);
      next += pieces.length;
      const fields = pieces.map((piece) => work.fields[piece]!);
      const compute = () => computer.compute(fields, stopped);
      try {
        const values = await (gathering === null ? compute() : gathering.hearing(makeWay, compute));
        pieces.forEach((piece, index) => void onValue(piece, values[index]!));
      } catch (error) {
        if (error instanceof RowFailure && pieces.length === 1) onValue(pieces[0]!, error);
        else {
          failure ??= error;
          stop.abort(error);
        }
      }
    }
  };
  const places = gathering === null ? concurrency : ahead * concurrency;
  const atOnce = Math.min(places, Math.ceil(missing.length / batchSize));
  for (let worker = 0; worker < atOnce; worker++) begin();
  if (atOnce === 0) ended.resolve();
  // A batch may take a day, and is not lost: a step that has failed does not wait for it.
  await (gathering === null ? ended.promise : endedOrAborted(ended.promise, stopped));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
}

async function endedOrAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([work, aborted]);
}

/** Writes the failed rows with their reasons, or fails the step if there are more than allowed. */
async function reportFailures(
  { maxFailures, writeFailed, asking }: RowRun,
  input: TableInput,
  work: Work,
  failures: Map<number, RowFailure>,
): Promise<number> {
  if (failures.size === 0) return 0;
  let failed = 0;
  const reasons = new Map<string, { first: string; count: number }>();
  let position = 0;
  for await (const row of input.read()) {
    const failure = failures.get(work.unique[position++]!);
    if (failure === undefined) continue;
    const { reason } = failure;
    failed++;
    const known = reasons.get(reason);
    if (known) known.count++;
    else if (reasons.size < countedReasons) reasons.set(reason, { first: row.id, count: 1 });
    await writeFailed({ ...row, reason });
    if (asking) for (const answer of answersOf(failure, row.id, asking.by)) await asking.write(answer);
  }
  const allowed =
    'count' in maxFailures ? maxFailures.count : Math.floor(maxFailures.share * input.rows + 1e-9);
  if (failed <= allowed) return failed;
  const [first, ...others] = [...reasons].slice(0, shownReasons).map(([reason, { first: id, count }]) => {
    return `row ${id}: ${reason}${count > 1 && reasons.size > 1 ? ` (${count} rows)` : ''}`;
  });
  const rest =
    others.length === 0
      ? ''
      : `; other reasons: ${others.join('; ')}${reasons.size > shownReasons ? '; …' : ''}`;
  const passes = [...failures.values()].every(({ retryable }) => retryable);
  const again = passes ? 'run again when that is over' : 'mend what the reasons name and run again';
  throw new StepError(
    'too-many-failed-rows',
    `${failed} of ${input.rows} rows failed, ${allowed} are allowed; the first: ${first}${rest}`,
    failed === input.rows
      ? again
      : `the other rows are kept: ${again}, or allow more with max_row_failures: ${failed}`,
  );
}

async function* emitted(
  input: TableInput,
  work: Work,
  values: ValueStore,
  failures: Map<number, RowFailure>,
): AsyncIterable<{ row: Row; value: Value; unique: number }> {
  let position = 0;
  for await (const row of input.read()) {
    const unique = work.unique[position++]!;
    if (!failures.has(unique)) yield { row, value: values.get(unique), unique };
  }
}
