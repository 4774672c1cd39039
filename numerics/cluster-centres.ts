import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import { dot, normalized, squaredDistance } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** A flat clustering as all methods give it. */
export interface Clusters {
  /** Number of clusters. */
  k: number;
  /** Cluster of each row, −1 for noise. Clusters are in order of size, largest first, then of their first row. */
  labels: Int32Array;
  /** [k, columns] in the space of the input. */
  centres: MatrixView;
  /** Distance of each row to its centre: Euclidean, or 1 − cosine; NaN for noise. */
  distances: Float64Array;
  sizes: Int32Array;
}

/**
 * Numbers clusters by size, largest first, then by their first row; empty ones get no number. `order` holds the old
 * number of each new one, `numbers` the new number of each old one, `sizes` the new clusters' sizes. Noise (−1) is no
 * cluster.
 */
export function orderBySize(labels: Int32Array, k: number) {
  const sizes = new Int32Array(k);
  const first = new Int32Array(k).fill(labels.length);
  labels.forEach((cluster, row) => {
    if (cluster < 0) return;
    sizes[cluster]!++;
    if (row < first[cluster]!) first[cluster] = row;
  });
  const order = [...sizes.keys()]
    .filter((cluster) => sizes[cluster]! > 0)
    .sort((a, b) => sizes[b]! - sizes[a]! || first[a]! - first[b]!);
  const numbers = new Int32Array(k).fill(-1);
  order.forEach((cluster, number) => {
    numbers[cluster] = number;
  });
  return { order, numbers, sizes: Int32Array.from(order, (cluster) => sizes[cluster]!) };
}

/** Orders clusters that are given by labels below `k`, and finds their centres: means, of directions for cosine. */
export function withCentres(options: {
  matrix: MatrixView;
  labels: Int32Array;
  k: number;
  metric: Metric;
}): Clusters & { order: number[] } {
  const { columns } = options.matrix;
  const spherical = options.metric === 'cosine';
  const points = spherical ? normalized(options.matrix) : options.matrix;
  const { order, numbers, sizes } = orderBySize(options.labels, options.k);
  const labels = options.labels.map((cluster) => (cluster < 0 ? -1 : numbers[cluster]!));
  const sums = new Float64Array(order.length * columns);
  labels.forEach((cluster, row) => {
    if (cluster < 0) return;
    for (let column = 0; column < columns; column++)
      sums[cluster * columns + column]! += points.data[row * columns + column]!;
  });
  const centres = { data: new Float32Array(sums.length), rows: order.length, columns };
  sizes.forEach((size, cluster) => {
    const start = cluster * columns;
    const divisor = spherical ? Math.sqrt(dot(sums, start, sums, start, columns)) || 1 : size;
    for (let at = start; at < start + columns; at++) centres.data[at] = sums[at]! / divisor;
  });
  const distances = Float64Array.from(labels, (cluster, row) => {
    if (cluster < 0) return Number.NaN;
    const [at, to] = [row * columns, cluster * columns];
    return spherical
      ? 1 - dot(points.data, at, centres.data, to, columns)
      : Math.sqrt(squaredDistance(points.data, at, centres.data, to, columns));
  });
  return { k: order.length, labels, centres, distances, sizes, order };
}
