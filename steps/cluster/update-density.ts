import type { Matrix, StepContext } from '../../engine/step.ts';
import type { Earlier } from './earlier.ts';
import { type Found, findClusters } from './methods.ts';
import type { Parameters } from './parameters.ts';
import { withCentres } from './with-centres.ts';

/** Share of an earlier cluster's rows that makes a cluster of today its continuation. */
const continuation = 0.5;

/**
 * Keeps rows of earlier clusters where they were; new rows, and earlier noise, go where HDBSCAN of all rows puts them. A cluster of today is an
 * earlier one if it has half of its rows, else a new one if most of its rows are new or were noise, else the one that most of its rows
 * are of: the part of a cluster that has split stays with it.
 */
export async function assignByDensity(
  matrix: Matrix,
  earlier: Earlier,
  parameters: Parameters,
  context: StepContext,
): Promise<Found> {
  const k = earlier.numbers.length;
  const now = await findClusters(matrix, parameters, context);
  const shared = Array.from({ length: now.k }, () => new Map<number, number>());
  const pooled = new Int32Array(now.k);
  now.labels.forEach((cluster, row) => {
    if (cluster < 0) return;
    const label = earlier.labels[row]!;
    if (label < 0) pooled[cluster]!++;
    else shared[cluster]!.set(label, (shared[cluster]!.get(label) ?? 0) + 1);
  });
  let clusters = k;
  const places = shared.map((counts, cluster) => {
    const [label, rows] = [...counts].reduce((most, own) => (own[1] > most[1] ? own : most), [-1, 0]);
    if (label >= 0 && rows >= continuation * earlier.sizes[label]!) return label;
    const size = now.sizes[cluster]!;
    return 2 * pooled[cluster]! > size && pooled[cluster]! >= parameters.min_cluster_size
      ? clusters++
      : label;
  });
  const labels = earlier.labels.map((label, row) =>
    label >= 0 ? label : now.labels[row]! < 0 ? -1 : places[now.labels[row]!]!,
  );
  const placed = await withCentres(
    { matrix, labels, k: Math.max(clusters, 1), metric: parameters.metric },
    context,
  );
  const { probabilities, outlierScores } = now;
  return { ...placed, ...(probabilities && { probabilities }), ...(outlierScores && { outlierScores }) };
}
