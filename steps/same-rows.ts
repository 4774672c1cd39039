import { StepError } from '../engine/problems.ts';
import type { MatrixInput, TableInput } from '../engine/step.ts';

/** Throws a `StepError` unless the matrix has a vector for each row of the table, in its order. */
export function sameRows(rows: TableInput, vectors: MatrixInput): void {
  if (rows.ids === vectors.ids) return;
  throw new StepError(
    'rows-differ',
    rows.rows === vectors.rows
      ? `the ${rows.rows} rows and the ${vectors.rows} vectors have different ids, or another order`
      : `there are ${rows.rows} rows, but vectors of ${vectors.rows} rows`,
    'let `rows` be the step that the vectors were made from, or make the vectors from these rows',
  );
}
