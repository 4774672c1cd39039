import type { MatrixInput } from '../../step.ts';

/** What differs between two matrices, row by row. */
export interface MatrixDiff {
  kind: 'matrix';
  rows: { old: number; now: number };
  columns: { old: number; now: number };
  added: number;
  removed: number;
  /** Rows of both that differ in a bit. */
  changed: number;
  same: number;
  /** Largest |now - old| of all values of rows of both; null without any. NaN counts as changed only. */
  max_abs_difference: number | null;
  /** Cosine of each row before and after, over the rows of both that are not zero; null without any. */
  cosine: { mean: number; min: number } | null;
}

/** Bytes of values of one matrix that are still read: both are held in memory. */
export const matrixLimit = 2 ** 30;

/**
 * Compares two matrices with the same number of columns. Both are held in memory.
 *
 * @param ids the row ids of both, in order; null if they are the same ids in the same order
 */
export async function diffMatrices(
  old: MatrixInput,
  now: MatrixInput,
  ids: { old: readonly string[]; now: readonly string[] } | null,
): Promise<MatrixDiff> {
  const [before, after] = [(await old.read()).data, (await now.read()).data];
  const rowOf = ids && new Map(ids.old.map((id, row) => [id, row]));
  const { columns } = now;
  let [compared, changed, cosines, sum, min] = [0, 0, 0, 0, Number.POSITIVE_INFINITY];
  let largest = 0;
  for (let row = 0; row < now.rows; row++) {
    const previous = rowOf === null ? row : rowOf.get(ids!.now[row]!);
    if (previous === undefined) continue;
    compared++;
    let [dot, a, b, differs] = [0, 0, 0, false];
    for (let column = 0; column < columns; column++) {
      const x = before[previous * columns + column]!;
      const y = after[row * columns + column]!;
      if (!Object.is(x, y)) {
        differs = true;
        const difference = Math.abs(y - x);
        if (difference > largest) largest = difference;
      }
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    if (differs) changed++;
    if (a > 0 && b > 0) {
      // Rounding must not make it more than 1.
      const cosine = differs ? Math.min(1, dot / Math.sqrt(a * b)) : 1;
      cosines++;
      sum += cosine;
      if (cosine < min) min = cosine;
    }
  }
  return {
    kind: 'matrix',
    rows: { old: old.rows, now: now.rows },
    columns: { old: old.columns, now: now.columns },
    added: now.rows - compared,
    removed: old.rows - compared,
    changed,
    same: compared - changed,
    max_abs_difference: compared === 0 ? null : largest,
    cosine: cosines === 0 ? null : { mean: sum / cosines, min },
  };
}
