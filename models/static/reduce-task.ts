import type { MatrixView } from '../../numerics/matrix-product.ts';
import { pca, project } from '../../numerics/pca.ts';

export interface ReduceTask {
  /** A vector for each token. */
  vectors: MatrixView;
  /** Principal components to keep; null: the vectors as they are. */
  dimensions: number | null;
  /** A factor for each token's vector. */
  weights: Float64Array;
}

/** URL of this module, for `pool.run`. */
export const reduceModule = import.meta.url;

/** Tokens' vectors on their principal components, each times its weight; in a worker thread. */
export function reduceVectors({ vectors, dimensions, weights }: ReduceTask): {
  data: Float32Array;
  columns: number;
} {
  const { rows } = vectors;
  // Without more tokens than components there is nothing to learn an axis from.
  const kept = dimensions === null || dimensions >= rows ? null : Math.min(dimensions, vectors.columns);
  const values =
    kept === null ? Float64Array.from(vectors.data) : project(vectors, pca({ matrix: vectors, count: kept }));
  const columns = kept ?? vectors.columns;
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      data[row * columns + column] = values[row * columns + column]! * weights[row]!;
  return { data, columns };
}
