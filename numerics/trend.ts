import { normalTail } from './normal.ts';

export interface Trend {
  /** Median of the slopes of all pairs of points (Theil 1950, Sen 1968), in units of y for one of x. */
  slope: number;
  /** Where the line through the medians of x and y meets x = 0. */
  intercept: number;
  /** Bounds of the slope at 95 % (Sen 1968); the slope itself if there are too few points. */
  low: number;
  high: number;
  /** Kendall's tau-b of y and x. */
  tau: number;
  /** Of the Mann-Kendall test, two-sided, with the correction for ties and for continuity; 1 of fewer than three points. */
  pValue: number;
}

/** z of a two-sided interval of 95 %. */
const z95 = 1.959963984540054;

/**
 * Whether and how fast y rises with x, whatever its distribution and untouched by a few wild values. `x` rises strictly. Assumes that
 * points do not hang together in time: where they do, p-values are too small. O(n² log n).
 */
export function trendOf(x: ArrayLike<number>, y: ArrayLike<number>): Trend {
  const n = x.length;
  const slopes: number[] = [];
  let score = 0;
  for (let later = 1; later < n; later++)
    for (let earlier = 0; earlier < later; earlier++) {
      score += Math.sign(y[later]! - y[earlier]!);
      slopes.push((y[later]! - y[earlier]!) / (x[later]! - x[earlier]!));
    }
  const sorted = Float64Array.from(slopes).sort();
  const slope = n < 2 ? 0 : median(sorted);
  const ties = tieGroups(y);
  const pairs = (n * (n - 1)) / 2;
  const untied = pairs - ties.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  const spread =
    (n * (n - 1) * (2 * n + 5) - ties.reduce((sum, size) => sum + size * (size - 1) * (2 * size + 5), 0)) /
    18;
  const z = spread > 0 && score !== 0 ? (Math.abs(score) - 1) / Math.sqrt(spread) : 0;
  const half = z95 * Math.sqrt(Math.max(0, spread));
  // As scipy's theilslopes: the slopes at these ranks.
  const upper = Math.min(Math.round((pairs + half) / 2), pairs - 1);
  const lower = Math.max(Math.round((pairs - half) / 2) - 1, 0);
  return {
    slope,
    intercept:
      n === 0 ? 0 : median(Float64Array.from(y).sort()) - slope * median(Float64Array.from(x).sort()),
    low: n < 3 ? slope : sorted[lower]!,
    high: n < 3 ? slope : sorted[upper]!,
    tau: untied > 0 ? score / Math.sqrt(pairs * untied) : 0,
    pValue: n < 3 ? 1 : Math.min(1, 2 * normalTail(z)),
  };
}

function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How often each value occurs that occurs more than once. */
function tieGroups(y: ArrayLike<number>): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < y.length; at++) counts.set(y[at]!, (counts.get(y[at]!) ?? 0) + 1);
  return [...counts.values()].filter((size) => size > 1);
}
