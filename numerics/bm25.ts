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

  /** `documents`: the words of each; gone through once. */
  constructor(documents: Iterable<readonly string[]>, { k1 = 1.2, b = 0.75 }: Bm25Options = {}) {
    // The different words of all documents, one document after the other, and how often each says them.
    const numbers = new GrowingNumbers();
    const counts = new GrowingNumbers();
    const ends = new GrowingNumbers();
    const lengths = new GrowingNumbers();
    const frequencies: number[] = [];
    // By word: one more than where the document that is read has it, if that is at or after its first entry.
    const places: number[] = [];
    let tokens = 0;
    for (const words of documents) {
      const first = numbers.length;
      tokens += words.length;
      for (const word of words) {
        let number = this.#numbers.get(word);
        if (number === undefined) {
          number = this.#numbers.size;
          this.#numbers.set(word, number);
          frequencies.push(0);
          places.push(0);
        }
        const place = places[number]! - 1;
        if (place >= first) counts.values[place]!++;
        else {
          numbers.push(number);
          counts.push(1);
          frequencies[number]!++;
          places[number] = numbers.length;
        }
      }
      ends.push(numbers.length);
      lengths.push(words.length);
    }
    this.size = ends.length;
    this.#scores = new Float64Array(this.size);
    this.#touched = new Uint32Array(this.size);
    this.#starts = new Uint32Array(frequencies.length + 1);
    frequencies.forEach((frequency, number) => {
      this.#starts[number + 1] = this.#starts[number]! + frequency;
    });
    this.#documents = new Uint32Array(numbers.length);
    this.#weights = new Float64Array(numbers.length);
    const next = this.#starts.slice();
    this.#idfs = Float64Array.from(frequencies, (frequency) =>
      Math.log(1 + (this.size - frequency + 0.5) / (frequency + 0.5)),
    );
    const mean = tokens / Math.max(1, this.size);
    for (let document = 0, entry = 0; document < this.size; document++) {
      const norm = k1 * (1 - b + (b * lengths.values[document]!) / mean);
      for (; entry < ends.values[document]!; entry++) {
        const number = numbers.values[entry]!;
        const count = counts.values[entry]!;
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

/** Whole numbers below 2³², appended one by one. */
class GrowingNumbers {
  length = 0;
  values = new Uint32Array(1024);

  push(value: number): void {
    if (this.length === this.values.length) {
      const longer = new Uint32Array(2 * this.values.length);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.length++] = value;
  }
}
