import { type MatrixView, openProduct } from './matrix-product.ts';
import { metricSpace } from './metric-space.ts';
import { sampleIndices } from './random.ts';
import { gatherRows, squaredDistance } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

const chunkRows = 128;

export interface TrustworthinessOptions {
  original: MatrixView;
  projected: MatrixView;
  metric: 'euclidean' | 'cosine';
  count: number;
  sampleSize: number;
  seed: number;
}

/**
 * Trustworthiness of a projection (Venna & Kaski 2001): 1 minus a penalty for the `count` nearest rows in the projection
 * that are not among the nearest in the original space, by how far down they rank there. 1 is best. With more than
 * `sampleSize` rows a random sample of that size is looked at, each compared with all rows. Original distances are
 * Euclidean, or of directions (`cosine`), in float32. NaN with fewer than 2·count + 2 rows, where it is not defined.
 */
export async function trustworthiness(options: TrustworthinessOptions): Promise<number> {
  const { original, projected, count } = options;
  const n = original.rows;
  if (n < 2 * count + 2) return Number.NaN;
  const { centred, squares } = metricSpace(original, options.metric);
  const sample = sampleIndices(n, options.sampleSize, options.seed);
  const product = await openProduct({ transposeB: true });
  const scores = new Float64Array(n);
  let penalty = 0;
  for (let start = 0; start < sample.length; start += chunkRows) {
    const chosen = sample.subarray(start, start + chunkRows);
    const { data } = await product(gatherRows(centred, chosen), centred);
    for (let query = 0; query < chosen.length; query++) {
      const row = chosen[query]!;
      for (let other = 0; other < n; other++) scores[other] = squares[other]! - 2 * data[query * n + other]!;
      for (const other of nearestPoints(projected, row, count)) {
        let rank = 1;
        for (let third = 0; third < n; third++)
          if (third !== row && third !== other && scores[third]! < scores[other]!) rank++;
        penalty += Math.max(0, rank - count);
      }
    }
  }
  return 1 - (2 * penalty) / (sample.length * count * (2 * n - 3 * count - 1));
}

/** The nearest other points of a point, by a look at all. */
function nearestPoints({ data, rows, columns }: MatrixView, row: number, count: number): number[] {
  const nearest: { point: number; square: number }[] = [];
  for (let point = 0; point < rows; point++) {
    if (point === row) continue;
    const square = squaredDistance(data, row * columns, data, point * columns, columns);
    if (nearest.length === count && square >= nearest.at(-1)!.square) continue;
    const place = nearest.findLastIndex((other) => other.square <= square) + 1;
    nearest.splice(place, 0, { point, square });
    if (nearest.length > count) nearest.pop();
  }
  return nearest.map(({ point }) => point);
}
