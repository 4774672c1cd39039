import type { Matrix, StepContext } from '../../engine/step.ts';
import { type Clusters, moduleUrl } from '../../numerics/cluster-centres.ts';
import type { Metric } from '../../numerics/metric-space.ts';

/**
 * The clusters of labels (0 to `k` − 1, −1 for noise) with centres, sizes and the distance of each row, in a worker thread. They are
 * numbered anew, the largest first; `order`: of each the label that it had.
 */
export function withCentres(
  { matrix, labels, k, metric }: { matrix: Matrix; labels: Int32Array; k: number; metric: Metric },
  context: StepContext,
): Promise<Clusters & { order: number[] }> {
  return context.pool.run(moduleUrl, 'withCentres', { matrix, labels, k, metric });
}
