import { toGrid } from './grid.ts';
import { type Init, type KMeansResult, kmeansFrom } from './kmeans.ts';
import { startingCentres } from './kmeans-start.ts';
import { distancesToCentres } from './lloyd.ts';
import type { MatrixView } from './matrix-product.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { sampleIndices, words } from './random.ts';
import { columnMeans, dot, gatherRows, meanVariance, normalized, shifted } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface MinibatchOptions {
  matrix: MatrixView;
  spherical: boolean;
  k: number;
  init: Init;
  /** Rows in a batch. */
  batchSize: number;
  /** Passes over the rows, at most. */
  maxIterations: number;
  /** Ends after so many batches without a better smoothed inertia; 0 never does. */
  maxNoImprovement: number;
  /** A centre that has seen less than this share of what the most seen one has is put onto a random row; 0 never does. */
  reassignmentRatio: number;
  seed: number;
}

/**
 * k-means on random batches (Sculley 2010, with the early stop of scikit-learn's MiniBatchKMeans): each batch moves the
 * centres by the mean of its rows, the less the more rows a centre has seen. A little worse than k-means, and for a
 * million rows far faster. Centres that hardly any row goes to are put elsewhere. Starts from a sample of three batches, or of ten rows a cluster if that is more. The same on
 * every machine with any number of threads. `iterations` counts batches.
 */
export async function minibatchKMeans(options: MinibatchOptions): Promise<KMeansResult> {
  const { matrix, spherical, seed } = options;
  const mean = spherical ? undefined : columnMeans(matrix);
  const points = spherical ? normalized(matrix) : shifted(matrix, mean);
  const sample = gatherRows(
    points,
    sampleIndices(points.rows, Math.max(3 * options.batchSize, 10 * options.k), seed),
  );
  const started = {
    points: sample,
    grid: toGrid(sample),
    mean,
    variance: meanVariance(sample),
  };
  const rows = { ...started, points };
  if (points.rows === 0)
    return {
      ...(await kmeansFrom({ rows, centres: sample, maxIterations: 0, tolerance: 0 })),
      converged: true,
    };
  const centres = await startingCentres({ rows: started, k: options.k, init: options.init, seed });
  const own = { ...centres, data: centres.data.slice() };
  const { batches, converged } = await moveByBatches(points, own, options);
  const result = await kmeansFrom({ rows, centres: own, maxIterations: 0, tolerance: 0 });
  return { ...result, iterations: batches, converged };
}

/** Moves the centres until the batches bring no more; says how many there were. */
async function moveByBatches(points: MatrixView, centres: MatrixView, options: MinibatchOptions) {
  const { rows, columns } = points;
  const size = Math.min(options.batchSize, rows);
  const most = Math.ceil((options.maxIterations * rows) / size);
  const next = words(options.seed + 1);
  const seen = new Float64Array(centres.rows);
  const picked = new Int32Array(size);
  const labels = new Int32Array(size);
  // Weight of a batch in the smoothed inertia, as scikit-learn has it.
  const alpha = Math.min(1, (2 * size) / (rows + 1));
  let sinceReassigned = 0;
  let smoothed = Number.NaN;
  let least = Number.POSITIVE_INFINITY;
  let stale = 0;
  for (let batches = 1; batches <= most; batches++) {
    for (let at = 0; at < size; at++) picked[at] = next() % rows;
    const batch = gatherRows(points, picked);
    await (await openNearestCentre(batch)).assign(centres, labels);
    let inertia = 0;
    for (const square of distancesToCentres(batch, centres, labels)) inertia += square;
    step(batch, labels, centres, seen, options.spherical);
    sinceReassigned += size;
    if (options.reassignmentRatio > 0 && (sinceReassigned >= 10 * centres.rows || seen.includes(0))) {
      sinceReassigned = 0;
      reassignStarved(batch, centres, seen, options.reassignmentRatio, next);
    }
    inertia /= size;
    // The first batch still shows the start, not the centres that it moved.
    if (batches > 1) smoothed = Number.isNaN(smoothed) ? inertia : smoothed * (1 - alpha) + inertia * alpha;
    if (smoothed < least) {
      least = smoothed;
      stale = 0;
    } else if (batches > 1) stale++;
    if (columns === 0 || (options.maxNoImprovement > 0 && stale >= options.maxNoImprovement))
      return { batches, converged: true };
  }
  return { batches: most, converged: options.maxNoImprovement === 0 };
}

/** One step: each centre becomes the mean of all rows that it was ever given. */
function step(
  batch: MatrixView,
  labels: Int32Array,
  centres: MatrixView,
  seen: Float64Array,
  spherical: boolean,
): void {
  const { columns } = batch;
  const sums = new Float64Array(centres.data.length);
  const counts = new Float64Array(centres.rows);
  labels.forEach((cluster, row) => {
    counts[cluster]!++;
    for (let column = 0; column < columns; column++)
      sums[cluster * columns + column]! += batch.data[row * columns + column]!;
  });
  counts.forEach((count, cluster) => {
    if (count === 0) return;
    const start = cluster * columns;
    const before = seen[cluster]!;
    seen[cluster] = before + count;
    for (let at = start; at < start + columns; at++)
      centres.data[at] = (centres.data[at]! * before + sums[at]!) / (before + count);
    if (!spherical) return;
    const length = Math.sqrt(dot(centres.data, start, centres.data, start, columns)) || 1;
    for (let at = start; at < start + columns; at++) centres.data[at]! /= length;
  });
}

/**
 * Puts the centres that have seen few rows onto different random rows of the batch, at most half as many as it has, and counts
 * them as the least seen of the others, so that they are not moved again at once: as scikit-learn's `_mini_batch_step` does.
 */
function reassignStarved(
  batch: MatrixView,
  centres: MatrixView,
  seen: Float64Array,
  ratio: number,
  next: () => number,
): void {
  const most = seen.reduce((greatest, count) => Math.max(greatest, count), 0);
  const starved = [...seen.keys()]
    .filter((cluster) => seen[cluster]! < ratio * most)
    .sort((a, b) => seen[a]! - seen[b]! || a - b)
    .slice(0, Math.floor(batch.rows / 2));
  if (starved.length === 0) return;
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  const kept = new Set(starved);
  const least = seen.reduce(
    (smallest, count, cluster) => (kept.has(cluster) ? smallest : Math.min(smallest, count)),
    Number.POSITIVE_INFINITY,
  );
  starved.forEach((cluster, at) => {
    const other = at + (next() % (rows.length - at));
    const row = rows[other]!;
    rows[other] = rows[at]!;
    const { columns } = batch;
    centres.data.set(batch.data.subarray(row * columns, (row + 1) * columns), cluster * columns);
    seen[cluster] = least;
  });
}
