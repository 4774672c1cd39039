import { mostRelevant, type Ranked } from './ranking.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

export interface Bm25Options {
  /** How soon more of a word stops counting. Default 1.2. */
  k1?: number;
  /** How much long documents lose, 0 to 1. Default 0.75. */
  b?: number;
}

/**
 * Ranks documents by the words they share with a query: BM25 as Lucene and bm25s (`method="lucene"`) have it,
 * Σ ln(1 + (N − n + ½)/(n + ½)) · f / (f + k1·(1 − b + b·length/mean length)), each word as often as the query says it
 * (Robertson & Zaragoza 2009; the variants: Kamphuis et al. 2020). The weights of all words are computed once: a query
 * only adds them up.
 */
export class Bm25 {
  /** Number of documents. */
  readonly size: number;
  readonly #numbers = new Map<string, number>();
  /** Where the entries of each word start. */
  readonly #starts: Uint32Array;
  readonly #documents: Uint32Array;
  readonly #weights: Float64Array;
  readonly #scores: Float64Array;

  /** `documents`: the words of each. */
  constructor(documents: readonly (readonly string[])[], { k1 = 1.2, b = 0.75 }: Bm25Options = {}) {
    this.size = documents.length;
    this.#scores = new Float64Array(documents.length);
    const lengths = documents.map((words) => words.length);
    const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, documents.length);
    const counts: Map<number, number>[] = [];
    const frequencies: number[] = [];
    for (const words of documents) {
      const own = new Map<number, number>();
      for (const word of words) {
        let number = this.#numbers.get(word);
        if (number === undefined) {
          number = this.#numbers.size;
          this.#numbers.set(word, number);
          frequencies.push(0);
        }
        own.set(number, (own.get(number) ?? 0) + 1);
      }
      for (const number of own.keys()) frequencies[number]!++;
      counts.push(own);
    }
    this.#starts = new Uint32Array(frequencies.length + 1);
    frequencies.forEach((frequency, number) => {
      this.#starts[number + 1] = this.#starts[number]! + frequency;
    });
    const entries = this.#starts.at(-1)!;
    this.#documents = new Uint32Array(entries);
    this.#weights = new Float64Array(entries);
    const next = this.#starts.slice();
    counts.forEach((own, document) => {
      const norm = k1 * (1 - b + (b * lengths[document]!) / mean);
      for (const [number, count] of own) {
        const frequency = frequencies[number]!;
        const idf = Math.log(1 + (documents.length - frequency + 0.5) / (frequency + 0.5));
        const at = next[number]!++;
        this.#documents[at] = document;
        this.#weights[at] = (idf * count) / (count + norm);
      }
    });
  }

  /** The `k` best documents that share a word with the query, best first; equal ones in their order. */
  search(query: readonly string[], k: number): Ranked[] {
    const scores = this.#scores;
    const touched: number[] = [];
    for (const word of query) {
      const number = this.#numbers.get(word);
      if (number === undefined) continue;
      for (let at = this.#starts[number]!; at < this.#starts[number + 1]!; at++) {
        const document = this.#documents[at]!;
        // Weights are above 0, so a score of 0 says that the document is new.
        if (scores[document] === 0) touched.push(document);
        scores[document]! += this.#weights[at]!;
      }
    }
    const best = mostRelevant(touched, (document) => scores[document]!, k);
    for (const document of touched) scores[document] = 0;
    return best;
  }
}
