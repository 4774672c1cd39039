import type { SparseMatrix } from './sparse.ts';

/** Which pieces of a text are its terms; names and meaning as in scikit-learn's `TfidfVectorizer`. */
export interface NgramOptions {
  /** `word`: runs of two or more letters, digits or `_`. `char_wb`: characters within words, a space at each end. */
  analyzer: 'word' | 'char_wb';
  /** Sizes of the n-grams, least and greatest. */
  ngramRange: readonly [number, number];
}

export interface TfidfOptions extends NgramOptions {
  /** Terms in fewer texts are left out: a count, or below 1 a share of the texts. */
  minDf: number;
  /** Terms in more texts are left out: above 1 a count, else a share of the texts. */
  maxDf: number;
  /** Of what is left, the terms that occur most often, ties in alphabetical order; null keeps all. */
  maxFeatures: number | null;
  /** 1 + ln(tf) in place of tf. */
  sublinearTf: boolean;
}

/** What TF-IDF learns from texts. */
export interface Vocabulary {
  /** Texts that it was learnt from. */
  documents: number;
  /** Sorted; a term's place is its column. */
  terms: string[];
  /** In how many texts each term occurs. */
  documentFrequency: Int32Array;
}

const words = /[\p{L}\p{N}_]{2,}/gu;
// What Python's str.split takes for white space.
// biome-ignore lint/suspicious/noControlCharactersInRegex: separators of files and records are white space to Python
const spaces = /[[\s--\ufeff]\x1c-\x1f\x85]+/v;
const beyondOneUnit = /[\ud800-\udfff]/;
const mostRemembered = 100_000;
const longestRemembered = 40;

/** Terms of a text, in order, repeats included. */
export function ngramsOf(text: string, options: NgramOptions): string[] {
  const lower = text.toLowerCase();
  const pieces = options.analyzer === 'word' ? [lower] : lower.split(spaces).filter((word) => word !== '');
  return pieces.flatMap((piece) => ngramsOfPiece(piece, options));
}

function ngramsOfPiece(piece: string, { analyzer, ngramRange: [least, greatest] }: NgramOptions): string[] {
  const found: string[] = [];
  if (analyzer === 'word') {
    const tokens = piece.match(words) ?? [];
    for (let size = least; size <= greatest; size++) {
      for (let at = 0; at + size <= tokens.length; at++)
        found.push(size === 1 ? tokens[at]! : tokens.slice(at, at + size).join(' '));
    }
    return found;
  }
  const padded = ` ${piece} `;
  // Characters are code points; texts without rare ones are cut as they are.
  const points = beyondOneUnit.test(padded) ? Array.from(padded) : undefined;
  const length = points?.length ?? padded.length;
  for (let size = least; size <= greatest; size++) {
    // A word shorter than the n-gram counts once, whole, and has no longer ones.
    for (let at = 0; at === 0 || at + size <= length; at++)
      found.push(points ? points.slice(at, at + size).join('') : padded.slice(at, at + size));
    if (size >= length) break;
  }
  return found;
}

/** Texts as numbers of their terms. What `char_wb` makes of a word is remembered: texts share their words. */
class TermReader {
  readonly #options: NgramOptions;
  readonly #numberOf: (term: string) => number;
  readonly #known = new Map<string, Int32Array>();

  /** `numberOf` is called once or more for a term, and gives -1 for one that does not count. */
  constructor(options: NgramOptions, numberOf: (term: string) => number) {
    this.#options = options;
    this.#numberOf = numberOf;
  }

