import type { MatrixView } from './matrix-product.ts';
import { columnMeans, sharedFloats, shifted, squaredLengths } from './vectors.ts';

export type Metric = 'euclidean' | 'cosine';

/**
 * Rows in a space in which their metric is a function of the squared Euclidean distance, with what a fast search
 * needs. Lies in memory that threads share.
 */
export interface MetricSpace {
  metric: Metric;
  /** The rows themselves, or scaled to length 1. Distances are those of float64 arithmetic on these numbers. */
  points: MatrixView;
  /** What centring takes from a row: the mean of the points that a search looks among. */
  mean: Float64Array;
  /** The points minus the mean, for float32 products, and |row|² of each. */
  centred: MatrixView;
  squares: Float64Array;
  /** No squared distance made from a float32 product of centred rows is off by more. */
  margin: number;
}

/**
 * Prepares rows. For cosine they are scaled to length 1, so that 1 − cos is half their squared distance; a row of
 * zeros has no direction: such rows are at distance 0 from each other and 1 from all others.
 */
export function metricSpace(matrix: MatrixView, metric: Metric): MetricSpace {
  const points = pointsOf(matrix, metric);
  return withMean(metric, points, columnMeans(points));
}

/** Other rows, with as many columns, in the same space. */
export function alsoIn(space: MetricSpace, matrix: MatrixView): MetricSpace {
  return withMean(space.metric, pointsOf(matrix, space.metric), space.mean);
}

function withMean(metric: Metric, points: MatrixView, mean: Float64Array): MetricSpace {
  const centred = shifted(points, mean);
  const squares = squaredLengths(centred);
  const longest = Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0));
  const farthest = Math.sqrt(squaredLengths(points).reduce((most, square) => Math.max(most, square), 0));
  // The product: γ·|a|·|b| (Higham, section 3.1), twice in |a|² + |b|² − 2ab. Centring rounds each number once more.
  const unit = 2 ** -24;
  const gamma = ((points.columns + 2) * unit) / (1 - (points.columns + 2) * unit);
  const margin = 2 * gamma * longest * longest + 8 * unit * longest * (farthest + longest);
  return { metric, points, mean, centred, squares, margin };
}

/** The distance that belongs to a squared Euclidean distance between points of the space. */
export function distanceOf(metric: Metric, square: number): number {
  return metric === 'cosine' ? square / 2 : Math.sqrt(square);
}

function pointsOf(matrix: MatrixView, metric: Metric): MatrixView {
  return metric === 'cosine' ? directions(matrix) : shifted(matrix);
}

/** Rows of length 1, with one more column: the axis that rows of zeros point along. */
function directions({ data, rows, columns }: MatrixView): MatrixView {
  const lengths = squaredLengths({ data, rows, columns }).map(Math.sqrt);
  const width = columns + 1;
  const copy = sharedFloats(rows * width);
  for (let row = 0; row < rows; row++) {
    const length = lengths[row]!;
    if (length === 0) copy[row * width + columns] = 1;
    else for (let at = 0; at < columns; at++) copy[row * width + at] = data[row * columns + at]! / length;
  }
  return { data: copy, rows, columns: width };
}
