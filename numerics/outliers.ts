import type { MatrixView } from './matrix-product.ts';
import { alsoIn, distanceOf, type Metric, metricSpace } from './metric-space.ts';
import { type Neighbours, nearestInSpace, moduleUrl as neighboursUrl } from './neighbours.ts';
import { sampleIndices } from './random.ts';
import { gatherRows } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** Pairs of rows that are compared, at most, if nothing else is said. */
const defaultPairs = 4e8;

/**
 * How far from others each row lies: the distance to its `count`-th nearest other row (Ramaswamy, Rastogi & Shim 2000), 0
 * for a row alone. Above 20,000 rows, to the nearest of a random sample whose size falls with the number of rows
 * (Sugiyama & Borgwardt 2013), so that time grows no further. The same with any number of threads.
 */
export async function neighbourDistances(
  options: { matrix: MatrixView; metric: Metric; count: number; seed: number; mostPairs?: number },
  workers: Workers,
): Promise<Float64Array> {
  const { matrix, metric, seed, mostPairs = defaultPairs } = options;
  const { rows } = matrix;
  const scores = new Float64Array(rows);
  if (rows < 2) return scores;
  if (rows * rows <= mostPairs) {
    const space = metricSpace(matrix, metric);
    const { count, distances } = await nearestInSpace(space, options.count, workers);
    for (let row = 0; row < rows; row++)
      scores[row] = distanceOf(metric, distances[row * count + count - 1]!);
    return scores;
  }
  const sample = sampleIndices(rows, Math.max(options.count + 1, Math.floor(mostPairs / rows)), seed);
  const space = metricSpace(gatherRows(matrix, sample), metric);
  const queries = alsoIn(space, matrix);
  const count = Math.min(options.count + 1, sample.length);
  const parts = await inParts<Neighbours>(workers, neighboursUrl, 'nearestOfPart', rows, (from, to) => ({
    space,
    count,
    from,
    to,
    queries,
  }));
  let row = 0;
  for (const { distances, indices } of parts) {
    for (let at = 0; at < indices.length; at += count, row++) {
      // A row of the sample is no neighbour of itself.
      const own = indices.subarray(at, at + count).some((index) => sample[index] === row);
      scores[row] = distanceOf(metric, distances[at + count - (own ? 1 : 2)]!);
    }
  }
  return scores;
}
