import type { Row } from '../artefacts.ts';
import { canonicalJson, type Json } from '../json.ts';
import type { ChangedRow } from '../record/compare/table-diff.ts';
import type { TableInput } from '../step.ts';

/**
 * Numbers count as the same if they differ by no more than this share of the larger one: rounding of another CPU. Not so two
 * whole numbers: counts, times and keys are not rounded.
 */
export const relativeTolerance = 1e-6;
/** Values of matrices (float32) count as the same if no two differ by more than this. */
export const matrixTolerance = 1e-5;

/** Rows of two tables with the same ids in the same order, one by one. */
export interface RowTally {
  of: number;
  same: number;
  /** Of these, those whose fields stand in another order. */
  rewritten: number;
  /** Rows in which nothing but numbers differ, within the tolerance. */
  within: number;
  /** Largest relative difference of two numbers that count as the same. */
  largest: number;
  /** The first rows that differ by more. */
  examples: ChangedRow[];
}

/** Compares two tables whose `ids` are equal, in step: memory does not grow with them. */
export async function tallyRows(old: TableInput, now: TableInput, examples = 3): Promise<RowTally> {
  const tally: RowTally = { of: now.rows, same: 0, rewritten: 0, within: 0, largest: 0, examples: [] };
  const before = rowsOf(old);
  try {
    for await (const block of now.blocks())
      for (const row of block) {
        const { value: earlier } = await before.next();
        if (earlier === undefined) throw new Error('a table has fewer rows than it says');
        countRow(tally, earlier, row, examples);
      }
  } finally {
    await before.return();
  }
  return tally;
}

async function* rowsOf(table: TableInput): AsyncGenerator<Row, void> {
  for await (const block of table.blocks()) yield* block;
}

function countRow(tally: RowTally, old: Row, now: Row, examples: number): void {
  const exact = JSON.stringify(old) === JSON.stringify(now);
  if (exact || canonicalJson(old) === canonicalJson(now)) {
    tally.same++;
    if (!exact) tally.rewritten++;
    return;
  }
  const distance = distanceOf(old, now);
  if (distance <= relativeTolerance) {
    tally.within++;
    tally.largest = Math.max(tally.largest, distance);
    return;
  }
  if (tally.examples.length >= examples) return;
  const names = new Set([...Object.keys(now), ...Object.keys(old)]);
  const fields = [...names].flatMap((field) => {
    const [before, after] = [own(old, field), own(now, field)];
    const same =
      before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after);
    return same ? [] : [{ field, old: before, now: after }];
  });
  tally.examples.push({ id: now.id, fields });
}

function own(row: Row, field: string): Json | undefined {
  return Object.hasOwn(row, field) ? row[field] : undefined;
}

/** Largest relative difference of the numbers of two values of the same shape; infinite if anything else differs. */
export function distanceOf(old: Json | undefined, now: Json | undefined): number {
  if (typeof old === 'number' && typeof now === 'number') {
    if (old === now) return 0;
    if (Number.isSafeInteger(old) && Number.isSafeInteger(now)) return Number.POSITIVE_INFINITY;
    return Math.abs(now - old) / Math.max(Math.abs(now), Math.abs(old));
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    if (old.length !== now.length) return Number.POSITIVE_INFINITY;
    return Math.max(0, ...old.map((value, index) => distanceOf(value, now[index])));
  }
  if (isObject(old) && isObject(now)) {
    const names = Object.keys(old);
    if (names.length !== Object.keys(now).length) return Number.POSITIVE_INFINITY;
    return Math.max(
      0,
      ...names.map((name) =>
        Object.hasOwn(now, name) ? distanceOf(old[name], now[name]) : Number.POSITIVE_INFINITY,
      ),
    );
  }
  return old === now ? 0 : Number.POSITIVE_INFINITY;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
