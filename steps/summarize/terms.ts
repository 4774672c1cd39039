import { type CtfidfOptions, ctfidf } from '../../numerics/ctfidf.ts';
import { stem } from '../../numerics/stem.ts';
import { phrases } from '../../numerics/words.ts';
import { Casing, mostFrequent } from './casing.ts';
import { plain } from './content-words.ts';
import { countTerms, type TermTable } from './term-table.ts';

/** A word, or a few in a row, in the texts of a cluster. */
export interface Term {
  /** As it is mostly written there. */
  text: string;
  /** Its number in the table. */
  term: number;
  /** Stems of its words, sorted: forms (card, cards) and orders (pending transfer, transfer pending) count together. */
  stems: string[];
  /** Its c-TF-IDF in the cluster. */
  weight: number;
  /** The texts of the cluster that hold it, rising. */
  texts: number[];
}

export interface TermOptions extends Omit<CtfidfOptions, 'factors'> {
  texts: readonly string[];
  /** Cluster of each text, from 0 up. */
  clusters: Int32Array;
  /** Number of clusters. */
  k: number;
  /** Most words in a term. */
  longest: number;
  /** Words to leave out besides the usual ones. */
  stopWords: readonly string[];
  /** Words, or a few in a row, whose terms weigh `seedMultiplier` times as much. */
  seedWords: readonly string[];
  seedMultiplier: number;
  /** Terms of each cluster, at most. */
  limit: number;
}

/** In a cluster of so many texts a term must be in two of them. */
const leastForTwo = 5;

/**
 * The terms of each cluster that are most typical of it, by c-TF-IDF, the heaviest first, and the
 * table of all. Terms are words that are no stop words, and such words in a row. In a cluster of five texts or more a term must be in two of them.
 */
export function clusterTerms(options: TermOptions): { terms: Term[][]; table: TermTable } {
  const { texts, clusters, k, limit } = options;
  const table = countTerms({ ...options, classOf: clusters, classes: k });
  const sizes = new Int32Array(k);
  for (const cluster of clusters) sizes[cluster]!++;
  const weights = ctfidf(table, { ...options, factors: seedFactors(table.keys, options) });
  const casing = new Casing(texts);
  const found: Term[][] = Array.from({ length: k }, () => []);
  table.cells.forEach((cell, index) => {
    if (cell.texts.length < (sizes[cell.class]! < leastForTwo ? 1 : 2)) return;
    found[cell.class]!.push({
      text: mostFrequent(cell.forms),
      term: cell.term,
      stems: table.keys[cell.term]!.split(' '),
      weight: weights[index]!,
      texts: cell.texts,
    });
  });
  const terms = found.map((own) =>
    own
      .sort((a, b) => b.weight - a.weight || b.texts.length - a.texts.length || (a.text < b.text ? -1 : 1))
      .slice(0, limit)
      .map((term) => ({ ...term, text: casing.restore(term.text) })),
  );
  return { terms, table };
}

/** By term: `seedMultiplier` if it has all words of a seed, in any form and order; else 1. */
export function seedFactors(
  keys: readonly string[],
  { seedWords, seedMultiplier }: Pick<TermOptions, 'seedWords' | 'seedMultiplier'>,
): Float64Array {
  const seeds = seedWords.map((seed) =>
    phrases(seed).flatMap((words) => words.map((word) => stem(plain(word)))),
  );
  return Float64Array.from(keys, (key) => {
    const stems = new Set(key.split(' '));
    return seeds.some((seed) => seed.length > 0 && seed.every((own) => stems.has(own))) ? seedMultiplier : 1;
  });
}
