/** How often terms occur in classes, without the zeros: cell i says that `terms[i]` occurs `counts[i]` times. */
export interface TermCounts {
  /** Class of each cell, from 0 up. */
  classes: Int32Array;
  /** Term of each cell, from 0 up; a class and a term meet in one cell at most. */
  terms: Int32Array;
  counts: Float64Array;
}

export interface CtfidfOptions {
  /** Weighs terms by log(1 + (A−f+0.5)/(f+0.5)) instead, which counts frequent ones less. */
  bm25Weighting?: boolean;
  /** Takes the square root of the frequency within the class, for the same purpose. */
  reduceFrequentWords?: boolean;
  /** Factor of each term's rarity, 1 if not given: above 1 for words that are looked for (BERTopic's `seed_words`). */
  factors?: ArrayLike<number>;
}

/**
 * Class-based TF-IDF (Grootendorst 2022, BERTopic): W = tf · log(1 + A/f), with tf the term's share of all that
 * occurs in the class, f how often the term occurs at all, and A the mean number of occurrences a class, rounded
 * down. Gives the weight of each cell.
 */
export function ctfidf(cells: TermCounts, options: CtfidfOptions = {}): Float64Array {
  return termShares(cells, termRarities(cells, options), options);
}

/** How much each term says: log(1 + A/f), or what the options make of it. */
export function termRarities(
  { classes, terms, counts }: TermCounts,
  options: CtfidfOptions = {},
): Float64Array {
  const termTotals = totalsBy(terms, counts);
  const total = termTotals.reduce((sum, frequency) => sum + frequency, 0);
  const classCount = classes.reduce((most, own) => Math.max(most, own + 1), 0);
  const mean = Math.floor(total / Math.max(1, classCount));
  return termTotals.map((frequency, term) => {
    const rarity = options.bm25Weighting
      ? Math.log(1 + (mean - frequency + 0.5) / (frequency + 0.5))
      : Math.log(1 + mean / frequency);
    return rarity * (options.factors?.[term] ?? 1);
  });
}

/** The weight of each cell: its term's share of the class (or the root of it) times the term's rarity. */
export function termShares(
  { classes, terms, counts }: TermCounts,
  rarities: Float64Array,
  { reduceFrequentWords }: CtfidfOptions = {},
): Float64Array {
  const classTotals = totalsBy(classes, counts);
  return counts.map((count, cell) => {
    const share = count / classTotals[classes[cell]!]!;
    return (reduceFrequentWords ? Math.sqrt(share) : share) * rarities[terms[cell]!]!;
  });
}

function totalsBy(keys: Int32Array, counts: Float64Array): Float64Array {
  const totals = new Float64Array(keys.reduce((most, key) => Math.max(most, key + 1), 0));
  keys.forEach((key, cell) => {
    totals[key]! += counts[cell]!;
  });
  return totals;
}
