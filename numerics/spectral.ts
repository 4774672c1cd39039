import type { Edges } from './fuzzy-graph.ts';
import { gaussians } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';
import { dot } from './vectors.ts';

/** Steps of Lanczos's method: enough for coordinates to start a layout from. */
const steps = 120;

/**
 * Spectral coordinates of a connected graph, [rows, dimensions] row-major: eigenvectors of the normalised Laplacian
 * with the least eigenvalues after the trivial one (Belkin & Niyogi 2003), as Ritz vectors of Lanczos's method with full
 * reorthogonalisation on D^−½·W·D^−½. Undefined if the graph has too few rows for so many dimensions.
 */
export function spectralCoordinates(
  { from, to, weights }: Edges,
  rows: number,
  dimensions: number,
  seed: number,
): Float64Array | undefined {
  const most = Math.min(steps, rows - 1);
  if (most < dimensions) return undefined;
  const degrees = new Float64Array(rows);
  from.forEach((row, at) => {
    degrees[row]! += weights[at]!;
  });
  const scaled = weights.map((weight, at) => weight / Math.sqrt(degrees[from[at]!]! * degrees[to[at]!]!));
  const trivial = unit(degrees.map(Math.sqrt))!;
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const off: number[] = [];
  let current = unit(without(gaussians(rows, seed), [trivial]));
  while (current && basis.length < most) {
    basis.push(current);
    const image = new Float64Array(rows);
    for (let at = 0; at < from.length; at++) image[from[at]!]! += scaled[at]! * current[to[at]!]!;
    diagonal.push(dot(image, 0, current, 0, rows));
    // Twice is enough (Parlett 1998, section 6.9).
    without(without(image, [trivial, ...basis]), [trivial, ...basis]);
    const length = Math.sqrt(dot(image, 0, image, 0, rows));
    current = length > 1e-9 ? unit(image) : undefined;
    off.push(length);
  }
  const size = basis.length;
  if (size < dimensions) return undefined;
  const tridiagonal = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    tridiagonal[i * size + i] = diagonal[i]!;
    if (i > 0) {
      tridiagonal[i * size + i - 1] = off[i - 1]!;
      tridiagonal[(i - 1) * size + i] = off[i - 1]!;
    }
  }
  const { vectors } = symmetricEigen(tridiagonal, size);
  const coordinates = new Float64Array(rows * dimensions);
  for (let step = 0; step < size; step++) {
    const own = basis[step]!;
    for (let d = 0; d < dimensions; d++) {
      const weight = vectors[step * size + d]!;
      for (let row = 0; row < rows; row++) coordinates[row * dimensions + d]! += weight * own[row]!;
    }
  }
  return coordinates;
}

/** Takes from a vector, in place, what lies along each of the others, which are of length 1. */
function without(vector: Float64Array, others: readonly Float64Array[]): Float64Array {
  const size = vector.length;
  for (const other of others) {
    const along = dot(vector, 0, other, 0, size);
    for (let at = 0; at < size; at++) vector[at]! -= along * other[at]!;
  }
  return vector;
}

function unit(vector: Float64Array): Float64Array | undefined {
  const length = Math.sqrt(dot(vector, 0, vector, 0, vector.length));
  return length > 0 ? vector.map((value) => value / length) : undefined;
}
