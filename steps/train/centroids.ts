import type { MatrixView } from '../../numerics/matrix-product.ts';
import { normalized } from '../../numerics/vectors.ts';

/** The mean direction of each class, of length 1; zeros if its rows cancel out. `unit`: rows of length 1. */
export function centroids(unit: MatrixView, classes: Int32Array, count: number): MatrixView {
  const { columns } = unit;
  const sums = new Float64Array(count * columns);
  const sizes = new Float64Array(count);
  classes.forEach((own, row) => {
    sizes[own]!++;
    for (let column = 0; column < columns; column++)
      sums[own * columns + column]! += unit.data[row * columns + column]!;
  });
  const means = Float32Array.from(sums, (sum, at) => sum / sizes[Math.floor(at / columns)]!);
  return normalized({ data: means, rows: count, columns });
}
