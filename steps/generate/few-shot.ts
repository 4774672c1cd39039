import { reservoirIndices, shuffle } from '../../numerics/sampling.ts';
import { type SparseMatrix, transpose } from '../../numerics/sparse.ts';
import { fitVocabulary, Tfidf } from '../../numerics/tfidf.ts';

/** A question of the examples, as the prompt puts it, with its answer. */
export interface Candidate {
  readonly question: string;
  readonly answer: string;
}

export const choices = ['similarity', 'diversity', 'random'] as const;

/** The examples to show before a question, the last one next to it. */
export type Chooser = (question: string) => readonly Candidate[];

const terms = { analyzer: 'word', ngramRange: [1, 1], sublinearTf: true } as const;

/**
 * Chooses among examples:
 * - `similarity`: those most like the question (cosine of TF-IDF vectors), the likest last
 * - `diversity`: the same for all questions: the one most like all others, then always the one that is least like those
 *   that were chosen (farthest-first traversal; Gonzalez 1985)
 * - `random`: the same for all questions, drawn by `seed`
 *
 * An example that asks the very question is not shown with it: its answer would be given away.
 */
export function chooserOf(
  candidates: readonly Candidate[],
  { by, count, seed }: { by: (typeof choices)[number]; count: number; seed: number },
): Chooser {
  const others = (from: Iterable<number>, question: string): Candidate[] => {
    const chosen: Candidate[] = [];
    for (const index of from) {
      const candidate = candidates[index]!;
      if (chosen.length < count && candidate.question !== question) chosen.push(candidate);
    }
    return chosen;
  };
  // One more than is shown: one of them may be the question itself.
  const most = Math.min(count + 1, candidates.length);
  if (by === 'random') {
    const drawn = shuffle([...reservoirIndices(candidates.length, most, seed)], seed);
    return (question) => others(drawn, question);
  }
  const index = new LikenessIndex(candidates.map(({ question }) => question));
  if (by === 'diversity') {
    const spread = index.spread(most);
    return (question) => others(spread, question);
  }
  return (question) => others(index.likest(question), question).reverse();
}

/** Cosine similarities of texts to a fixed set of them. */
class LikenessIndex {
  readonly #tfidf: Tfidf;
  readonly #rows: SparseMatrix;
  readonly #byTerm: SparseMatrix;

  constructor(texts: readonly string[]) {
    const vocabulary = fitVocabulary(texts, { ...terms, minDf: 1, maxDf: 1.0, maxFeatures: null });
    this.#tfidf = new Tfidf(vocabulary, terms);
    this.#rows = this.#tfidf.transform(texts);
    this.#byTerm = transpose(this.#rows);
  }

  /** All texts, the likest first; of equals the first. */
  likest(text: string): number[] {
    const alike = this.#to(this.#tfidf.transform([text]), 0);
    return Array.from(alike, (_, index) => index).sort((a, b) => alike[b]! - alike[a]! || a - b);
  }

  /** So many texts, each as unlike the ones before it as can be. */
  spread(count: number): number[] {
    const { rows } = this.#rows;
    if (rows === 0 || count === 0) return [];
    const likest = new Float64Array(rows);
    let first = 0;
    let most = -1;
    for (let row = 0; row < rows; row++) {
      const sum = this.#to(this.#rows, row).reduce((a, b) => a + b, 0);
      if (sum > most) [first, most] = [row, sum];
    }
    const chosen = [first];
    while (chosen.length < count) {
      const last = chosen.at(-1)!;
      const alike = this.#to(this.#rows, last);
      for (let row = 0; row < rows; row++) likest[row] = Math.max(likest[row]!, alike[row]!);
      for (const row of chosen) likest[row] = Infinity;
      let next = 0;
      for (let row = 1; row < rows; row++) if (likest[row]! < likest[next]!) next = row;
      chosen.push(next);
    }
    return chosen;
  }

  /** Likenesses of row `row` of a matrix to all texts. */
  #to({ starts, indices, values }: SparseMatrix, row: number): Float64Array {
    const sums = new Float64Array(this.#rows.rows);
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
      const term = indices[entry]!;
      for (let at = this.#byTerm.starts[term]!; at < this.#byTerm.starts[term + 1]!; at++)
        sums[this.#byTerm.indices[at]!]! += values[entry]! * this.#byTerm.values[at]!;
    }
    return sums;
  }
}
