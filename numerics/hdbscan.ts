import { type SelectionOptions, selectClusters } from './cluster-selection.ts';
import { type CondensedTree, condense, deaths, stabilities } from './condensed-tree.ts';
import type { MatrixView } from './matrix-product.ts';
import { distanceOf, type Metric, metricSpace } from './metric-space.ts';
import { nearestInSpace } from './neighbours.ts';
import { singleLinkage } from './single-linkage.ts';
import { reachabilityTree } from './spanning-tree.ts';
import type { Workers } from './workers.ts';

/** Neighbours found of each row, at least: they decide most edges of the spanning tree. */
const leastNeighbours = 16;

export interface HdbscanOptions {
  matrix: MatrixView;
  metric: Metric;
  /** Rows that make a cluster, at least 2. */
  minClusterSize: number;
  /** A row's core distance is that to its so-many-th nearest other row. */
  minSamples: number;
  selection: SelectionOptions;
}

export interface HdbscanResult {
  /** Cluster of each row from 0 up, −1 for noise. Clusters are in the order of the condensed tree. */
  labels: Int32Array;
  /** How firmly each row belongs to its cluster, 0 (noise) to 1. */
  probabilities: Float64Array;
  /** GLOSH: how much sparser it is round a row than in the densest part of where it belongs, 0 to 1. */
  outlierScores: Float64Array;
  /** By cluster: its stability over the greatest that its size could have, 0 to 1. */
  persistence: Float64Array;
  /** What `assignNew` needs. */
  coreDistances: Float64Array;
  tree: CondensedTree;
  selected: number[];
}

/**
 * HDBSCAN* (Campello, Moulavi, Zimek & Sander 2015; McInnes & Healy 2017): density clusters of any shape, rows in
 * sparse places left out as noise, outlier scores by GLOSH. Exact, and the same on every machine with any number of
 * threads; results are those of the Python package hdbscan, whose `min_samples` does not count the row itself
 * (scikit-learn's does).
 *
 * Time: n²·d as float32 products for the neighbours, and for the spanning tree at worst log n times that (see
 * `reachabilityTree`). Memory: n·(d + minSamples).
 */
export async function hdbscan(options: HdbscanOptions, workers: Workers): Promise<HdbscanResult> {
  const { matrix, metric, minClusterSize } = options;
  const { rows } = matrix;
  const space = metricSpace(matrix, metric);
  const minSamples = Math.max(1, Math.min(options.minSamples, rows - 1));
  const neighbours = await nearestInSpace(space, Math.max(leastNeighbours, minSamples), workers);
  const { count } = neighbours;
  const cores = new Float64Array(new SharedArrayBuffer(rows * 8));
  if (count > 0)
    for (let row = 0; row < rows; row++) cores[row] = neighbours.distances[row * count + minSamples - 1]!;
  const tree = await reachabilityTree(space, cores, neighbours, workers);
  const merges = singleLinkage({
    ...tree,
    weights: tree.weights.map((square) => distanceOf(metric, square)),
  });
  const condensed = condense(merges, rows, minClusterSize);
  const selected = selectClusters(condensed, options.selection);
  return {
    ...flatClustering(condensed, selected, options.selection),
    outlierScores: outlierScores(condensed),
    coreDistances: cores.map((square) => distanceOf(metric, square)),
    tree: condensed,
    selected,
  };
}

/** Place in `selected` of the cluster that each cluster of the tree is part of; −1 if it is part of none. */
export function selectedAbove({ parents }: CondensedTree, selected: readonly number[]): Int32Array {
  const places = new Map(selected.map((cluster, place) => [cluster, place]));
  const above = new Int32Array(parents.length).fill(-1);
  for (let cluster = 0; cluster < parents.length; cluster++)
    above[cluster] = places.get(cluster) ?? (cluster > 0 ? above[parents[cluster]!]! : -1);
  return above;
}

function flatClustering(
  tree: CondensedTree,
  selected: readonly number[],
  { epsilon }: SelectionOptions,
): Pick<HdbscanResult, 'labels' | 'probabilities' | 'persistence'> {
  const { births, parents, lastCluster, lambdas } = tree;
  const above = selectedAbove(tree, selected);
  const most = deaths(tree);
  // In a single cluster of everything, points that left before its first split (or before epsilon) are noise.
  let leastOfRoot = epsilon > 0 ? 1 / epsilon : 0;
  if (epsilon === 0)
    parents.forEach((parent, cluster) => {
      if (parent === 0) leastOfRoot = Math.max(leastOfRoot, births[cluster]!);
    });
  const probabilities = new Float64Array(lastCluster.length);
  const sizes = new Int32Array(selected.length);
  const labels = lastCluster.map((last, point) => {
    const place = above[last]!;
    if (place < 0 || (last === 0 && lambdas[point]! < leastOfRoot)) return -1;
    const top = most[selected[place]!]!;
    probabilities[point] = top > 0 ? Math.min(lambdas[point]!, top) / top : 1;
    sizes[place]!++;
    return place;
  });
  const stability = stabilities(tree);
  const highest = lambdas.reduce((top, lambda) => Math.max(top, lambda), 0);
  const persistence = Float64Array.from(selected, (cluster, place) =>
    highest > 0 && sizes[place]! > 0 ? stability[cluster]! / (sizes[place]! * highest) : 1,
  );
  return { labels, probabilities, persistence };
}

/** GLOSH (Campello et al. 2015, section 6): 1 − λ of the row over the largest λ in the cluster or below it. */
function outlierScores(tree: CondensedTree): Float64Array {
  const most = deaths(tree);
  for (let cluster = most.length - 1; cluster > 0; cluster--) {
    const parent = tree.parents[cluster]!;
    most[parent] = Math.max(most[parent]!, most[cluster]!);
  }
  return Float64Array.from(tree.lastCluster, (cluster, point) => {
    const top = most[cluster]!;
    return top > 0 ? (top - tree.lambdas[point]!) / top : 0;
  });
}
