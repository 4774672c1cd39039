import { quantile } from './quantile.ts';

/**
 * The modified z-score of each value (Iglewicz & Hoaglin 1993): its distance from the median over 1.4826 · the median of those
 * distances; if more than half of the values are equal, over 1.2533 · their mean. More than 3.5 is far out; 0 if all are equal.
 */
export function modifiedZScores(values: Float64Array): Float64Array {
  if (values.length === 0) return new Float64Array(0);
  const list = [...values];
  const median = quantile(list, 0.5);
  const distances = list.map((value) => Math.abs(value - median));
  const scale =
    1.482_602_218_505_602 * quantile(distances, 0.5) ||
    1.253_314_137_315_5 * (distances.reduce((sum, value) => sum + value, 0) / distances.length);
  return values.map((value) => (scale > 0 ? (value - median) / scale : 0));
}
