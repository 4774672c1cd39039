import { nearestChain } from './agglomerative.ts';
import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import type { SpanningTree } from './spanning-tree.ts';
import { dot, squaredDistance, squaredLengths } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** One merge of a dendrogram. Clusters are the nodes 0 to k − 1; the i-th merge makes node k + i. */
export interface Merge {
  left: number;
  right: number;
  height: number;
  /** Rows below. */
  size: number;
}

export interface Groups {
  centres: MatrixView;
  sizes: ArrayLike<number>;
  metric: Metric;
}

/**
 * Merges clusters up to one, by their centres. Euclidean: Ward's method with the sizes as weights; a merge's height is
 * √(2·wₐw_b/(wₐ+w_b))·|a − b|, which is what scipy's `linkage` of all rows has where the clusters are Ward's own. Cosine:
 * average linkage (UPGMA) of 1 − cos. Merges are in rising order of height. O(k²·columns).
 */
export function centreDendrogram({ centres, sizes, metric }: Groups): Merge[] {
  const { data, rows: k, columns } = centres;
  const ward = metric === 'euclidean';
  const lengths = squaredLengths(centres).map(Math.sqrt);
  const distances = new Float64Array(k * k);
  for (let a = 0; a < k; a++)
    for (let b = 0; b < a; b++) {
      const [at, to] = [a * columns, b * columns];
      const distance = ward
        ? (squaredDistance(data, at, data, to, columns) * 2 * sizes[a]! * sizes[b]!) / (sizes[a]! + sizes[b]!)
        : 1 - cosine(dot(data, at, data, to, columns), lengths[a]!, lengths[b]!);
      distances[a * k + b] = distance;
      distances[b * k + a] = distance;
    }
  const merges = nearestChain(distances, k, ward ? 'ward' : 'average', Float64Array.from(sizes));
  merges.sort((a, b) => a.distance - b.distance);
  return numbered(
    merges.map(({ a, b, distance }) => [a, b, ward ? Math.sqrt(Math.max(0, distance)) : distance]),
    sizes,
  );
}

/** The upper part of a tree of rows: the merges of the clusters that `labels` says. */
export function treeDendrogram(tree: SpanningTree, labels: Int32Array, sizes: ArrayLike<number>): Merge[] {
  const pairs: [number, number, number][] = [];
  for (let at = tree.weights.length - (sizes.length - 1); at < tree.weights.length; at++)
    pairs.push([labels[tree.from[at]!]!, labels[tree.to[at]!]!, tree.weights[at]!]);
  return numbered(pairs, sizes);
}

/** The cluster's group, from 0 in order of first clusters, when merging stops at `count` groups. */
export function cutDendrogram(merges: readonly Merge[], count: number): Int32Array {
  const k = merges.length + 1;
  const parents = Int32Array.from({ length: 2 * k - 1 }, (_, node) => node);
  for (let at = 0; at < k - Math.max(1, count); at++) {
    parents[merges[at]!.left] = k + at;
    parents[merges[at]!.right] = k + at;
  }
  const numbers = new Map<number, number>();
  return Int32Array.from({ length: k }, (_, cluster) => {
    let node = cluster;
    while (parents[node] !== node) node = parents[node]!;
    const number = numbers.get(node) ?? numbers.size;
    numbers.set(node, number);
    return number;
  });
}

/** Gives merges that name any cluster below the numbers of their nodes. */
function numbered(pairs: readonly (readonly [number, number, number])[], sizes: ArrayLike<number>): Merge[] {
  const k = sizes.length;
  const above = Int32Array.from({ length: k }, (_, cluster) => cluster);
  const parents = new Int32Array(2 * k).fill(-1);
  const counts = new Float64Array(2 * k);
  for (let cluster = 0; cluster < k; cluster++) counts[cluster] = sizes[cluster]!;
  const nodeOf = (cluster: number) => {
    let node = above[cluster]!;
    while (parents[node]! >= 0) node = parents[node]!;
    above[cluster] = node;
    return node;
  };
  return pairs.map(([a, b, height], at) => {
    const [left, right] = [nodeOf(a), nodeOf(b)].sort((x, y) => x - y) as [number, number];
    parents[left] = k + at;
    parents[right] = k + at;
    counts[k + at] = counts[left]! + counts[right]!;
    return { left, right, height, size: counts[k + at]! };
  });
}

/** The cosine of two vectors from their product and lengths; 0 if one is all zeros. */
export function cosine(product: number, a: number, b: number): number {
  return a > 0 && b > 0 ? product / (a * b) : 0;
}
