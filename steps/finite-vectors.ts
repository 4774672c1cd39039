import { StepError } from '../engine/problems.ts';
import type { Matrix } from '../engine/step.ts';

/** Throws a `StepError` that names the first row with a number that is not finite. `firstRow`: where a block begins. */
export function requireFinite({ data, columns }: Matrix, firstRow = 0): void {
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  throw new StepError(
    'bad-vector',
    `the vector of row ${firstRow + Math.floor(broken / columns) + 1} holds ${data[broken]}`,
    'numbers must be finite: look at the step that makes the vectors',
  );
}
