import { toGrid } from './grid.ts';
import { openProduct } from './matrix-product.ts';
import { distanceOf, type MetricSpace } from './metric-space.ts';

/** Steps of the fine grid to one of the coarse one: products of the two stay below 2²⁴. */
const fineSteps = 64;
const blockRows = 512;

/**
 * All distances, or squared Euclidean distances (`squared`), good to about 10⁻⁵ of the longest row. Rows are split into
 * whole numbers on a grid and on one 64 times as fine, whose products float32 holds exactly (see `toGrid`): so the
 * same on every machine with any number of threads. [rows, rows], 4·n² bytes: whole rows are read ten times faster than
 * the columns of half a matrix.
 */
export async function pairDistances(
  { centred, metric }: MetricSpace,
  options: { squared: boolean; threads: number },
): Promise<Float32Array> {
  const { rows, columns } = centred;
  const coarse = toGrid(centred);
  const { scale } = coarse;
  const product = await openProduct({ transposeB: true, threads: options.threads });
  // Left [coarse | fine], right [fine | coarse]: their product is the sum of the two mixed ones.
  const left = new Float32Array(rows * columns * 2);
  const right = new Float32Array(rows * columns * 2);
  const squares = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const whole = coarse.points.data[at]!;
      const rest = Math.round((centred.data[at]! * scale - whole) * fineSteps);
      const to = 2 * row * columns + column;
      left[to] = whole;
      left[to + columns] = rest;
      right[to] = rest;
      right[to + columns] = whole;
      squares[row]! += whole * whole + (2 * whole * rest) / fineSteps;
    }
  }
  const block = (data: Float32Array, width: number, start: number, size: number) => ({
    data: data.subarray(start * width, (start + size) * width),
    rows: size,
    columns: width,
  });
  const values = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i += blockRows) {
    const height = Math.min(blockRows, rows - i);
    for (let j = i; j < rows; j += blockRows) {
      const width = Math.min(blockRows, rows - j);
      const whole = await product(
        block(coarse.points.data, columns, i, height),
        block(coarse.points.data, columns, j, width),
      );
      const mixed = await product(block(left, 2 * columns, i, height), block(right, 2 * columns, j, width));
      for (let row = i; row < i + height; row++) {
        for (let other = Math.max(j, row + 1); other < j + width; other++) {
          const at = (row - i) * width + other - j;
          const inner = whole.data[at]! + mixed.data[at]! / fineSteps;
          const square = Math.max(0, squares[row]! + squares[other]! - 2 * inner) / (scale * scale || 1);
          const value = options.squared ? square : distanceOf(metric, square);
          values[row * rows + other] = value;
          values[other * rows + row] = value;
        }
      }
    }
  }
  return values;
}
