import type { Matrix, StepContext } from '../../engine/step.ts';
import { type assignRows, moduleUrl as assignUrl } from '../../numerics/assign-rows.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { Found } from './methods.ts';
import { withCentres } from './with-centres.ts';

/** Gives noise to the cluster whose centre has the greatest cosine with it, if that is `threshold` or more; says how many rows that were. */
export async function reduceOutliers(
  matrix: Matrix,
  found: Found,
  { threshold, metric }: { threshold: number; metric: Metric },
  context: StepContext,
): Promise<{ found: Found; reduced: number }> {
  const noise = [...found.labels.keys()].filter((row) => found.labels[row]! < 0);
  if (noise.length === 0 || found.k === 0) return { found, reduced: 0 };
  const near = await context.pool.run<unknown, Awaited<ReturnType<typeof assignRows>>>(
    assignUrl,
    'assignRows',
    { matrix: gatherRows(matrix, noise), centres: found.centres, metric: 'cosine' },
  );
  const labels = found.labels.slice();
  let reduced = 0;
  noise.forEach((row, at) => {
    if (1 - near.distances[at]! < threshold) return;
    labels[row] = near.labels[at]!;
    reduced++;
  });
  if (reduced === 0) return { found, reduced };
  const clusters = await withCentres({ matrix, labels, k: found.k, metric }, context);
  const { persistence } = found;
  return {
    found: {
      ...found,
      ...clusters,
      ...(persistence && {
        persistence: Float64Array.from(clusters.order, (cluster) => persistence[cluster]!),
      }),
    },
    reduced,
  };
}
