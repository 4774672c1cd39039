import { stem } from '../../numerics/stem.ts';
import { isStopWord } from '../../numerics/stop-words.ts';
import { markSentences } from './marking.ts';
import { piecesOf } from './pieces.ts';

/**
 * How much each word says. What gives such numbers can stand here: counts of words, as below, or a trained classifier
 * of tokens, whose number is the probability that a word is kept.
 */
export type WordScores = (words: readonly string[]) => Float64Array;

/** So little that the rarest of them weighs less than the most frequent other word. */
const stopShare = 0.001;

/** How often words occur in the texts of a table. */
export interface WordCounts {
  texts: number;
  words: number;
  /** By stem: the texts that have it, and all its places. */
  stems: Map<string, [texts: number, places: number]>;
  /** By word in lower case, within sentences: places with a capital less those without. */
  capitals: Map<string, number>;
}

export function noCounts(): WordCounts {
  return { texts: 0, words: 0, stems: new Map(), capitals: new Map() };
}

/** Counts the words of texts, in a worker thread. */
export function countTexts(texts: readonly string[]): WordCounts {
  const counts = noCounts();
  for (const text of texts) {
    const pieces = piecesOf(text, [], true);
    markSentences(text, pieces);
    const seen = new Set<string>();
    let sentence = -1;
    counts.texts++;
    for (const piece of pieces) {
      if (piece.kind === 'mark') continue;
      const isFirst = piece.sentence !== sentence;
      sentence = piece.sentence;
      if (piece.kind !== 'word') continue;
      const word = text.slice(piece.start, piece.end);
      const lower = word.toLowerCase();
      const key = stem(lower);
      const entry = counts.stems.get(key) ?? [0, 0];
      counts.stems.set(key, entry);
      if (!seen.has(key)) entry[0]++;
      seen.add(key);
      entry[1]++;
      counts.words++;
      if (!isFirst || word === lower)
        counts.capitals.set(lower, (counts.capitals.get(lower) ?? 0) + (word === lower ? -1 : 1));
    }
  }
  return counts;
}

/** Whether a word at the beginning of a sentence is a name: within sentences it has a capital mostly, or it never stands there. */
export function namesIn({ capitals }: WordCounts): (word: string) => boolean {
  return (word) => (capitals.get(word) ?? 1) > 0;
}

export function addCounts(to: WordCounts, more: WordCounts): void {
  to.texts += more.texts;
  to.words += more.words;
  for (const [key, [texts, places]] of more.stems) {
    const entry = to.stems.get(key) ?? [0, 0];
    to.stems.set(key, [entry[0] + texts, entry[1] + places]);
  }
  for (const [word, count] of more.capitals) to.capitals.set(word, (to.capitals.get(word) ?? 0) + count);
}

/**
 * - `idf`: log((1 + n)/(1 + df)) + 1 (scikit-learn's), with the share of texts that have the word
 * - `self_information`: −log₂ (c + 1)/(N + V + 1), with the share of all words that it is (add-one smoothing)
 *
 * Forms of a word count together (Snowball stems). Of a stop word a thousandth counts: it comes behind all other words.
 */
export function countedScores(counts: WordCounts, measure: 'idf' | 'self_information'): WordScores {
  const { texts, words: all, stems } = counts;
  return (words) =>
    Float64Array.from(words, (word) => {
      const lower = word.toLowerCase();
      const [df, places] = stems.get(stem(lower)) ?? [0, 0];
      const information =
        measure === 'idf'
          ? Math.log((1 + texts) / (1 + df)) + 1
          : -Math.log2((places + 1) / (all + stems.size + 1));
      return isStopWord(lower) ? stopShare * information : information;
    });
}
