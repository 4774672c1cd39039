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
  const totals = new Float64Array(values.length);
  const pairable: Int32Array[] = [];
  for (let unit = 0; unit < units; unit++) {
    const own = codes.subarray(unit * raters, (unit + 1) * raters).filter((code) => code >= 0);
    if (own.length < 2) continue;
    pairable.push(own);
    for (const code of own) totals[code]!++;
  }
  // Of one value only, rounding would leave something of its distance from the mean.
  if (totals.filter((total) => total > 0).length < 2) return Number.NaN;
  // Ordinal values are as far apart as the ratings between them, ends by half.
  const places = level === 'ordinal' ? midRanks(totals) : values;
  const difference = (own: number, other: number): number => {
    if (own === other) return 0;
    if (level === 'nominal') return 1;
    const [a, b] = [places[own]!, places[other]!];
    if (level === 'ratio') return a + b === 0 ? 0 : ((a - b) / (a + b)) ** 2;
    return (a - b) ** 2;
  };
  let observed = 0;
  for (const own of pairable)
    for (let at = 0; at < own.length; at++)
      for (let other = 0; other < at; other++)
        observed += (2 * difference(own[at]!, own[other]!)) / (own.length - 1);
  const ratings = totals.reduce((sum, total) => sum + total, 0);
  const expected =
    level === 'ordinal' || level === 'interval'
      ? squaresOfPairs(places, totals, ratings)
      : sumOfPairs(totals, difference);
  return expected > 0 ? 1 - ((ratings - 1) * observed) / expected : Number.NaN;
}

/** Of each value the ratings below it and half of its own. */
function midRanks(totals: Float64Array): Float64Array {
  let below = 0;
  return totals.map((total) => {
    below += total;
    return below - total / 2;
  });
}

/** Differences of all ratings from all, over pairs of values. */
function sumOfPairs(totals: Float64Array, difference: (own: number, other: number) => number): number {
  let sum = 0;
  for (let own = 0; own < totals.length; own++)
    for (let other = 0; other < own; other++)
      sum += 2 * totals[own]! * totals[other]! * difference(own, other);
  return sum;
}

/** The same of squared differences, by the mean: scores may have as many values as there are rows. */
function squaresOfPairs(places: Float64Array, totals: Float64Array, ratings: number): number {
  const mean = places.reduce((sum, place, code) => sum + place * totals[code]!, 0) / ratings;
  return 2 * ratings * places.reduce((sum, place, code) => sum + totals[code]! * (place - mean) ** 2, 0);
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
