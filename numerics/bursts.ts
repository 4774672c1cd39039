import { hypergeometricTail, poissonTail } from './count-tails.ts';

/** So many slices in a row in which more rows are of a kind than elsewhere. */
export interface Window {
  /** The first slice, and the one after the last. */
  from: number;
  to: number;
  count: number;
  /** Rows of the kind that would be there by chance. */
  expected: number;
  /** Chance of as many or more. */
  pValue: number;
}

/**
 * All windows of 1, 2, 3, 4, 6, 8, 12, … slices, at most half of them, each with the chance that so many of its rows are of one kind
 * if the rows' times say nothing (a scan statistic, Kulldorff 1997, with the exact hypergeometric distribution). `counts`: rows of the kind
 * by slice, `totals`: all rows. With `shares`, what a trend makes one expect in each slice, the chance is that of a Poisson distribution
 * about it.
 */
export function burstWindows(options: {
  counts: ArrayLike<number>;
  totals: ArrayLike<number>;
  shares?: ArrayLike<number>;
}): Window[] {
  const { counts, totals, shares } = options;
  const slices = counts.length;
  const countsTo = runningSums(counts);
  const totalsTo = runningSums(totals);
  const [kind, total] = [countsTo[slices]!, totalsTo[slices]!];
  const due = Array.from(
    { length: slices },
    (_, slice) => Math.max(0, shares?.[slice] ?? 0) * totals[slice]!,
  );
  const dueTo = runningSums(due);
  const scale = dueTo[slices]! > 0 ? kind / dueTo[slices]! : 0;
  const windows: Window[] = [];
  for (const width of widths(slices))
    for (let from = 0; from + width <= slices; from++) {
      const to = from + width;
      const count = countsTo[to]! - countsTo[from]!;
      const drawn = totalsTo[to]! - totalsTo[from]!;
      if (drawn === 0) continue;
      const expected = shares ? scale * (dueTo[to]! - dueTo[from]!) : (kind * drawn) / total;
      const pValue = shares
        ? poissonTail(count, expected)
        : hypergeometricTail({ count, drawn, kind, total });
      windows.push({ from, to, count, expected, pValue });
    }
  return windows;
}

/** Of the windows those that stand out most, no two of which overlap; in order of time. */
export function distinctWindows<W extends Window>(windows: readonly W[]): W[] {
  const chosen: W[] = [];
  for (const window of windows.toSorted(
    (a, b) => a.pValue - b.pValue || b.to - b.from - (a.to - a.from) || a.from - b.from,
  ))
    if (chosen.every((other) => window.to <= other.from || other.to <= window.from)) chosen.push(window);
  return chosen.sort((a, b) => a.from - b.from);
}

function widths(slices: number): number[] {
  const found = new Set<number>();
  for (let width = 1; width <= slices / 2; width *= 2) {
    found.add(width);
    if (width > 1 && width * 1.5 <= slices / 2) found.add(width * 1.5);
  }
  return [...found].sort((a, b) => a - b);
}

function runningSums(values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let at = 0; at < values.length; at++) sums[at + 1] = sums[at]! + values[at]!;
  return sums;
}
