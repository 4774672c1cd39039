import { quantiles } from './quantile.ts';
import { uniform } from './random.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Rows as class numbers, 0 to `classes` − 1, in both. */
export interface Classified {
  truth: Int32Array;
  predicted: Int32Array;
  classes: number;
}

export interface ClassScores {
  /** Of each class; 0 where there is nothing to divide by, as scikit-learn has it. */
  precision: Float64Array;
  recall: Float64Array;
  f1: Float64Array;
  /** Rows of the class, and rows that were given it. */
  support: Float64Array;
  predicted: Float64Array;
}

export interface ClassificationScores extends ClassScores {
  accuracy: number;
  balancedAccuracy: number;
  macroPrecision: number;
  macroRecall: number;
  macroF1: number;
  microF1: number;
  weightedF1: number;
  mcc: number;
  kappa: number;
}

/** Rows of each class (rows) that were given each class (columns). */
export function confusion({ truth, predicted, classes }: Classified): Float64Array {
  const counts = new Float64Array(classes * classes);
  for (let row = 0; row < truth.length; row++) counts[truth[row]! * classes + predicted[row]!]!++;
  return counts;
}

/** Scores of a classification of at least one row: definitions of scikit-learn's `metrics`, over the classes in either. */
export function classificationScores(classified: Classified): ClassificationScores {
  const { truth, predicted, classes } = classified;
  const own = scoresOfClasses(classified);
  const total = truth.length;
  let right = 0;
  for (let row = 0; row < total; row++) if (truth[row] === predicted[row]) right++;
  const present = [...own.support.keys()].filter((name) => own.support[name]! > 0);
  // Matthews' coefficient for many classes (Gorodkin 2004), and Cohen's kappa.
  let crossed = 0;
  let squaredTruth = 0;
  let squaredPredicted = 0;
  for (let name = 0; name < classes; name++) {
    crossed += own.support[name]! * own.predicted[name]!;
    squaredTruth += own.support[name]! ** 2;
    squaredPredicted += own.predicted[name]! ** 2;
  }
  const spread = Math.sqrt(total ** 2 - squaredTruth) * Math.sqrt(total ** 2 - squaredPredicted);
  const chance = crossed / total ** 2;
  const accuracy = right / total;
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / classes;
  return {
    ...own,
    accuracy,
    balancedAccuracy: present.reduce((sum, name) => sum + own.recall[name]!, 0) / present.length,
    macroPrecision: mean(own.precision),
    macroRecall: mean(own.recall),
    macroF1: mean(own.f1),
    microF1: accuracy,
    weightedF1: own.f1.reduce((sum, f1, name) => sum + f1 * own.support[name]!, 0) / total,
    mcc: spread > 0 ? (right * total - crossed) / spread : 0,
    kappa: chance < 1 ? (accuracy - chance) / (1 - chance) : Number.NaN,
  };
}

function scoresOfClasses({ truth, predicted, classes }: Classified): ClassScores {
  const support = new Float64Array(classes);
  const given = new Float64Array(classes);
  const hits = new Float64Array(classes);
  for (let row = 0; row < truth.length; row++) {
    support[truth[row]!]!++;
    given[predicted[row]!]!++;
    if (truth[row] === predicted[row]) hits[truth[row]!]!++;
  }
  const share = (divisors: Float64Array) =>
    hits.map((hit, name) => (divisors[name]! > 0 ? hit / divisors[name]! : 0));
  const f1 = hits.map((hit, name) => (hit > 0 ? (2 * hit) / (support[name]! + given[name]!) : 0));
  return { precision: share(given), recall: share(support), f1, support, predicted: given };
}

/**
 * Area under the ROC curve: the chance that a positive row has a greater score than another one, ties by half (Mann &
 * Whitney). NaN unless there are rows of both kinds.
 */
export function auroc(scores: Float64Array, positive: Uint8Array): number {
  return aurocOf(byScore(scores), scores, positive, undefined);
}

function byScore(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
}

/** `counts`: how often each row counts; each once if not given. */
function aurocOf(
  order: Uint32Array,
  scores: Float64Array,
  positive: Uint8Array,
  counts: Uint32Array | undefined,
): number {
  let below = 0;
  let above = 0;
  let pairs = 0;
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at]!]!;
    let negatives = 0;
    let positives = 0;
    for (; at < order.length && scores[order[at]!] === score; at++) {
      const row = order[at]!;
      const count = counts === undefined ? 1 : counts[row]!;
      if (positive[row]) positives += count;
      else negatives += count;
    }
    pairs += positives * (below + negatives / 2);
    below += negatives;
    above += positives;
  }
  return above > 0 && below > 0 ? pairs / above / below : Number.NaN;
}

export interface BootstrapTask {
  classified: Classified;
  /** Scores of these and more rows, with those to be told apart marked. */
  ranking?: { scores: Float64Array; positive: Uint8Array };
  resamples: number;
  confidence: number;
  seed: number;
}

export type Interval = [low: number, high: number];

export interface Intervals {
  accuracy: Interval;
  macroF1: Interval;
  auroc?: Interval;
}

/**
 * Percentile bootstrap (Efron 1979): as many rows are drawn with replacement, `resamples` times; bounds are quantiles of
 * what they score, between values in a straight line. Classes that a resample lacks do not count in its mean.
 */
export function bootstrapIntervals(task: BootstrapTask): Intervals {
  const { classified, ranking, resamples, confidence, seed } = task;
  const { truth, predicted, classes } = classified;
  const next = uniform(seed);
  const size = truth.length;
  const accuracies: number[] = [];
  const f1s: number[] = [];
  const drawn: Classified = { truth: new Int32Array(size), predicted: new Int32Array(size), classes };
  for (let round = 0; round < resamples; round++) {
    let right = 0;
    for (let at = 0; at < size; at++) {
      const row = Math.floor(next() * size);
      drawn.truth[at] = truth[row]!;
      drawn.predicted[at] = predicted[row]!;
      if (truth[row] === predicted[row]) right++;
    }
    accuracies.push(right / size);
    const { f1, support, predicted: given } = scoresOfClasses(drawn);
    let sum = 0;
    let present = 0;
    for (let name = 0; name < classes; name++) {
      if (support[name]! + given[name]! === 0) continue;
      sum += f1[name]!;
      present++;
    }
    f1s.push(sum / present);
  }
  const areas = ranking ? resampledAreas(ranking, resamples, next) : [];
  const interval = (values: number[]): Interval =>
    quantiles(values, [(1 - confidence) / 2, (1 + confidence) / 2]);
  return {
    accuracy: interval(accuracies),
    macroF1: interval(f1s),
    ...(areas.length > 0 && { auroc: interval(areas) }),
  };
}

function resampledAreas(
  { scores, positive }: { scores: Float64Array; positive: Uint8Array },
  resamples: number,
  next: () => number,
): number[] {
  const order = byScore(scores);
  const counts = new Uint32Array(scores.length);
  const areas: number[] = [];
  for (let round = 0; round < resamples; round++) {
    counts.fill(0);
    for (let draw = 0; draw < counts.length; draw++) counts[Math.floor(next() * counts.length)]!++;
    const area = aurocOf(order, scores, positive, counts);
    if (!Number.isNaN(area)) areas.push(area);
  }
  return areas;
}
