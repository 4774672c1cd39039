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
}

/**
 * Class-based TF-IDF (Grootendorst 2022, BERTopic): W = tf · log(1 + A/f), with tf the term's share of all that
 * occurs in the class, f how often the term occurs at all, and A the mean number of occurrences a class, rounded
 * down. Gives the weight of each cell.
 */
export function ctfidf({ classes, terms, counts }: TermCounts, options: CtfidfOptions = {}): Float64Array {
  let classCount = 0;
  let termCount = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    classCount = Math.max(classCount, classes[cell]! + 1);
    termCount = Math.max(termCount, terms[cell]! + 1);
  }
  const classTotals = new Float64Array(classCount);
  const termTotals = new Float64Array(termCount);
  let total = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    classTotals[classes[cell]!]! += counts[cell]!;
    termTotals[terms[cell]!]! += counts[cell]!;
    total += counts[cell]!;
  }
  const mean = Math.floor(total / Math.max(1, classCount));
  return counts.map((count, cell) => {
    const frequency = termTotals[terms[cell]!]!;
    const rarity = options.bm25Weighting
      ? Math.log(1 + (mean - frequency + 0.5) / (frequency + 0.5))
      : Math.log(1 + mean / frequency);
    const share = count / classTotals[classes[cell]!]!;
    return (options.reduceFrequentWords ? Math.sqrt(share) : share) * rarity;
  });
}
