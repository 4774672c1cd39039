import { type MatrixView, openProduct } from './matrix-product.ts';
import { gaussians } from './random.ts';
import { type SparseMatrix, transpose } from './sparse.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface SvdOptions {
  /** Singular vectors wanted; fewer come back if the matrix has a lower rank. */
  components: number;
  /** Seed of the random start. */
  seed: number;
  /** Power iterations: each brings the subspace closer where singular values lie close. */
  iterations?: number;
  /** Random directions beyond `components`. */
  oversamples?: number;
}

export interface TruncatedSvd {
  /** Right singular vectors as columns: `columns of A × rank`, row-major, float32. A · vectors are the scores U·Σ. */
  vectors: MatrixView;
  /** Descending. */
  singularValues: Float64Array;
}

/** Directions whose squared length is below this share of the greatest are rounding errors of float32 products. */
const negligible = 1e-6;

/**
 * The first singular triplets of a sparse matrix by a randomised range finder with power iterations (Halko,
 * Martinsson and Tropp 2011, algorithms 4.4 and 5.1), orthonormalised after each half step. Signs make the largest
 * entry of every vector positive, as scikit-learn's `svd_flip` does. Memory: 3 · (rows + columns) · components floats.
 */
export async function truncatedSvd(a: SparseMatrix, options: SvdOptions): Promise<TruncatedSvd> {
  const { components, seed, iterations = 2, oversamples = 10 } = options;
  const width = Math.min(components + oversamples, a.rows, a.columns);
  if (width === 0) {
    const none = { data: new Float32Array(0), rows: a.columns, columns: 0 };
    return { vectors: none, singularValues: new Float64Array(0) };
  }
  const transposed = transpose(a);
  const start = Float32Array.from(gaussians(a.rows * width, seed));
  let left: MatrixView = { data: start, rows: a.rows, columns: width };
  for (let round = 0; round < iterations; round++) {
    const right = await orthonormal(multiply(transposed, left));
    left = (await orthonormal(multiply(a, right.basis))).basis;
  }
  // With Q for `left`: Aᵀ Q = V Σ Wᵀ, so that an orthonormal basis of its columns, by strength, is V.
  const { basis, lengths } = await orthonormal(multiply(transposed, left), components);
  return { vectors: withSigns(basis), singularValues: lengths };
}

/**
 * An orthonormal basis of the columns' span, V of Y = V Σ Wᵀ, from the eigenvectors of YᵀY; strongest direction
 * first, negligible ones left out, at most `most`. `lengths` are the singular values of Y.
 */
async function orthonormal(
  y: MatrixView,
  most = Number.POSITIVE_INFINITY,
): Promise<{ basis: MatrixView; lengths: Float64Array }> {
  const gramOf = await openProduct({ transposeA: true });
  const product = await openProduct();
  const gram = await gramOf(y, y);
  const { values, vectors } = symmetricEigen(Float64Array.from(gram.data), y.columns);
  const rank = Math.min(most, values.findLastIndex((value) => value > negligible * values[0]!) + 1);
  const turn = new Float32Array(y.columns * rank);
  for (let row = 0; row < y.columns; row++) {
    for (let column = 0; column < rank; column++)
      turn[row * rank + column] = vectors[row * y.columns + column]! / Math.sqrt(values[column]!);
  }
  const basis = await product(y, { data: turn, rows: y.columns, columns: rank });
  return { basis, lengths: values.subarray(0, rank).map(Math.sqrt) };
}

/** A · X. Four entries at a time, so that the result is written a quarter as often. */
function multiply({ rows, starts, indices, values }: SparseMatrix, x: MatrixView): MatrixView {
  const width = x.columns;
  const from = x.data;
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const to = row * width;
    const end = starts[row + 1]!;
    let entry = starts[row]!;
    for (; entry + 4 <= end; entry += 4) {
      const a = indices[entry]! * width;
      const b = indices[entry + 1]! * width;
      const c = indices[entry + 2]! * width;
      const d = indices[entry + 3]! * width;
      const va = values[entry]!;
      const vb = values[entry + 1]!;
      const vc = values[entry + 2]!;
      const vd = values[entry + 3]!;
      for (let i = 0; i < width; i++)
        data[to + i]! += va * from[a + i]! + vb * from[b + i]! + vc * from[c + i]! + vd * from[d + i]!;
    }
    for (; entry < end; entry++) {
      const a = indices[entry]! * width;
      const va = values[entry]!;
      for (let i = 0; i < width; i++) data[to + i]! += va * from[a + i]!;
    }
  }
  return { data, rows, columns: width };
}

function withSigns({ data, rows, columns }: MatrixView): MatrixView {
  for (let column = 0; column < columns; column++) {
    let top = 0;
    for (let at = column; at < data.length; at += columns)
      if (Math.abs(data[at]!) > Math.abs(top)) top = data[at]!;
    if (top < 0) for (let at = column; at < data.length; at += columns) data[at] = -data[at]!;
  }
  return { data, rows, columns };
}
