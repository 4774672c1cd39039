import type { Grid } from './grid.ts';
import type { Init, PreparedRows } from './kmeans.ts';
import { seedCentres, spreadRows } from './kmeans-seeding.ts';
import { lloyd } from './lloyd.ts';
import type { MatrixView } from './matrix-product.ts';
import { uniform } from './random.ts';
import { gatherRows } from './vectors.ts';
import { wardGroups } from './ward.ts';

/** Small clusters that Ward's method merges: so many for each cluster wanted, at least and at most. */
const smallPerCluster = 4;
const leastSmall = 256;
const mostSmall = 3000;
/** Rounds that shape the small clusters: more change nothing that merging would not. */
const smallIterations = 3;

interface Start {
  rows: PreparedRows;
  k: number;
  seed: number;
  init: Init;
}

/**
 * First centres for k-means; at least one row. Fewer than `k` only if fewer rows differ.
 *
 * - `k-means++`: rows, as scikit-learn chooses them (see `seedCentres`).
 * - `ward`: four times as many small clusters as wanted, merged down by Ward's method. Much closer to the optimum
 *   than k-means++, since no start can put two centres into one dense region and none into its neighbour, which
 *   Lloyd's iterations cannot mend. Where merging would need too much memory (k > 1,500) this falls back to
 *   k-means++.
 */
export async function startingCentres(options: Start): Promise<MatrixView> {
  const { rows, k, init } = options;
  if (init === 'ward' && 2 * k <= mostSmall) {
    const merged = await mergedCentres(options);
    if (merged) return merged;
  }
  return gatherRows(rows.points, await startingRows(rows.points, rows.grid, k, options.seed));
}

async function mergedCentres({
  rows: { points, grid, mean },
  k,
  seed,
}: Start): Promise<MatrixView | undefined> {
  const count = Math.min(Math.max(smallPerCluster * k, leastSmall), mostSmall, points.rows);
  const spread = await spreadRows(grid, count, seed);
  if (spread.length <= k) return undefined;
  const small = await lloyd(points, gatherRows(points, spread), {
    maxIterations: smallIterations,
    tolerance: 0,
    spherical: mean === undefined,
  });
  const filled = [...small.sizes.keys()].filter((cluster) => small.sizes[cluster]! > 0);
  if (filled.length <= k) return undefined;
  const centres = gatherRows(small.centres, filled);
  const weights = filled.map((cluster) => small.sizes[cluster]!);
  const groups = await wardGroups(centres, weights, k);
  return weightedMeans(centres, weights, groups, k);
}

function weightedMeans(
  { data, columns }: MatrixView,
  weights: readonly number[],
  groups: Int32Array,
  k: number,
): MatrixView {
  const sums = new Float64Array(k * columns);
  const totals = new Float64Array(k);
  groups.forEach((group, index) => {
    const weight = weights[index]!;
    totals[group]! += weight;
    for (let column = 0; column < columns; column++)
      sums[group * columns + column]! += weight * data[index * columns + column]!;
  });
  const means = Float32Array.from(sums, (sum, at) => sum / totals[Math.floor(at / columns)]!);
  return { data: means, rows: k, columns };
}

/**
 * Rows to start from: k-means++ on the grid. Where the grid shows fewer than `k` different rows, rows that differ
 * only by less than a step of it fill up, in a random order.
 */
async function startingRows(points: MatrixView, grid: Grid, k: number, seed: number): Promise<Int32Array> {
  const seeded = await seedCentres(grid, k, seed);
  const wanted = Math.min(k, points.rows);
  if (seeded.length === wanted) return seeded;
  const bytes = Buffer.from(points.data.buffer, points.data.byteOffset, points.data.byteLength);
  const size = points.columns * points.data.BYTES_PER_ELEMENT;
  const key = (row: number) => bytes.toString('latin1', row * size, (row + 1) * size);
  const chosen = [...seeded];
  const known = new Set(chosen.map(key));
  const next = uniform(seed);
  const others = Array.from({ length: points.rows }, (_, row) => ({ row, rank: next() }));
  for (const { row } of others.sort((a, b) => a.rank - b.rank)) {
    if (chosen.length === wanted) break;
    const content = key(row);
    if (known.has(content)) continue;
    known.add(content);
    chosen.push(row);
  }
  return Int32Array.from(chosen);
}
