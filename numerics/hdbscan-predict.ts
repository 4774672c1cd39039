import { deaths } from './condensed-tree.ts';
import { type HdbscanResult, selectedAbove } from './hdbscan.ts';
import type { MatrixView } from './matrix-product.ts';
import { alsoIn, distanceOf, type Metric, metricSpace } from './metric-space.ts';
import { nearestOfPart } from './neighbours.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface PredictOptions {
  /** The rows that were clustered, and how. */
  matrix: MatrixView;
  metric: Metric;
  minSamples: number;
  fitted: Pick<HdbscanResult, 'tree' | 'selected' | 'coreDistances'>;
  /** Rows to assign, with as many columns. */
  added: MatrixView;
}

/** By row: its cluster, −1 for noise, and how firmly it belongs to it, 0 to 1. */
export interface Prediction {
  labels: Int32Array;
  probabilities: Float64Array;
}

/**
 * The cluster (−1 noise) that each new row would lie in, and how firmly, as `approximate_predict` of the Python package:
 * the row hangs on its neighbour of least mutual reachability distance, at that level of the tree. The clusters stay as
 * they are: where new rows would form one of their own, they are noise. Time new rows × rows × columns.
 */
export async function assignNew(options: PredictOptions): Promise<Prediction> {
  const { matrix, metric, added, fitted } = options;
  const { parents, births, lastCluster, lambdas } = fitted.tree;
  const labels = new Int32Array(added.rows).fill(-1);
  const probabilities = new Float64Array(added.rows);
  if (matrix.rows < 2 || added.rows === 0) return { labels, probabilities };
  const space = metricSpace(matrix, metric);
  const minSamples = Math.max(1, Math.min(options.minSamples, matrix.rows - 1));
  const count = Math.min(2 * minSamples, matrix.rows);
  const near = await nearestOfPart({ space, queries: alsoIn(space, added), count, from: 0, to: added.rows });
  const above = selectedAbove(fitted.tree, fitted.selected);
  const most = deaths(fitted.tree);
  for (let row = 0; row < added.rows; row++) {
    const start = row * count;
    // As there: the row after the so-many nearest, since in a tree of its own a row is its own first neighbour.
    const core = distanceOf(metric, near.distances[start + Math.min(minSamples, count - 1)]!);
    let neighbour = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let at = start; at < start + count; at++) {
      const other = near.indices[at]!;
      const reach = Math.max(core, fitted.coreDistances[other]!, distanceOf(metric, near.distances[at]!));
      if (reach >= least) continue;
      least = reach;
      neighbour = other;
    }
    const lambda = 1 / least;
    let cluster = lastCluster[neighbour]!;
    if (lambdas[neighbour]! > lambda)
      while (cluster > 0 && births[cluster]! >= lambda) cluster = parents[cluster]!;
    const place = above[cluster]!;
    if (place < 0) continue;
    labels[row] = place;
    const top = most[fitted.selected[place]!]!;
    probabilities[row] = top > 0 ? Math.min(lambda, top) / top : 1;
  }
  return { labels, probabilities };
}
