import type { MatrixView } from './matrix-product.ts';

/** How rows with a wrong label are told from others, under cleanlab's names. */
export const labelErrorFilters = [
  'prune_by_noise_rate',
  'prune_by_class',
  'both',
  'confident_learning',
  'predicted_neq_given',
  'low_normalized_margin',
  'low_self_confidence',
] as const;
export type LabelErrorFilter = (typeof labelErrorFilters)[number];

/** Scores of how well a label fits, under cleanlab's names. */
export const labelQualities = [
  'self_confidence',
  'normalized_margin',
  'confidence_weighted_entropy',
] as const;
export type LabelQuality = (typeof labelQualities)[number];

/** Labels, and probabilities of classes from a model that has not seen the row. */
export interface LabelledProbabilities {
  /** [rows, classes]; each row sums to 1. */
  probabilities: MatrixView;
  /** Class of each row, 0 to classes − 1. */
  labels: Int32Array;
}

export interface LabelErrors {
  /** 1 for a row whose label is taken for wrong. */
  errors: Uint8Array;
  /** [classes, classes], row-major: estimated rows of a given label (row) and a true one (column). Its rows sum to the labels' counts. */
  confidentJoint: Float64Array;
  /** The mean probability of each class over the rows that have its label; 2 of a class without rows. */
  thresholds: Float64Array;
}

/** Smaller differences of probabilities do not count: cleanlab's constant. */
const tolerance = 1e-6;

/**
 * Confident learning (Northcutt, Jiang & Chuang 2021): counts the rows that are confidently of a class (their probability of it is at
 * least the mean over the rows with that label), calibrates these counts to those of the labels, and filters rows by them. As cleanlab 2.9
 * does, to the row; rows with equal scores are taken in their order. `minPerClass` rows of a class are never taken for errors, and
 * `fracNoise` is the share of the estimated errors that the three `prune` filters take. Time rows · classes.
 */
export function labelErrors(
  given: LabelledProbabilities,
  {
    filter,
    fracNoise = 1,
    minPerClass = 1,
  }: { filter: LabelErrorFilter; fracNoise?: number; minPerClass?: number },
): LabelErrors {
  const { probabilities, labels } = given;
  const { rows } = probabilities;
  const { counts, offDiagonal, thresholds } = confidentCounts(given);
  const confidentJoint = calibrated(counts, labels, probabilities.columns);
  let errors = new Uint8Array(rows);
  if (filter === 'confident_learning') errors = offDiagonal.slice();
  else if (filter === 'predicted_neq_given') errors.fill(1);
  else if (filter === 'low_normalized_margin' || filter === 'low_self_confidence') {
    const quality = labelQuality(
      given,
      filter === 'low_self_confidence' ? 'self_confidence' : 'normalized_margin',
    );
    const size = offDiagonal.reduce((sum, off, row) => sum + (off && !fits(given, row) ? 1 : 0), 0);
    for (const row of ascending(quality).subarray(0, size)) errors[row] = 1;
    return { errors, confidentJoint, thresholds };
  } else {
    const keep = pruneCounts(confidentJoint, probabilities.columns, minPerClass, fracNoise);
    const byClass =
      filter === 'prune_by_noise_rate' ? undefined : pruned(given, keep, minPerClass, lowestOfClass);
    const byRate = filter === 'prune_by_class' ? undefined : pruned(given, keep, minPerClass, largestMargins);
    errors = byClass && byRate ? byClass.map((one, row) => one & byRate[row]!) : (byClass ?? byRate)!;
  }
  for (let row = 0; row < rows; row++) if (errors[row] && fits(given, row)) errors[row] = 0;
  return { errors, confidentJoint, thresholds };
}

/**
 * How well each row's label fits: the lower, the likelier it is wrong. `self_confidence`: the probability of the label.
 * `normalized_margin`: (that − the largest of another class + 1) / 2. `confidence_weighted_entropy`: ln(1 + e) / e for the normalised
 * entropy over the probability of the label, e.
 */
export function labelQuality(
  { probabilities, labels }: LabelledProbabilities,
  quality: LabelQuality,
): Float64Array {
  const { data, columns } = probabilities;
  return Float64Array.from(labels, (label, row) => {
    const own = data[row * columns + label]!;
    if (quality === 'self_confidence') return own;
    let most = 0;
    let entropy = 0;
    for (let column = 0; column < columns; column++) {
      const p = data[row * columns + column]!;
      if (column !== label) most = Math.max(most, p);
      if (p > 0) entropy -= p * Math.log(p);
    }
    if (quality === 'normalized_margin') return (own - most + 1) / 2;
    const ratio = columns > 1 ? entropy / Math.log(columns) / Math.max(own, tolerance) : 0;
    // Rounding may leave an entropy a little below 0.
    return Math.log(Math.max(ratio, 0) + 1) / Math.max(ratio, tolerance);
  });
}

/** The most probable class of each row; of equals the first. */
export function mostProbable({ data, rows, columns }: MatrixView): Int32Array {
  const found = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let column = 1; column < columns; column++)
      if (data[row * columns + column]! > data[row * columns + best]!) best = column;
    found[row] = best;
  }
  return found;
}

/** Whether no class is more probable than the label, but for rounding. */
function fits({ probabilities: { data, columns }, labels }: LabelledProbabilities, row: number): boolean {
  const label = labels[row]!;
  const own = data[row * columns + label]! + tolerance;
  for (let column = 0; column < columns; column++) {
    const p = data[row * columns + column]!;
    if (p > own || (p === own && column < label)) return false;
  }
  return true;
}

