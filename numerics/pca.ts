import type { MatrixView } from './matrix-product.ts';
import { sampleIndices } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';
import { columnMeans, dot, gatherRows } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface PcaResult {
  mean: Float64Array;
  /** [count, columns] row-major, each of length 1, its largest entry positive. */
  components: Float64Array;
  /** Variance along each component (n − 1 in the denominator), and as a share of all variance. */
  explainedVariance: Float64Array;
  explainedVarianceRatio: Float64Array;
}

export interface PcaOptions {
  matrix: MatrixView;
  /** Components wanted, at most as many as there are columns. */
  count: number;
  /** Rows, at most, that the components are fitted on: a sample of this size, drawn with `seed`. Default all. */
  sampleSize?: number;
  seed?: number;
}

/**
 * Principal components by the eigenvectors of the covariance matrix, in float64 and in a fixed order of sums, so that
 * they are the same on every machine. Time n·d² + d³; with fewer rows than columns the rows' products are used in its
 * place (the same components, in n²·d + n³), so that a small `sampleSize` keeps wide vectors cheap. A component
 * without variance is then 0.
 */
export function pca({
  matrix,
  count,
  sampleSize = Number.POSITIVE_INFINITY,
  seed = 0,
}: PcaOptions): PcaResult {
  const fitted =
    matrix.rows > sampleSize ? gatherRows(matrix, sampleIndices(matrix.rows, sampleSize, seed)) : matrix;
  const mean = columnMeans(fitted);
  const kept = Math.min(count, matrix.columns);
  const wide = fitted.rows < matrix.columns;
  const { values, total, components } = wide
    ? fromProducts(fitted, mean, kept)
    : fromCovariance(fitted, mean, kept);
  // Rounding can leave a value that should be 0 a little below it.
  const explainedVariance = Float64Array.from({ length: kept }, (_, at) => Math.max(0, values[at] ?? 0));
  return {
    mean,
    components,
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => (total > 0 ? value / total : 0)),
  };
}

/** Eigenvalues, their sum, and the first eigenvectors of the covariance. */
function fromCovariance(matrix: MatrixView, mean: Float64Array, kept: number) {
  const { columns } = matrix;
  const covariance = covariances(matrix, mean);
  const { values, vectors } = symmetricEigen(covariance, columns);
  let total = 0;
  for (let column = 0; column < columns; column++) total += covariance[column * columns + column]!;
  const components = new Float64Array(kept * columns);
  for (let component = 0; component < kept; component++)
    for (let column = 0; column < columns; column++)
      components[component * columns + column] = vectors[column * columns + component]!;
  return { values, total, components };
}

/** The same from X·Xᵀ (X centred): its eigenvalues are those of the covariance times n − 1, and Xᵀu its vectors. */
function fromProducts({ data, rows, columns }: MatrixView, mean: Float64Array, kept: number) {
  const centred = Float64Array.from(
    data.subarray(0, rows * columns),
    (value, at) => value - mean[at % columns]!,
  );
  const products = new Float64Array(rows * rows);
  const divisor = Math.max(1, rows - 1);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const product = dot(centred, i * columns, centred, j * columns, columns) / divisor;
      products[i * rows + j] = product;
      products[j * rows + i] = product;
    }
    total += products[i * rows + i]!;
  }
  const { values, vectors } = symmetricEigen(products, rows);
  const components = new Float64Array(kept * columns);
  for (let component = 0; component < Math.min(kept, rows); component++) {
    if (!(values[component]! > total * 1e-12)) continue;
    const axis = components.subarray(component * columns, (component + 1) * columns);
    for (let row = 0; row < rows; row++) {
      const weight = vectors[row * rows + component]!;
      for (let column = 0; column < columns; column++)
        axis[column]! += weight * centred[row * columns + column]!;
    }
    const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const length = Math.sqrt(dot(axis, 0, axis, 0, columns)) * Math.sign(largest);
    for (let column = 0; column < columns; column++) axis[column]! /= length;
  }
  return { values, total, components };
}

/** Coordinates of rows on components, [rows, count] row-major. */
export function project(matrix: MatrixView, { mean, components }: PcaResult): Float64Array {
  const { data, rows, columns } = matrix;
  const count = components.length / Math.max(1, columns);
  const offsets = Float64Array.from({ length: count }, (_, component) =>
    dot(mean, 0, components, component * columns, columns),
  );
  const coordinates = new Float64Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let component = 0; component < count; component++)
      coordinates[row * count + component] =
        dot(data, row * columns, components, component * columns, columns) - offsets[component]!;
  return coordinates;
}

/** Covariance of the columns, n − 1 in the denominator; both triangles. */
function covariances({ data, rows, columns }: MatrixView, mean: Float64Array): Float64Array {
  const sums = new Float64Array(columns * columns);
  const centred = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) centred[column] = data[at]! - mean[column]!;
    for (let i = 0; i < columns; i++) {
      const value = centred[i]!;
      const start = i * columns;
      for (let j = 0; j <= i; j++) sums[start + j]! += value * centred[j]!;
    }
  }
  const divisor = Math.max(1, rows - 1);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      const value = sums[i * columns + j]! / divisor;
      sums[i * columns + j] = value;
      sums[j * columns + i] = value;
    }
  }
  return sums;
}
