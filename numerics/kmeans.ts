import { type Clusters, orderBySize } from './cluster-centres.ts';
import { type Grid, toGrid } from './grid.ts';
import { startingCentres } from './kmeans-start.ts';
import { distancesToCentres, type LloydResult, lloyd } from './lloyd.ts';
import type { MatrixView } from './matrix-product.ts';
import { columnMeans, meanVariance, normalized, shifted } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Rows made ready for k-means; lies in memory that threads share. */
export interface PreparedRows {
  /** Rows minus their mean; rows of length 1 if spherical. */
  points: MatrixView;
  /** The points on a grid of whole numbers, for choices that are the same on every machine. */
  grid: Grid;
  /** What was taken from each row; undefined if spherical. */
  mean: Float64Array | undefined;
  /** Mean over the columns of their variances: what a tolerance is relative to. */
  variance: number;
}

/** How the first centres are chosen; see `startingCentres`. */
export type Init = 'k-means++' | 'ward';

export interface KMeansOptions {
  /** Number of clusters, at least 1. */
  k: number;
  init: Init;
  /** Most rounds of assignment and update. */
  maxIterations: number;
  /** Ends when the centres together moved by at most this times the mean variance (squared lengths). */
  tolerance: number;
}

/** `k` may be fewer clusters than asked for, if fewer rows differ; no row is noise. */
export interface KMeansResult extends Clusters {
  /** Sum of squared Euclidean distances to the centres. */
  inertia: number;
  iterations: number;
  /** False if the centres still moved after `maxIterations`. */
  converged: boolean;
}

/** Centres the rows, or scales them to length 1 (`spherical`), and rounds a copy to the grid that seeding needs. */
export function prepareRows({ matrix, spherical }: { matrix: MatrixView; spherical: boolean }): PreparedRows {
  const mean = spherical ? undefined : columnMeans(matrix);
  const points = spherical ? normalized(matrix) : shifted(matrix, mean);
  return { points, grid: toGrid(points), mean, variance: meanVariance(points) };
}

/**
 * k-means from one start. The same rows and seed give the same result on every machine: decisions are those of
 * float64 arithmetic in a fixed order (see `openNearestCentre`, `toGrid`), whatever computes the bulk.
 *
 * No rows give no clusters; with `k` above the number of different rows each of those becomes a cluster. Spherical
 * k-means (Dhillon & Modha 2001) keeps the centres at length 1, so that the nearest centre is the one with the
 * largest cosine.
 */
export async function kmeansRestart(
  options: KMeansOptions & { rows: PreparedRows; seed: number },
): Promise<KMeansResult> {
  const { rows } = options;
  if (rows.points.rows === 0) return noClusters(rows.points.columns);
  return kmeansFrom({ ...options, centres: await startingCentres(options) });
}

/** k-means from given centres, which lie in the space of the prepared rows. */
export async function kmeansFrom(
  options: Omit<KMeansOptions, 'k' | 'init'> & { rows: PreparedRows; centres: MatrixView },
): Promise<KMeansResult> {
  const { points, mean, variance } = options.rows;
  const found = await lloyd(points, options.centres, {
    maxIterations: options.maxIterations,
    tolerance: options.tolerance * variance,
    spherical: mean === undefined,
  });
  return present(points, found, mean);
}

/** k-means from given centres in the space of the rows: those of an earlier clustering. At least one row. */
export async function kmeansFromEarlier(
  options: Omit<KMeansOptions, 'k' | 'init'> & {
    matrix: MatrixView;
    spherical: boolean;
    centres: MatrixView;
  },
): Promise<KMeansResult> {
  const rows = prepareRows(options);
  const centres = rows.mean ? shifted(options.centres, rows.mean) : normalized(options.centres);
  return kmeansFrom({ ...options, rows, centres });
}

/** Runs restarts one after the other, one a seed, and gives the one with the least inertia: for small inputs. */
export async function kmeans(
  options: KMeansOptions & { matrix: MatrixView; spherical: boolean; seeds: readonly number[] },
): Promise<KMeansResult> {
  const rows = prepareRows(options);
  let best: KMeansResult | undefined;
  for (const seed of options.seeds) {
    const result = await kmeansRestart({ ...options, rows, seed });
    if (!best || result.inertia < best.inertia) best = result;
  }
  if (!best) throw new RangeError('kmeans needs at least one seed');
  return best;
}

/** Orders the clusters, drops empty ones, and takes the centres back to the space of the input. */
function present(points: MatrixView, found: LloydResult, mean: Float64Array | undefined): KMeansResult {
  const { columns } = points;
  const { labels, centres, iterations, converged } = found;
  const squares = distancesToCentres(points, centres, labels);
  let inertia = 0;
  for (const square of squares) inertia += square;
  const { order, numbers, sizes } = orderBySize(labels, centres.rows);
  const data = new Float32Array(order.length * columns);
  order.forEach((cluster, number) => {
    for (let column = 0; column < columns; column++)
      data[number * columns + column] = centres.data[cluster * columns + column]! + (mean?.[column] ?? 0);
  });
  return {
    k: order.length,
    labels: labels.map((cluster) => numbers[cluster]!),
    centres: { data, rows: order.length, columns },
    // Between unit vectors |a−b|² = 2·(1 − cos).
    distances: squares.map((square) => (mean ? Math.sqrt(square) : square / 2)),
    sizes,
    inertia,
    iterations,
    converged,
  };
}

function noClusters(columns: number): KMeansResult {
  return {
    k: 0,
    labels: new Int32Array(0),
    centres: { data: new Float32Array(0), rows: 0, columns },
    distances: new Float64Array(0),
    sizes: new Int32Array(0),
    inertia: 0,
    iterations: 0,
    converged: true,
  };
}
