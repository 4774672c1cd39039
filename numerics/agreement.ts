/**
 * How far raters agree beyond chance. Ratings are codes: whole numbers from 0 up, in the order of the scale's values, and
 * -1 where a rater said nothing.
 */

/** What distances between values mean: none beyond "another one", their order, their differences, or their ratios. */
export type Level = 'nominal' | 'ordinal' | 'interval' | 'ratio';

/** Ratings of units (rows) by raters (columns), row-major. */
export interface Ratings {
  codes: Int32Array;
  units: number;
  raters: number;
  /** What each code stands for, ascending; of nominal codes only how many there are counts. */
  values: Float64Array;
}

/** Units that both rated, and the share of them that they rated alike; NaN if there are none. */
export function rawAgreement(a: Int32Array, b: Int32Array): { units: number; share: number } {
  let units = 0;
  let alike = 0;
  for (let unit = 0; unit < a.length; unit++) {
    if (a[unit]! < 0 || b[unit]! < 0) continue;
    units++;
    if (a[unit] === b[unit]) alike++;
  }
  return { units, share: units > 0 ? alike / units : Number.NaN };
}

export type KappaWeights = 'none' | 'linear' | 'quadratic';

/**
 * Cohen's kappa of two raters (Cohen 1960), weighted by the distance between values or its square (Cohen 1968). With values
 * at equal distances it is scikit-learn's `cohen_kappa_score`. NaN where chance alone would have them agree always.
 */
export function cohenKappa(
  a: Int32Array,
  b: Int32Array,
  values: Float64Array,
  weights: KappaWeights = 'none',
): number {
  const size = values.length;
  const counts = new Float64Array(size * size);
  const [rows, columns] = [new Float64Array(size), new Float64Array(size)];
  let units = 0;
  for (let unit = 0; unit < a.length; unit++) {
    const [own, other] = [a[unit]!, b[unit]!];
    if (own < 0 || other < 0) continue;
    counts[own * size + other]!++;
    rows[own]!++;
    columns[other]!++;
    units++;
  }
  let observed = 0;
  let expected = 0;
  for (let own = 0; own < size; own++) {
    for (let other = 0; other < size; other++) {
      const weight = disagreement(own, other, values, weights);
      observed += weight * counts[own * size + other]!;
      expected += (weight * rows[own]! * columns[other]!) / units;
    }
  }
  return expected > 0 ? 1 - observed / expected : Number.NaN;
}

function disagreement(own: number, other: number, values: Float64Array, weights: KappaWeights): number {
  if (weights === 'none') return own === other ? 0 : 1;
  const distance = Math.abs(values[own]! - values[other]!);
  return weights === 'linear' ? distance : distance ** 2;
}

/**
 * Fleiss' kappa (Fleiss 1971) over the units that all raters rated. NaN where chance alone would have them agree always.
 */
export function fleissKappa({ codes, units, raters, values }: Ratings): number {
  const totals = new Float64Array(values.length);
  const counts = new Float64Array(values.length);
  let complete = 0;
  let agreement = 0;
  for (let unit = 0; unit < units; unit++) {
    const own = codes.subarray(unit * raters, (unit + 1) * raters);
    if (own.includes(-1)) continue;
    complete++;
    counts.fill(0);
    for (const code of own) {
      counts[code]!++;
      totals[code]!++;
    }
    const squares = counts.reduce((sum, count) => sum + count ** 2, 0);
    agreement += (squares - raters) / (raters * (raters - 1));
  }
  const observed = agreement / complete;
  const chance = totals.reduce((sum, total) => sum + (total / (complete * raters)) ** 2, 0);
  return chance < 1 ? (observed - chance) / (1 - chance) : Number.NaN;
}

/**
 * Krippendorff's alpha (Content Analysis, 2004, chapter 11): any number of raters, ratings may be missing. Units with fewer
 * than two ratings do not count. NaN where there is nothing to disagree about: no such units, or one value only.
 */
export function krippendorffAlpha({ codes, units, raters, values }: Ratings, level: Level): number {
  const size = values.length;
  const coincidences = new Float64Array(size * size);
  for (let unit = 0; unit < units; unit++) {
    const own = codes.subarray(unit * raters, (unit + 1) * raters).filter((code) => code >= 0);
    if (own.length < 2) continue;
    for (let at = 0; at < own.length; at++)
      for (let other = 0; other < own.length; other++)
        if (at !== other) coincidences[own[at]! * size + own[other]!]! += 1 / (own.length - 1);
  }
  const totals = new Float64Array(size);
  for (let own = 0; own < size; own++)
    for (let other = 0; other < size; other++) totals[own]! += coincidences[own * size + other]!;
  const pairable = totals.reduce((sum, total) => sum + total, 0);
  let observed = 0;
  let expected = 0;
  for (let own = 0; own < size; own++) {
    for (let other = 0; other < size; other++) {
      const distance = squaredDifference(own, other, values, totals, level);
      observed += coincidences[own * size + other]! * distance;
      expected += totals[own]! * totals[other]! * distance;
    }
  }
  return expected > 0 ? 1 - ((pairable - 1) * observed) / expected : Number.NaN;
}

/** Krippendorff's δ²: of two ordinal values it is the square of the ratings from the one to the other, ends by half. */
function squaredDifference(
  own: number,
  other: number,
  values: Float64Array,
  totals: Float64Array,
  level: Level,
): number {
  if (own === other) return 0;
  if (level === 'nominal') return 1;
  const [a, b] = [values[own]!, values[other]!];
  if (level === 'interval') return (a - b) ** 2;
  if (level === 'ratio') return a + b === 0 ? 0 : ((a - b) / (a + b)) ** 2;
  const [low, high] = own < other ? [own, other] : [other, own];
  let between = -(totals[low]! + totals[high]!) / 2;
  for (let code = low; code <= high; code++) between += totals[code]!;
  return between ** 2;
}

/**
 * What most raters say of each unit; -1 where no value has more votes than every other one. `weights`: of the raters,
 * each 1 if not given.
 */
export function majority({ codes, units, raters, values }: Ratings, weights?: readonly number[]): Int32Array {
  const votes = new Float64Array(values.length);
  return Int32Array.from({ length: units }, (_, unit) => {
    votes.fill(0);
    for (let rater = 0; rater < raters; rater++) {
      const code = codes[unit * raters + rater]!;
      if (code >= 0) votes[code]! += weights?.[rater] ?? 1;
    }
    const most = Math.max(...votes);
    const first = votes.indexOf(most);
    return most > 0 && votes.lastIndexOf(most) === first ? first : -1;
  });
}

/** The ratings of one rater. */
export function ratingsOf({ codes, units, raters }: Ratings, rater: number): Int32Array {
  return Int32Array.from({ length: units }, (_, unit) => codes[unit * raters + rater]!);
}
