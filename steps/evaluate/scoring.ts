import { StepError } from '../../engine/problems.ts';
import type { FromSchema } from '../../engine/schema-type.ts';
import type { MatrixInput, StepContext, TableInput, TableOutput } from '../../engine/step.ts';
import type { parameters } from './parameters.ts';

/** What each task of the step gets. */
export interface Scoring {
  parameters: FromSchema<typeof parameters>;
  inputs: { rows: TableInput; vectors: MatrixInput | undefined };
  outputs: { rows: TableOutput; contingency: TableOutput; calibrated: TableOutput };
  context: StepContext;
}

/** The fields with classes and predictions, which are there in tasks that compare them. */
export interface ClassScoring extends Scoring {
  parameters: Scoring['parameters'] & { truth: string; prediction: string };
}

export function nothingToScore(rows: TableInput, fields: readonly [string, string]): StepError {
  return new StepError(
    'nothing-to-score',
    rows.rows === 0
      ? 'there are no rows to score'
      : `none of the ${rows.rows} rows has both ${fields.join(' and ')}`,
    'a score of nothing would pass any check, so there is none',
  );
}
