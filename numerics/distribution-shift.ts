import { quantiles } from './quantile.ts';

/** A bin without values counts as this share: the index has no value for 0. */
const leastShare = 1e-4;

/** The inner edges of bins with equally many values each, as `numpy.quantile` has them; equal edges are one. */
export function quantileEdges(values: readonly number[], bins: number): number[] {
  if (values.length === 0) return [];
  const shares = Array.from({ length: bins - 1 }, (_, at) => (at + 1) / bins);
  return [...new Set(quantiles(values, shares))];
}

/** The share of the values in each bin; an edge belongs to the bin above it. */
export function binShares(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    let bin = 0;
    while (bin < edges.length && value >= edges[bin]!) bin++;
    counts[bin]!++;
  }
  return counts.map((count) => count / Math.max(1, values.length));
}

/** The share of each category, over all categories that either has, in the order of their names. */
export function categoryShares(first: readonly string[], second: readonly string[]): [number[], number[]] {
  const names = [...new Set([...first, ...second])].sort();
  const places = new Map(names.map((name, at) => [name, at]));
  const sharesOf = (values: readonly string[]) => {
    const shares = new Array<number>(names.length).fill(0);
    for (const value of values) shares[places.get(value)!]! += 1 / values.length;
    return shares;
  };
  return [sharesOf(first), sharesOf(second)];
}

/** The population stability index Σ (q − p) ln(q / p) of shares: above 0.1 some shift, above 0.25 a great one. */
export function populationStabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  return expected.reduce((sum, share, at) => {
    const [p, q] = [Math.max(share, leastShare), Math.max(actual[at]!, leastShare)];
    return sum + (q - p) * Math.log(q / p);
  }, 0);
}

/** The Jensen-Shannon distance of shares, base 2: 0 to 1 (SciPy's `jensenshannon`). */
export function jensenShannonDistance(first: readonly number[], second: readonly number[]): number {
  let divergence = 0;
  first.forEach((p, at) => {
    const q = second[at]!;
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  });
  return Math.sqrt(Math.max(0, divergence));
}

/** The two-sample Kolmogorov-Smirnov statistic: the largest difference of the two cumulative distributions, 0 to 1. */
export function kolmogorovSmirnov(first: readonly number[], second: readonly number[]): number {
  if (first.length === 0 || second.length === 0) return first.length === second.length ? 0 : 1;
  const [a, b] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()];
  let [i, j, most] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
}