/** Rows that are confidently of a class, by given label and class; at least 1 on the diagonal. Equation 1 of the paper. */
function confidentCounts({ probabilities, labels }: LabelledProbabilities) {
  const { data, rows, columns } = probabilities;
  const sizes = new Float64Array(columns);
  const sums = new Float64Array(columns);
  labels.forEach((label, row) => {
    sizes[label]!++;
    sums[label]! += data[row * columns + label]!;
  });
  const thresholds = sums.map((sum, k) => (sizes[k]! > 0 ? Math.max(sum / sizes[k]!, 2 * tolerance) : 2));
  const counts = new Float64Array(columns * columns);
  const offDiagonal = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    let guess = -1;
    let several = false;
    let best = 0;
    for (let column = 0; column < columns; column++) {
      const p = data[row * columns + column]!;
      if (p > data[row * columns + best]!) best = column;
      if (p < thresholds[column]! - tolerance) continue;
      several = guess >= 0;
      if (guess < 0) guess = column;
    }
    if (guess < 0) continue;
    if (several) guess = best;
    counts[labels[row]! * columns + guess]!++;
    if (guess !== labels[row]) offDiagonal[row] = 1;
  }
  for (let k = 0; k < columns; k++) counts[k * columns + k] = Math.max(1, counts[k * columns + k]!);
  return { counts, offDiagonal, thresholds };
}

/** The counts scaled so that each row sums to the rows with its label (equation 3), as whole numbers. */
function calibrated(counts: Float64Array, labels: Int32Array, k: number): Float64Array {
  const sizes = new Float64Array(k);
  for (const label of labels) sizes[label]!++;
  const found = new Float64Array(k * k);
  if (labels.length === 0) return found;
  for (let given = 0; given < k; given++) {
    const row = counts.subarray(given * k, (given + 1) * k);
    const sum = row.reduce((all, count) => all + count, 0);
    // cleanlab's operations one by one: which of two equal remainders is rounded up may hang on the last bit.
    const scaled = row.map((count) => (((count / sum) * sizes[given]!) / labels.length) * labels.length);
    roundKeepingSum(scaled);
    found.set(scaled, given * k);
  }
  return found;
}

/** Rounds numbers in place so that their sum is the rounded sum: those are moved that rounding moved the most. */
function roundKeepingSum(values: Float64Array): void {
  const rounded = values.map(roundHalfEven);
  const sum = (list: Float64Array) => roundHalfEven(list.reduce((all, value) => all + value, 0));
  const wanted = sum(values);
  for (let missing = wanted - sum(rounded); missing !== 0; missing = wanted - sum(rounded)) {
    const order = ascending(values.map((value, at) => value - rounded[at]!));
    if (missing > 0) order.reverse();
    for (const at of order.subarray(0, Math.abs(missing))) rounded[at]! += Math.sign(missing);
  }
  values.set(rounded);
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** How many rows of each given label (column) go for each true class (row), with those that stay on the diagonal. */
function pruneCounts(joint: Float64Array, k: number, least: number, fracNoise: number): Float64Array {
  const found = new Float64Array(k * k);
  for (let given = 0; given < k; given++) {
    const row = joint.subarray(given * k, (given + 1) * k);
    const stay = Math.max(row[given]!, least);
    const noisy = Math.max(row.reduce((sum, count) => sum + (count !== 0 ? 1 : 0), 0) - 1, 1);
    const taken = (stay - row[given]!) / noisy;
    let left = 0;
    for (let own = 0; own < k; own++) {
      if (own === given) continue;
      const count = Math.max(0, row[own]! - taken);
      found[own * k + given] = Math.trunc(count * fracNoise);
      left += count - count * fracNoise;
    }
    found[given * k + given] = Math.trunc(stay + left);
  }
  return found;
}

type Prune = (
  given: LabelledProbabilities,
  members: Int32Array,
  label: number,
  keep: Float64Array,
) => Iterable<number>;

/** Marks the rows that `prune` gives of each class with more than `least` rows. */
function pruned(
  given: LabelledProbabilities,
  keep: Float64Array,
  least: number,
  prune: Prune,
): Uint8Array<ArrayBuffer> {
  const errors = new Uint8Array(given.labels.length);
  const members: number[][] = Array.from({ length: given.probabilities.columns }, () => []);
  given.labels.forEach((label, row) => void members[label]!.push(row));
  for (const [label, own] of members.entries())
    if (own.length > Math.max(1, least))
      for (const row of prune(given, Int32Array.from(own), label, keep)) errors[row] = 1;
  return errors;
}

/** The rows with the lowest probability of their label, as many as do not stay. */
const lowestOfClass: Prune = ({ probabilities: { data, columns } }, members, label, keep) => {
  const size = members.length - keep[label * columns + label]!;
  const order = ascending(Float64Array.from(members, (row) => data[row * columns + label]!));
  return order.subarray(0, Math.max(0, size)).map((place) => members[place]!);
};

/** For each other class the rows that are the most more probable of it than of their label. */
const largestMargins: Prune = ({ probabilities: { data, columns } }, members, label, keep) => {
  const found = new Set<number>();
  for (let other = 0; other < columns; other++) {
    const size = keep[other * columns + label]!;
    if (other === label || size <= 0) continue;
    const margins = Float64Array.from(
      members,
      (row) => data[row * columns + label]! - data[row * columns + other]!,
    );
    for (const place of ascending(margins).subarray(0, size)) found.add(members[place]!);
  }
  return found;
};

/** Places of values in ascending order; equal ones in theirs. */
export function ascending(values: ArrayLike<number>): Int32Array<ArrayBuffer> {
  const order = new Int32Array(values.length).map((_, at) => at);
  return order.sort((a, b) => values[a]! - values[b]! || a - b);
}
