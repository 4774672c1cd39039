import type { MatrixView } from './matrix-product.ts';
import { sharedFloats, squaredLengths } from './vectors.ts';

/** Rows on a grid of whole numbers, with |row|², for exact distances; see `toGrid`. */
export interface Grid {
  points: MatrixView;
  squares: Float64Array;
  /** Steps of the grid to a unit of length. */
  scale: number;
}

/**
 * Rounds rows to a grid so fine that the longest has a length of some 4,000 steps. Products of such rows are whole
 * numbers below 2²⁴, which float32 holds exactly: every sum is the same in any order, on any processor. Rounding
 * moves a row by about 0.1 % of the longest row's length, which does not matter to where k-means starts.
 *
 * A few rows much longer than the others would make the grid coarse for the rest; it is never coarser than 1/125 of
 * the median length, and then it is only those rows' products that may be off by a step.
 */
export function toGrid(points: MatrixView): Grid {
  const { data, rows, columns } = points;
  const lengths = squaredLengths(points).map(Math.sqrt).sort();
  const longest = Math.min(
    lengths[rows - 1] ?? 0,
    32 * (lengths[rows >> 1] ?? 0) || Number.POSITIVE_INFINITY,
  );
  const scale = longest > 0 ? 4000 / longest : 0;
  const grid = sharedFloats(rows * columns);
  for (let at = 0; at < grid.length; at++) grid[at] = Math.floor(data[at]! * scale + 0.5);
  const rounded = { data: grid, rows, columns };
  return { points: rounded, squares: squaredLengths(rounded), scale };
}
