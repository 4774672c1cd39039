import { toGrid } from './grid.ts';
import { type MatrixView, openProduct } from './matrix-product.ts';
import { sampleIndices } from './random.ts';
import { dot, gatherRows, squaredDistance, unitRow } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface SilhouetteOptions {
  vectors: MatrixView;
  /** Cluster of each row, from 0 up. */
  labels: Int32Array;
  metric: 'cosine' | 'euclidean';
  /** Rows to average over, at most; each is compared with all rows. */
  sampleSize: number;
  seed: number;
}

/** Up to so many multiplications, Euclidean distances are computed one by one in float64. */
const exactWork = 3e8;
const chunkRows = 512;

/**
 * Mean silhouette (Rousseeuw 1987) of the rows: (b−a)/max(a,b) with a the mean distance to the other rows of the own
 * cluster, b the least mean distance to another cluster; 0 for a row alone in its cluster. Above `sampleSize` rows it
 * is the mean over a random sample of that size, each row of it still compared with all others.
 *
 * Undefined (NaN) with fewer than two clusters, or as many clusters as rows.
 */
export async function silhouette(options: SilhouetteOptions): Promise<number> {
  const { vectors, labels, sampleSize, seed } = options;
  const { rows } = vectors;
  let k = 0;
  for (const label of labels) k = Math.max(k, label + 1);
  const sizes = new Int32Array(k);
  for (const label of labels) sizes[label]!++;
  const occupied = sizes.reduce((count, size) => count + (size > 0 ? 1 : 0), 0);
  if (occupied < 2 || occupied >= rows) return Number.NaN;

  const sample = sampleIndices(rows, sampleSize, seed);
  const totals = await totalsOf(options, k, sizes, sample);
  const distances = new Float64Array(k);
  let sum = 0;
  for (let index = 0; index < sample.length; index++) {
    const row = sample[index]!;
    await totals(row, index, distances);
    sum += silhouetteOf(distances, labels[row]!, sizes);
  }
  return sum / sample.length;
}

/**
 * Sums of the distances of a sample of rows to all rows of each cluster, [sample, k]: what the silhouettes of all ways to
 * merge the clusters follow from.
 */
export async function distanceTotals(
  options: SilhouetteOptions & { k: number },
): Promise<{ sample: Int32Array; totals: Float64Array }> {
  const { vectors, labels, k, sampleSize, seed } = options;
  const sizes = new Int32Array(k);
  for (const label of labels) sizes[label]!++;
  const sample = sampleIndices(vectors.rows, sampleSize, seed);
  const totalsFor = await totalsOf(options, k, sizes, sample);
  const totals = new Float64Array(sample.length * k);
  for (let index = 0; index < sample.length; index++)
    await totalsFor(sample[index]!, index, totals.subarray(index * k, (index + 1) * k));
  return { sample, totals };
}

/** Silhouette of one row from the sums of its distances to all rows of each cluster. */
export function silhouetteOf(distances: ArrayLike<number>, own: number, sizes: ArrayLike<number>): number {
  if (sizes[own] === 1) return 0;
  const inside = distances[own]! / (sizes[own]! - 1);
  let outside = Number.POSITIVE_INFINITY;
  for (let cluster = 0; cluster < sizes.length; cluster++) {
    if (cluster !== own && sizes[cluster]! > 0)
      outside = Math.min(outside, distances[cluster]! / sizes[cluster]!);
  }
  const larger = Math.max(inside, outside);
  return larger > 0 ? (outside - inside) / larger : 0;
}

function totalsOf(
  { vectors, labels, metric }: SilhouetteOptions,
  k: number,
  sizes: Int32Array,
  sample: Int32Array,
): Totals | Promise<Totals> {
  return metric === 'cosine'
    ? cosineTotals(vectors, labels, k, sizes)
    : euclideanTotals(vectors, labels, k, sample);
}

/** Fills `into` with the sums of the distances of a row (the `index`-th of the sample) to all rows of each cluster. */
type Totals = (row: number, index: number, into: Float64Array) => void | Promise<void>;

/** Σ (1 − x·y) over a cluster is |C| − x·Σy: no pair is looked at. Rows are brought to length 1 one by one. */
function cosineTotals(vectors: MatrixView, labels: Int32Array, k: number, sizes: Int32Array): Totals {
  const { rows, columns } = vectors;
  const unit = new Float32Array(columns);
  const sums = new Float64Array(k * columns);
  for (let row = 0; row < rows; row++) {
    unitRow(vectors, row, unit);
    const start = labels[row]! * columns;
    for (let column = 0; column < columns; column++) sums[start + column]! += unit[column]!;
  }
  return (row, _index, into) => {
    unitRow(vectors, row, unit);
    for (let cluster = 0; cluster < k; cluster++)
      into[cluster] = sizes[cluster]! - dot(unit, 0, sums, cluster * columns, columns);
    // A row's distance to itself is 0; a row of zeros has no direction and the formula gives 1.
    into[labels[row]!]! -= 1 - dot(unit, 0, unit, 0, columns);
  };
}

/** Pair by pair; for many pairs on a grid (see `toGrid`), which changes a distance by about a thousandth part. */
async function euclideanTotals(
  vectors: MatrixView,
  labels: Int32Array,
  k: number,
  sample: Int32Array,
): Promise<Totals> {
  const { data, rows, columns } = vectors;
  if (sample.length * rows * columns <= exactWork) {
    return (row, _index, into) => {
      into.fill(0);
      for (let other = 0; other < rows; other++)
        into[labels[other]!]! += Math.sqrt(
          squaredDistance(data, row * columns, data, other * columns, columns),
        );
    };
  }
  const { points, squares, scale } = toGrid(vectors);
  const product = await openProduct({ transposeB: true });
  const totals = new Float64Array(sample.length * k);
  for (let from = 0; from < sample.length; from += chunkRows) {
    const chunk = gatherRows(points, sample.subarray(from, from + chunkRows));
    for (let start = 0; start < rows; start += chunkRows) {
      const count = Math.min(chunkRows, rows - start);
      const block = {
        data: points.data.subarray(start * columns, (start + count) * columns),
        rows: count,
        columns,
      };
      const products = await product(chunk, block);
      for (let index = 0, at = 0; index < chunk.rows; index++) {
        const square = squares[sample[from + index]!]!;
        const into = (from + index) * k;
        for (let other = start; other < start + count; other++, at++) {
          const distance = Math.max(0, square + squares[other]! - 2 * products.data[at]!);
          totals[into + labels[other]!]! += Math.sqrt(distance) / scale;
        }
      }
    }
  }
  return (_row, index, into) => into.set(totals.subarray(index * k, (index + 1) * k));
}
