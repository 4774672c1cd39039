import type { MatrixView } from './matrix-product.ts';

/** Σ aᵢbᵢ over `size` numbers from the given offsets: float64, in index order, so the same bits everywhere. */
export function dot(
  a: ArrayLike<number>,
  aStart: number,
  b: ArrayLike<number>,
  bStart: number,
  size: number,
): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += a[aStart + i]! * b[bStart + i]!;
  return sum;
}

/** Squared Euclidean distance of two rows, in float64. */
export function squaredDistance(
  a: ArrayLike<number>,
  aStart: number,
  b: ArrayLike<number>,
  bStart: number,
  size: number,
): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    sum += difference * difference;
  }
  return sum;
}

/** Some rows of a matrix one after the other, as a view of its data. */
export function rowsOf({ data, columns }: MatrixView, first: number, rows: number): MatrixView {
  return { data: data.subarray(first * columns, (first + rows) * columns), rows, columns };
}

/** Squared length of each row. */
export function squaredLengths({ data, rows, columns }: MatrixView): Float64Array {
  const lengths = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    lengths[row] = dot(data, start, data, start, columns);
  }
  return lengths;
}

/** Mean of each column; zeros for a matrix without rows. */
export function columnMeans({ data, rows, columns }: MatrixView): Float64Array {
  const means = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) means[column]! += data[at]!;
  }
  if (rows > 0) for (let column = 0; column < columns; column++) means[column]! /= rows;
  return means;
}

/** Mean over the columns of their variances (population), in float64. */
export function meanVariance(matrix: MatrixView): number {
  const { data, rows, columns } = matrix;
  if (rows === 0 || columns === 0) return 0;
  const means = columnMeans(matrix);
  let sum = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) sum += (data[at]! - means[column]!) ** 2;
  }
  return sum / rows / columns;
}

/** A copy, in memory that threads share, minus `offset` in every row. */
export function shifted({ data, rows, columns }: MatrixView, offset?: ArrayLike<number>): MatrixView {
  const copy = sharedFloats(rows * columns);
  if (!offset) copy.set(data);
  else {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) copy[at] = data[at]! - offset[column]!;
    }
  }
  return { data: copy, rows, columns };
}

/** A copy, in memory that threads share, with every row divided by its length; rows of zeros stay. */
export function normalized(matrix: MatrixView): MatrixView {
  const { rows, columns } = matrix;
  const copy = sharedFloats(rows * columns);
  for (let row = 0; row < rows; row++)
    unitRow(matrix, row, copy.subarray(row * columns, (row + 1) * columns));
  return { data: copy, rows, columns };
}

/** A row divided by its length, into `unit`; a row of zeros stays. */
export function unitRow({ data, columns }: MatrixView, row: number, unit: Float32Array): void {
  const start = row * columns;
  const length = Math.sqrt(dot(data, start, data, start, columns));
  const scale = length > 0 ? 1 / length : 0;
  for (let column = 0; column < columns; column++) unit[column] = data[start + column]! * scale;
}

/** A vector divided by its length; zeros stay. */
export function unitLength(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  return vector.map((value) => value * scale);
}

/** Zeros in memory that worker threads see without a copy. */
export function sharedFloats(size: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT));
}

/** The given rows, one below the other. */
export function gatherRows({ data, columns }: MatrixView, rows: ArrayLike<number>): MatrixView {
  const copy = new Float32Array(rows.length * columns);
  for (let index = 0; index < rows.length; index++) {
    const start = rows[index]! * columns;
    copy.set(data.subarray(start, start + columns), index * columns);
  }
  return { data: copy, rows: rows.length, columns };
}
