import { burstWindows, distinctWindows, type Window } from '../../numerics/bursts.ts';
import { benjaminiHochberg } from '../../numerics/false-discovery.ts';
import { type Trend, trendOf } from '../../numerics/trend.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface Burst extends Window {
  /** The p-value adjusted for the number of windows of all clusters. */
  qValue: number;
}

export interface ClusterTrend extends Trend {
  qValue: number;
  direction: 'rising' | 'falling' | 'steady';
  bursts: Burst[];
}

/**
 * How the share of each cluster goes with time. `counts`: [clusters, slices] rows; `totals`: all rows of each slice. Slices without rows say
 * nothing. Of what is told, trends and bursts together, the share `alpha` is wrong on average.
 */
export function analyse(options: {
  counts: Float64Array;
  totals: Float64Array;
  clusters: number;
  alpha: number;
  leastRows: number;
}): ClusterTrend[] {
  const { counts, totals, clusters, alpha, leastRows } = options;
  const slices = totals.length;
  const filled = [...totals.keys()].filter((slice) => totals[slice]! > 0);
  const own = (cluster: number) => counts.subarray(cluster * slices, (cluster + 1) * slices);
  const trends = Array.from({ length: clusters }, (_, cluster) =>
    trendOf(
      filled,
      filled.map((slice) => own(cluster)[slice]! / totals[slice]!),
    ),
  );
  const qValues = adjustedOf(
    trends.map(({ pValue }) => pValue),
    clusters,
  );
  const directions = trends.map(({ tau }, cluster): ClusterTrend['direction'] =>
    qValues[cluster]! > alpha || tau === 0 ? 'steady' : tau > 0 ? 'rising' : 'falling',
  );
  let tests = 0;
  const candidates = trends.flatMap(({ slope, intercept }, cluster) => {
    // What goes with the trend is no burst.
    const shares =
      directions[cluster] === 'steady' ? undefined : Array.from(totals, (_, at) => intercept + slope * at);
    const windows = burstWindows({ counts: own(cluster), totals, ...(shares && { shares }) });
    tests += windows.length;
    return windows
      .filter((window) => window.count >= leastRows && window.count > window.expected)
      .map((window) => ({ cluster, window }));
  });
  const adjusted = adjustedOf(
    candidates.map(({ window }) => window.pValue),
    tests,
  );
  const found: Burst[][] = trends.map(() => []);
  candidates.forEach(({ cluster, window }, at) => {
    if (adjusted[at]! <= alpha) found[cluster]!.push({ ...window, qValue: adjusted[at]! });
  });
  return trends.map((trend, cluster) => ({
    ...trend,
    qValue: qValues[cluster]!,
    direction: directions[cluster]!,
    bursts: distinctWindows(found[cluster]!),
  }));
}

/** Adjusted for the number of tests, and for there being two kinds of them. */
function adjustedOf(pValues: readonly number[], tests: number): Float64Array {
  return benjaminiHochberg(pValues, tests).map((value) => Math.min(1, 2 * value));
}
