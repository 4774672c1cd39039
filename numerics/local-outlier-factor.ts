import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import { nearestNeighbours } from './neighbours.ts';
import type { Workers } from './workers.ts';

/**
 * The local outlier factor of each row (Breunig et al. 2000): how much thinner the rows lie around it than around its `count` nearest
 * neighbours. About 1 inside a cluster, more outside. As scikit-learn's `LocalOutlierFactor` (of which it is
 * `-negative_outlier_factor_`), which counts exactly `count` neighbours where distances are equal. 1 for a row alone. Time n²·d.
 */
export async function localOutlierFactors(
  options: { matrix: MatrixView; metric: Metric; count: number },
  workers: Workers,
): Promise<Float64Array> {
  const { rows } = options.matrix;
  const { count, indices, distances } = await nearestNeighbours(options, workers);
  const factors = new Float64Array(rows).fill(1);
  if (count === 0) return factors;
  const farthest = (row: number) => distances[row * count + count - 1]!;
  const density = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let reach = 0;
    for (let at = row * count; at < (row + 1) * count; at++)
      reach += Math.max(distances[at]!, farthest(indices[at]!));
    // scikit-learn's guard for rows that lie at one place.
    density[row] = 1 / (reach / count + 1e-10);
  }
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let at = row * count; at < (row + 1) * count; at++) sum += density[indices[at]!]! / density[row]!;
    factors[row] = sum / count;
  }
  return factors;
}
