import { quantiles } from './quantile.ts';
import { uniform } from './random.ts';

/** This module, for a worker pool. */
export const moduleUrl = import.meta.url;

/** Rows that either of two models may answer: how good each answer is (1 right, 0 wrong, or a score), of the same length. */
export interface RoutedRows {
  readonly weak: Float64Array;
  readonly strong: Float64Array;
}

/**
 * What comes of sending the rows with the greatest scores to the strong model, from none to all. Rows of one score go
 * together; between two points a share of them, drawn by chance, is expected to lie on the line.
 */
export interface RoutingCurve {
  /** Share of the rows that the strong model answers, from 0 to 1. */
  readonly share: Float64Array;
  /** Mean of the answers then: the weak model's at first, the strong model's at last. */
  readonly quality: Float64Array;
  /** The least score that goes to the strong model; Infinity where none does. */
  readonly threshold: Float64Array;
}

/** Rows by falling score, and where each run of equal scores ends. */
interface Order {
  rows: Uint32Array;
  ends: Uint32Array;
}

function orderOf(scores: Float64Array): Order {
  const rows = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const ends: number[] = [];
  for (let at = 1; at <= rows.length; at++)
    if (at === rows.length || scores[rows[at]!] !== scores[rows[at - 1]!]) ends.push(at);
  return { rows, ends: Uint32Array.from(ends) };
}

/** @param counts how often each row counts; once if not given */
function curveOf({ weak, strong }: RoutedRows, { rows, ends }: Order, counts?: Uint32Array) {
  const share = new Float64Array(ends.length + 1);
  const quality = new Float64Array(ends.length + 1);
  let total = 0;
  let sum = 0;
  for (let row = 0; row < weak.length; row++) {
    const count = counts === undefined ? 1 : counts[row]!;
    total += count;
    sum += count * weak[row]!;
  }
  quality[0] = sum / total;
  let sent = 0;
  let at = 0;
  for (const [index, end] of ends.entries()) {
    for (; at < end; at++) {
      const row = rows[at]!;
      const count = counts === undefined ? 1 : counts[row]!;
      sent += count;
      sum += count * (strong[row]! - weak[row]!);
    }
    share[index + 1] = sent / total;
    quality[index + 1] = sum / total;
  }
  return { share, quality };
}

/** @param scores of each row, greater where the strong model is needed more */
export function routingCurve(rows: RoutedRows, scores: Float64Array): RoutingCurve {
  const order = orderOf(scores);
  const threshold = Float64Array.from([Infinity, ...order.ends].keys(), (index) =>
    index === 0 ? Infinity : scores[order.rows[order.ends[index - 1]! - 1]!]!,
  );
  return { ...curveOf(rows, order), threshold };
}

/** Performance gap recovered: 0 as good as the weak model, 1 as good as the strong one (Ong et al. 2024, RouteLLM). */
export function pgr({ quality }: Pick<RoutingCurve, 'quality'>, value: number): number {
  const [weak, strong] = [quality[0]!, quality.at(-1)!];
  return (value - weak) / (strong - weak);
}

/**
 * Average performance gap recovered: the area under PGR over all shares of the strong model, by trapezoids. 0.5 is
 * routing by chance. RouteLLM takes ten shares; here it is all that there are. Not a number where the models are equal.
 */
export function apgr(curve: Pick<RoutingCurve, 'share' | 'quality'>): number {
  const { share, quality } = curve;
  let area = 0;
  for (let at = 1; at < share.length; at++)
    area += ((share[at]! - share[at - 1]!) * (quality[at]! + quality[at - 1]!)) / 2;
  return pgr(curve, area);
}

/**
 * Call-performance threshold: the least share of the strong model whose PGR is `target` (CPT(50 %) for 0.5).
 * Not a number where none is.
 */
export function cpt(curve: Pick<RoutingCurve, 'share' | 'quality'>, target: number): number {
  const { share, quality } = curve;
  const gained = (at: number) => pgr(curve, quality[at]!);
  for (let at = 0; at < share.length; at++) {
    if (!(gained(at) >= target)) continue;
    if (at === 0) return 0;
    const [before, here] = [gained(at - 1), gained(at)];
    return share[at - 1]! + ((target - before) / (here - before)) * (share[at]! - share[at - 1]!);
  }
  return Number.NaN;
}

/** What is expected where a share of the rows goes to the strong model. */
export function qualityAt({ share, quality }: RoutingCurve, wanted: number): number {
  let at = 1;
  while (at < share.length - 1 && share[at]! < wanted) at++;
  const width = share[at]! - share[at - 1]!;
  const part = width === 0 ? 0 : (wanted - share[at - 1]!) / width;
  return quality[at - 1]! + Math.min(1, Math.max(0, part)) * (quality[at]! - quality[at - 1]!);
}

/** The scores of the best routing there is: what the strong model gains on each row. */
export function oracleScores({ weak, strong }: RoutedRows): Float64Array {
  return strong.map((value, row) => value - weak[row]!);
}

export interface RoutingBootstrapTask {
  rows: RoutedRows;
  scores: Float64Array;
  /** Scores that a simpler rule gives, to compare with. */
  baseline?: Float64Array;
  /** The group of each row, numbered from 0: groups are drawn whole. */
  groups?: Int32Array;
  resamples: number;
  confidence: number;
  seed: number;
}

export type Bounds = readonly [low: number, high: number];

export interface RoutingIntervals {
  apgr: Bounds;
  /** APGR less that of the baseline, both over the same rows. */
  gain?: Bounds;
  /** Resamples in which the strong model is no better than the weak one, so that there is no APGR: left out. */
  without: number;
}

/** Percentile bootstrap (Efron 1979) over rows, or over groups of rows. */
export function routingIntervals(task: RoutingBootstrapTask): RoutingIntervals {
  const { rows, scores, baseline, groups, resamples, confidence, seed } = task;
  const next = uniform(seed);
  const order = orderOf(scores);
  const other = baseline && orderOf(baseline);
  const size = scores.length;
  const members = groups && membersOf(groups);
  const counts = new Uint32Array(size);
  const areas: number[] = [];
  const gains: number[] = [];
  for (let round = 0; round < resamples; round++) {
    counts.fill(0);
    if (members === undefined) for (let draw = 0; draw < size; draw++) counts[Math.floor(next() * size)]!++;
    else
      for (let draw = 0; draw < members.length; draw++)
        for (const row of members[Math.floor(next() * members.length)]!) counts[row]!++;
    const curve = curveOf(rows, order, counts);
    if (!(curve.quality.at(-1)! > curve.quality[0]!)) continue;
    const area = apgr(curve);
    areas.push(area);
    if (other) gains.push(area - apgr(curveOf(rows, other, counts)));
  }
  const bounds = (values: number[]): Bounds =>
    quantiles(values, [(1 - confidence) / 2, (1 + confidence) / 2]);
  return {
    apgr: bounds(areas),
    ...(other && { gain: bounds(gains) }),
    without: resamples - areas.length,
  };
}

function membersOf(groups: Int32Array): number[][] {
  const members: number[][] = [];
  for (const [row, group] of groups.entries()) {
    const known = members[group];
    if (known === undefined) members[group] = [row];
    else known.push(row);
  }
  return members;
}
