import type { Matrix, Pool } from '../../engine/step.ts';
import { isolationScores } from '../../numerics/isolation-forest.ts';
import { localOutlierFactors } from '../../numerics/local-outlier-factor.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { neighbourDistances } from '../../numerics/outliers.ts';
import { quantile, quantiles } from '../../numerics/quantile.ts';
import { modifiedZScores } from '../../numerics/robust-score.ts';

export type Method = 'knn' | 'lof' | 'isolation_forest' | 'length';

export interface ScoreOptions {
  method: Method;
  metric: Metric;
  n_neighbors: number;
  n_estimators: number;
  max_samples: number;
  seed: number;
}

/** How far out each row of a group lies; greater is farther. `values`: vectors, or one column of lengths. */
export async function scoresOf(values: Matrix, options: ScoreOptions, pool: Pool): Promise<Float64Array> {
  const { method, metric, n_neighbors: count, seed } = options;
  switch (method) {
    case 'lof':
      return localOutlierFactors({ matrix: values, metric, count }, pool);
    case 'isolation_forest':
      return isolationScores(
        { matrix: values, estimators: options.n_estimators, samples: options.max_samples, seed },
        pool,
      );
    case 'length':
      return modifiedZScores(Float64Array.from(values.data, Math.log1p)).map(Math.abs);
    case 'knn': {
      const rank = Math.min(count, values.rows - 1);
      return neighbourDistances({ matrix: values, metric, count: rank, seed }, pool);
    }
  }
}

/** What a score must exceed by itself: scikit-learn's `offset_` for LOF and isolation forests. */
export function isFarOut(method: Method, scores: Float64Array): Uint8Array {
  const bound = method === 'lof' ? 1.5 : method === 'isolation_forest' ? 0.5 : 3.5;
  // Distances have no bound of their own: theirs is that of their modified z-score.
  const compared = method === 'knn' ? modifiedZScores(scores) : scores;
  return Uint8Array.from(compared, (score) => (score > bound ? 1 : 0));
}

/** The distance of a row over the median one of its group, so that groups of different width can be ranked together. */
export function relative(scores: Float64Array): Float64Array {
  const middle = scores.length > 0 ? quantile(scores, 0.5) : 0;
  return middle > 0 ? scores.map((score) => score / middle) : scores;
}

/** Scales columns, then rounds them to float32. A column whose spread is 0 is only shifted. */
export function scaledColumns(columns: readonly number[][], scaling: 'robust' | 'standard' | 'none'): Matrix {
  const rows = columns[0]?.length ?? 0;
  const data = new Float32Array(rows * columns.length);
  for (const [column, values] of columns.entries()) {
    const { centre, spread } = scaleOf(values, scaling);
    for (const [row, value] of values.entries())
      data[row * columns.length + column] = (value - centre) / spread;
  }
  return { data, rows, columns: columns.length };
}

function scaleOf(values: readonly number[], scaling: 'robust' | 'standard' | 'none') {
  if (scaling === 'none' || values.length === 0) return { centre: 0, spread: 1 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  if (scaling === 'standard') return { centre: mean, spread: deviation || 1 };
  const [low, median, high] = quantiles(values, [0.25, 0.5, 0.75]);
  return { centre: median, spread: high - low || deviation || 1 };
}
