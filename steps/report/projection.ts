import type { MatrixView } from '../../numerics/matrix-product.ts';
import { pca, project as place } from '../../numerics/pca.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Points in the plane, in whole numbers: what a screen can tell apart, and the same on every machine. */
export interface Projection {
  x: number[];
  y: number[];
  width: number;
  height: number;
  /** Share of the variance that the two axes hold, in [0, 1]. */
  explained: number;
}

/** Size of the longer side. */
const extent = 4095;

/**
 * First two principal components of the rows, [rows, columns] row-major. The axes are fitted to a sample of them: for
 * vectors of usual width one that hardly moves the axes, for wide ones one that keeps the time to some seconds.
 * Values that are not finite count as 0. Runs in a worker.
 */
export function project({ data, rows, columns }: MatrixView): Projection {
  const matrix = { data: data.map((value) => (Number.isFinite(value) ? value : 0)), rows, columns };
  const result = pca({ matrix, count: 2, sampleSize: columns <= 640 ? 5000 : 600 });
  const [x, y] = result.explainedVarianceRatio;
  return { ...quantize(place(matrix, result)), explained: Math.min(1, x! + y!) };
}

/**
 * Points, [n, 2] row-major, moved and scaled alike in both directions onto whole numbers from 0 to `extent`. What is
 * not finite goes to the middle.
 */
export function quantize(points: ArrayLike<number>): Omit<Projection, 'explained'> {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let index = 0; index < points.length; index += 2) {
    const [x, y] = [points[index]!, points[index + 1]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const size = Math.max(right - left, bottom - top);
  const scale = size > 0 && Number.isFinite(size) ? extent / size : 0;
  const onGrid = (value: number, low: number, high: number) =>
    Math.round((Number.isFinite(value) ? value - low : (high - low) / 2) * scale);
  const x: number[] = [];
  const y: number[] = [];
  for (let index = 0; index < points.length; index += 2) {
    x.push(scale === 0 ? 0 : onGrid(points[index]!, left, right));
    y.push(scale === 0 ? 0 : onGrid(points[index + 1]!, top, bottom));
  }
  return {
    x,
    y,
    width: scale === 0 ? 0 : Math.round((right - left) * scale),
    height: scale === 0 ? 0 : Math.round((bottom - top) * scale),
  };
}
