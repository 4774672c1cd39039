import { StepError } from '../../engine/problems.ts';
import type { MatrixInput, StepContext, TableInput, TableOutput } from '../../engine/step.ts';

/** What each task of the step gets. */
export interface Scoring {
  parameters: {
    truth: string;
    prediction: string;
    metric: 'cosine' | 'euclidean';
    sample_size: number;
    out_of_scope_label?: string;
    score: string;
    resamples: number;
    confidence_level: number;
  };
  inputs: { rows: TableInput; vectors: MatrixInput | undefined };
  outputs: { rows: TableOutput; contingency: TableOutput };
  context: StepContext;
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
