import { BestScores } from './best-scores.ts';
import { type MatrixView, openProduct } from './matrix-product.ts';
import { distanceOf, type Metric, type MetricSpace, metricSpace } from './metric-space.ts';
import { rowsOf, squaredDistance } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Rows of a product at a time: its scores stay in the processor's cache. */
const queryRows = 256;
const pointRows = 1024;
/** Candidates kept beyond those wanted, for scores too close to call in float32. */
const spare = 8;

/** The nearest rows of each row, `count` of them, nearest first; equal distances in the order of their rows. */
export interface Neighbours {
  count: number;
  /** [rows, count]. */
  indices: Int32Array;
  /** [rows, count]; squared Euclidean distances in the space (see `distanceOf`) or distances, as the function says. */
  distances: Float64Array;
}

/**
 * The `count` nearest other rows of each row (fewer if there are fewer rows), exactly: distances and order are those
 * of float64 arithmetic, on every machine and with any number of threads. Time n²·d as float32 matrix products, memory
 * n·count.
 */
export async function nearestNeighbours(
  options: { matrix: MatrixView; metric: Metric; count: number },
  workers: Workers,
): Promise<Neighbours> {
  const { metric } = options;
  const found = await nearestInSpace(metricSpace(options.matrix, metric), options.count, workers);
  return { ...found, distances: found.distances.map((square) => distanceOf(metric, square)) };
}

/** As `nearestNeighbours`; `distances` are squared. */
export async function nearestInSpace(
  space: MetricSpace,
  wanted: number,
  workers: Workers,
): Promise<Neighbours> {
  const { rows } = space.points;
  const count = Math.max(0, Math.min(wanted, rows - 1));
  const indices = new Int32Array(rows * count);
  const distances = new Float64Array(rows * count);
  if (count === 0) return { count, indices, distances };
  const parts = await inParts<Neighbours>(workers, moduleUrl, 'nearestOfPart', rows, (from, to) => ({
    space,
    count,
    from,
    to,
  }));
  let at = 0;
  for (const part of parts) {
    indices.set(part.indices, at);
    distances.set(part.distances, at);
    at += part.indices.length;
  }
  return { count, indices, distances };
}

interface Part {
  space: MetricSpace;
  count: number;
  from: number;
  to: number;
  /** Rows to find neighbours of, in the space of the points; the points themselves if not given. */
  queries?: MetricSpace;
}

/** The nearest points of the rows `from` to `to`, with squared distances; a point is no neighbour of itself. */
export async function nearestOfPart({ space, count, from, to, queries }: Part): Promise<Neighbours> {
  const { points, centred, squares } = space;
  const { rows } = centred;
  const asked = queries ?? space;
  const product = await openProduct({ transposeB: true });
  const best = new BestScores(Math.min(queryRows, to - from), count + spare);
  const found: Neighbours = {
    count,
    indices: new Int32Array((to - from) * count),
    distances: new Float64Array((to - from) * count),
  };
  const products = new Float32Array(queryRows * pointRows);
  for (let start = from; start < to; start += queryRows) {
    const size = Math.min(queryRows, to - start);
    const chunk = rowsOf(asked.centred, start, size);
    best.clear();
    for (let first = 0; first < rows; first += pointRows) {
      const block = rowsOf(centred, first, Math.min(pointRows, rows - first));
      const { data } = await product(chunk, block, products);
      for (let query = 0, at = 0; query < size; query++) {
        let least = best.least(query);
        const self = queries ? -1 : start + query;
        for (let point = first; point < first + block.rows; point++, at++) {
          // 2ab − |b|² orders the points as −|a−b|² does.
          const score = 2 * data[at]! - squares[point]!;
          if (score > least && point !== self) least = best.put(query, point, score);
        }
      }
    }
    for (let query = 0; query < size; query++) {
      const row = start + query;
      // Every true neighbour scores at least this.
      const limit = best.nth(query, count) - 2 * Math.max(space.margin, asked.margin);
      const chosen =
        best.least(query) < limit ? best.itemsFrom(query, limit) : otherRows(rows, queries ? -1 : row);
      settle(points, asked.points, row, chosen, found, (row - from) * count);
    }
  }
  return found;
}

/** Orders candidates by float64 distances, and writes the nearest. */
function settle(
  points: MatrixView,
  queries: MatrixView,
  row: number,
  candidates: Int32Array,
  { count, indices, distances }: Neighbours,
  at: number,
): void {
  const { columns } = points;
  candidates.sort();
  let filled = 0;
  for (const point of candidates) {
    const square = squaredDistance(queries.data, row * columns, points.data, point * columns, columns);
    if (filled === count && square >= distances[at + count - 1]!) continue;
    let place = filled < count ? filled++ : count - 1;
    for (; place > 0 && distances[at + place - 1]! > square; place--) {
      distances[at + place] = distances[at + place - 1]!;
      indices[at + place] = indices[at + place - 1]!;
    }
    distances[at + place] = square;
    indices[at + place] = point;
    // Among many equal rows the first ones win, and nothing can come nearer.
    if (filled === count && distances[at + count - 1] === 0) break;
  }
}

function otherRows(rows: number, self: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row).filter((row) => row !== self);
}
