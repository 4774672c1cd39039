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
  readonly #idfs: Float64Array;
  readonly #scores: Float64Array;
  readonly #touched: Uint32Array;

  /** `documents`: the words of each. */
  constructor(documents: readonly (readonly string[])[], { k1 = 1.2, b = 0.75 }: Bm25Options = {}) {
    this.size = documents.length;
    this.#scores = new Float64Array(documents.length);
    this.#touched = new Uint32Array(documents.length);
    let tokens = 0;
    for (const words of documents) tokens += words.length;
    const mean = tokens / Math.max(1, documents.length);
    // The different words of all documents, one document after the other, and how often each says them.
    const numbers = new Uint32Array(tokens);
    const counts = new Uint32Array(tokens);
    const ends = new Uint32Array(documents.length);
    const frequencies: number[] = [];
    // By word: one more than where the document that is read has it, if that is at or after its first entry.
    const places: number[] = [];
    let filled = 0;
    documents.forEach((words, document) => {
      const first = filled;
      for (const word of words) {
        let number = this.#numbers.get(word);
        if (number === undefined) {
          number = this.#numbers.size;
          this.#numbers.set(word, number);
          frequencies.push(0);
          places.push(0);
        }
        const place = places[number]! - 1;
        if (place >= first) counts[place]!++;
        else {
          numbers[filled] = number;
          counts[filled] = 1;
          frequencies[number]!++;
          places[number] = ++filled;
        }
      }
      ends[document] = filled;
    });
    this.#starts = new Uint32Array(frequencies.length + 1);
    frequencies.forEach((frequency, number) => {
      this.#starts[number + 1] = this.#starts[number]! + frequency;
    });
    this.#documents = new Uint32Array(filled);
    this.#weights = new Float64Array(filled);
    const next = this.#starts.slice();
    this.#idfs = Float64Array.from(frequencies, (frequency) =>
      Math.log(1 + (documents.length - frequency + 0.5) / (frequency + 0.5)),
    );
    for (let document = 0, entry = 0; document < documents.length; document++) {
      const norm = k1 * (1 - b + (b * documents[document]!.length) / mean);
      for (; entry < ends[document]!; entry++) {
        const number = numbers[entry]!;
        const count = counts[entry]!;
        const at = next[number]!++;
        this.#documents[at] = document;
        this.#weights[at] = (this.#idfs[number]! * count) / (count + norm);
      }
    }
  }

  /** How rare a word is: ln(1 + (N − n + ½)/(n + ½)); 0 of a word that no document has. */
  idf(word: string): number {
    const number = this.#numbers.get(word);
    return number === undefined ? 0 : this.#idfs[number]!;
  }

  /**
   * The `k` best documents that share a word with the query, best first; equal ones in their order. `weights` say how
   * much each word of the query counts; without them each counts 1.
   */
  search(query: readonly string[], k: number, weights?: ArrayLike<number>): Ranked[] {
    const scores = this.#scores;
    const touched = this.#touched;
    let count = 0;
    for (const [place, word] of query.entries()) {
      const number = this.#numbers.get(word);
      if (number === undefined) continue;
      const weight = weights === undefined ? 1 : weights[place]!;
      if (weight <= 0) continue;
      const end = this.#starts[number + 1]!;
      for (let at = this.#starts[number]!; at < end; at++) {
        const document = this.#documents[at]!;
        // Weights are above 0, so a score of 0 says that the document is new.
        if (scores[document] === 0) touched[count++] = document;
        scores[document]! += weight * this.#weights[at]!;
      }
    }
    const found = touched.subarray(0, count);
    const best = mostRelevant(found, (document) => scores[document]!, k);
    for (const document of found) scores[document] = 0;
    return best;
  }
}