  forEach(text: string, visit: (term: number) => void): void {
    const lower = text.toLowerCase();
    if (this.#options.analyzer === 'word') {
      for (const number of this.#read(lower)) visit(number);
      return;
    }
    for (const word of lower.split(spaces)) {
      if (word === '') continue;
      let numbers = this.#known.get(word);
      if (numbers === undefined) {
        numbers = this.#read(word);
        if (this.#known.size < mostRemembered && word.length <= longestRemembered)
          this.#known.set(word, numbers);
      }
      for (const number of numbers) visit(number);
    }
  }

  #read(piece: string): Int32Array {
    return Int32Array.from(ngramsOfPiece(piece, this.#options), this.#numberOf).filter(
      (number) => number >= 0,
    );
  }
}

/** Learns the vocabulary of texts. */
export function fitVocabulary(texts: readonly string[], options: TfidfOptions): Vocabulary {
  const numbers = new Map<string, number>();
  const inTexts: number[] = [];
  const occurrences: number[] = [];
  const lastText: number[] = [];
  const reader = new TermReader(options, (term) => {
    const known = numbers.get(term);
    if (known !== undefined) return known;
    numbers.set(term, numbers.size);
    inTexts.push(0);
    occurrences.push(0);
    lastText.push(-1);
    return numbers.size - 1;
  });
  texts.forEach((text, document) => {
    reader.forEach(text, (number) => {
      occurrences[number]!++;
      if (lastText[number] === document) return;
      lastText[number] = document;
      inTexts[number]!++;
    });
  });
  const least = options.minDf < 1 ? options.minDf * texts.length : options.minDf;
  const most = options.maxDf > 1 ? options.maxDf : options.maxDf * texts.length;
  let kept: string[] = [];
  for (const [term, number] of numbers)
    if (inTexts[number]! >= least && inTexts[number]! <= most) kept.push(term);
  kept.sort();
  if (options.maxFeatures !== null && kept.length > options.maxFeatures) {
    kept.sort((a, b) => occurrences[numbers.get(b)!]! - occurrences[numbers.get(a)!]!);
    kept = kept.slice(0, options.maxFeatures).sort();
  }
  return {
    documents: texts.length,
    terms: kept,
    documentFrequency: Int32Array.from(kept, (term) => inTexts[numbers.get(term)!]!),
  };
}

/** Smoothed inverse document frequency, ln((1 + n) / (1 + df)) + 1: as if one more text held every term. */
export function inverseDocumentFrequency({ documents, documentFrequency }: Vocabulary): Float64Array {
  return Float64Array.from(documentFrequency, (count) => Math.log((1 + documents) / (1 + count)) + 1);
}

/**
 * TF-IDF with scikit-learn's formulas: w(t, d) = tf · idf(t), with tf the count of t in d or 1 + ln(count), idf
 * smoothed, rows scaled to length 1 (Salton and Buckley 1988; scikit-learn, "Tf–idf term weighting").
 */
export class Tfidf {
  readonly columns: number;
  readonly #options: NgramOptions & Pick<TfidfOptions, 'sublinearTf'>;
  readonly #reader: TermReader;
  readonly #idf: Float64Array;

  constructor(vocabulary: Vocabulary, options: NgramOptions & Pick<TfidfOptions, 'sublinearTf'>) {
    this.columns = vocabulary.terms.length;
    this.#options = options;
    const columnOf = new Map(vocabulary.terms.map((term, column) => [term, column]));
    this.#reader = new TermReader(options, (term) => columnOf.get(term) ?? -1);
    this.#idf = inverseDocumentFrequency(vocabulary);
  }

  /** A row for each text. A text without a known term is a row of zeros. */
  transform(texts: readonly string[]): SparseMatrix {
    const starts = new Float64Array(texts.length + 1);
    const indices: number[] = [];
    const values: number[] = [];
    const counts = new Uint32Array(this.columns);
    texts.forEach((text, row) => {
      const found: number[] = [];
      this.#reader.forEach(text, (column) => {
        if (counts[column]!++ === 0) found.push(column);
      });
      const columns = Int32Array.from(found).sort();
      let squares = 0;
      const from = values.length;
      for (const column of columns) {
        const count = counts[column]!;
        counts[column] = 0;
        const value = (this.#options.sublinearTf ? 1 + Math.log(count) : count) * this.#idf[column]!;
        squares += value * value;
        indices.push(column);
        values.push(value);
      }
      const length = Math.sqrt(squares);
      for (let entry = from; entry < values.length; entry++) values[entry]! /= length;
      starts[row + 1] = values.length;
    });
    return {
      rows: texts.length,
      columns: this.columns,
      starts,
      indices: Int32Array.from(indices),
      values: Float64Array.from(values),
    };
  }
}
