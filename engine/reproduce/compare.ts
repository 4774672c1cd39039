import type { Artefact, Metrics } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import { memberOf } from '../fingerprint/json-difference.ts';
import { diffOutputs, type OutputDifference } from '../record/compare/output-diff.ts';
import type { RunRecord, StepRecord } from '../record/record.ts';
import { DamagedBlobError, type Store } from '../store/store.ts';
import { distanceOf, matrixTolerance, relativeTolerance, tallyRows } from './tolerance.ts';

/** How something came out the second time, the best first. */
export type Sameness = 'identical' | 'within_tolerance' | 'different' | 'not_comparable';

/** An output of a step, then and now. */
export interface OutputComparison {
  output: string;
  verdict: Sameness;
  recorded: Digest | null;
  now: Digest | null;
  /** Rows of a table or matrix that are the same, or within the tolerance. Null where that cannot be told. */
  rows: { of: number; same: number; within: number } | null;
  /** How far apart values are that count as the same: relative in tables, absolute in matrices. */
  largest: number | null;
  /** What differs; null where nothing does. */
  difference: OutputDifference | null;
}

export interface MetricComparison {
  metric: string;
  verdict: Sameness;
  recorded: Metrics[string] | null;
  now: Metrics[string] | null;
}

/** A run with the store that has what it made. */
export interface Side {
  record: Pick<RunRecord, 'id' | 'steps'>;
  store: Store;
}

/**
 * Compares a step's outputs by digest, and what has another digest by its content. Of what was evicted since the run, the
 * digests alone are compared.
 */
export async function compareOutputs(
  step: string,
  old: Side,
  now: Side,
  examples = 3,
): Promise<OutputComparison[]> {
  const outputsOf = ({ record }: Side) => record.steps.find(({ id }) => id === step)?.outputs ?? {};
  const [before, after] = [outputsOf(old), outputsOf(now)];
  const comparisons: OutputComparison[] = [];
  for (const output of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [memberOf(before, output), memberOf(after, output)];
    comparisons.push({
      output,
      recorded: was?.digest ?? null,
      now: is?.digest ?? null,
      ...(was && is ? await compareArtefacts(was, is, old, now, examples) : apart),
    });
  }
  return comparisons;
}

type Comparison = Omit<OutputComparison, 'output' | 'recorded' | 'now'>;

/** Only one run has such an output. */
const apart: Comparison = { verdict: 'different', rows: null, largest: null, difference: null };

/** The content is the same bytes and the digest is another: nobody but an editor makes that. */
function altered(of: number): Comparison {
  const reason = 'the stored output has the same content: the digest in the record was changed';
  return {
    verdict: 'different',
    rows: { of, same: of, within: 0 },
    largest: null,
    difference: { kind: 'unavailable', reason, missing: [] },
  };
}

async function compareArtefacts(
  was: Artefact,
  is: Artefact,
  old: Side,
  now: Side,
  examples: number,
): Promise<Comparison> {
  const ids = (artefact: Artefact) => (artefact.kind === 'files' ? null : artefact.ids);
  const differ = () =>
    diffOutputs(
      { record: old.record, artefact: was },
      { record: now.record, artefact: is },
      { old: old.store, now: now.store },
      { examples },
    );
  const rows = is.kind === 'files' ? null : is.rows;
  if (was.digest === is.digest && ids(was) === ids(is)) {
    const all = rows === null ? null : { of: rows, same: rows, within: 0 };
    return { verdict: 'identical', rows: all, largest: null, difference: null };
  }
  if (was.kind === 'table' && is.kind === 'table' && was.ids === is.ids) {
    const tally = await ifThere(() => tallyRows(old.store.readTable(was), now.store.readTable(is), examples));
    if (tally !== null && tally.same === tally.of && tally.rewritten === 0) return altered(tally.of);
    if (tally !== null && tally.same + tally.within === tally.of) {
      const { of, same, within, largest } = tally;
      return { verdict: 'within_tolerance', rows: { of, same, within }, largest, difference: null };
    }
    const difference = await differ();
    return {
      verdict: 'different',
      rows: tally && { of: tally.of, same: tally.same, within: tally.within },
      largest: null,
      // Rows that count as the same are no examples of what differs.
      difference:
        tally && difference.kind === 'table'
          ? { ...difference, examples: { ...difference.examples, changed: tally.examples } }
          : difference,
    };
  }
  const difference = await differ();
  if (difference.kind === 'matrix') {
    const { added, removed, changed, same, max_abs_difference: largest } = difference;
    const near = added + removed === 0 && largest !== null && largest <= matrixTolerance;
    if (near && changed === 0 && ids(was) === ids(is)) return altered(same);
    const close = near && ids(was) === ids(is) && (await sameNaN(was, is, old, now));
    const of = Math.max(difference.rows.old, difference.rows.now);
    return {
      verdict: close ? 'within_tolerance' : 'different',
      rows: { of, same, within: close ? changed : 0 },
      largest: close ? largest : null,
      difference,
    };
  }
  if (difference.kind === 'table') {
    const of = Math.max(difference.rows.old, difference.rows.now);
    return {
      verdict: 'different',
      rows: { of, same: difference.same, within: 0 },
      largest: null,
      difference,
    };
  }
  return { verdict: 'different', rows: null, largest: null, difference };
}

/** Null where a blob is gone or damaged. */
async function ifThere<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DamagedBlobError) return null;
    throw error;
  }
}

/** Whether two matrices of the same shape have no number in the same places: such a value is near to nothing. */
async function sameNaN(was: Artefact, is: Artefact, old: Side, now: Side): Promise<boolean> {
  if (was.kind !== 'matrix' || is.kind !== 'matrix') return false;
  const [before, after] = [
    (await old.store.readMatrix(was).read()).data,
    (await now.store.readMatrix(is).read()).data,
  ];
  return before.every((value, index) => Number.isNaN(value) === Number.isNaN(after[index]!));
}

/** Metrics that are not exactly the same. */
export function compareMetrics(old: StepRecord['metrics'], now: StepRecord['metrics']): MetricComparison[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((metric) => {
    // Early versions recorded what was no number as null.
    const [was, is] = [memberOf(old, metric) ?? undefined, memberOf(now, metric)];
    if (was === is) return [];
    const verdict = distanceOf(was, is) <= relativeTolerance ? 'within_tolerance' : 'different';
    return [{ metric, verdict, recorded: was ?? null, now: is ?? null }];
  });
}
