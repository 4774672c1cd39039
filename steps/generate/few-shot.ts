import { reservoirIndices, shuffle } from '../../numerics/sampling.ts';
import { type SparseMatrix, transpose } from '../../numerics/sparse.ts';
import { fitVocabulary, Tfidf } from '../../numerics/tfidf.ts';

/** A question of the examples, as the prompt puts it, with its answer. */
export interface Candidate {
  readonly question: string;
  readonly answer: string;
}

export const choices = ['similarity', 'mmr', 'balanced', 'diversity', 'random'] as const;

/** The examples to show before a question, the last one next to it. */
export type Chooser = (question: string) => readonly Candidate[];

/** Examples among which `mmr` chooses. */
const mmrPool = 50;

const terms = { analyzer: 'word', ngramRange: [1, 1], sublinearTf: true } as const;

/**
 * Chooses among examples:
 * - `similarity`: those most like the question (cosine of TF-IDF vectors), the likest last
 * - `mmr`: like the question and unlike each other, by maximal marginal relevance (Carbonell & Goldstein 1998) with both counting
 *   the same, among the `mmrPool` likest; the likest last
 * - `balanced`: of each answer in turns the one most like the question, the likest last
 * - `diversity`: the same for all questions: the one most like all others, then always the one that is least like those
 *   that were chosen (farthest-first traversal; Gonzalez 1985)
 * - `random`: the same for all questions, drawn by `seed`
 *
 * An example that asks the very question (but for case and white space) is not shown with it: its answer would be given away.
 */
export function chooserOf(
  candidates: readonly Candidate[],
  { by, count, seed }: { by: (typeof choices)[number]; count: number; seed: number },
): Chooser {
  const forms = candidates.map(({ question }) => plain(question));
  const isOther = (question: string) => {
    const form = plain(question);
    return (index: number) => forms[index] !== form;
  };
  const others = (from: readonly number[], question: string): Candidate[] =>
    from
      .filter(isOther(question))
      .slice(0, count)
      .map((index) => candidates[index]!);
  // More than are shown: as many as there are copies of a question may be the question itself.
  const copies = new Map<string, number>();
  for (const form of forms) copies.set(form, (copies.get(form) ?? 0) + 1);
  const most = Math.min(count + [...copies.values()].reduce((a, b) => Math.max(a, b), 0), candidates.length);
  if (by === 'random') {
    const drawn = shuffle([...reservoirIndices(candidates.length, most, seed)], seed);
    return (question) => others(drawn, question);
  }
  const index = new LikenessIndex(candidates.map(({ question }) => question));
  if (by === 'diversity') {
    const spread = index.spread(most);
    return (question) => others(spread, question);
  }
  if (by === 'mmr')
    return (question) => others(index.marginal(question, count, isOther(question)), question).reverse();
  if (by === 'balanced')
    return (question) =>
      others(inTurns(index.likest(question).filter(isOther(question)), candidates), question).reverse();
  return (question) => others(index.likest(question), question).reverse();
}

function plain(question: string): string {
  return question.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** The first of each answer, then the second of each, and so on. */
function inTurns(order: readonly number[], candidates: readonly Candidate[]): number[] {
  const taken = new Map<string, number>();
  const turns = order.map((index, place) => {
    const { answer } = candidates[index]!;
    const turn = taken.get(answer) ?? 0;
    taken.set(answer, turn + 1);
    return { index, place, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn || a.place - b.place).map(({ index }) => index);
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

  /** So many of the texts that are wanted, like a text and unlike each other. */
  marginal(text: string, count: number, isWanted: (index: number) => boolean): number[] {
    const alike = this.#to(this.#tfidf.transform([text]), 0);
    const pool = Array.from(alike, (_, index) => index).filter(isWanted);
    pool.sort((a, b) => alike[b]! - alike[a]! || a - b).splice(Math.max(mmrPool, count));
    const likest = new Map(pool.map((index) => [index, 0]));
    const chosen: number[] = [];
    while (chosen.length < count && likest.size > 0) {
      let best = -1;
      let most = Number.NEGATIVE_INFINITY;
      for (const [index, like] of likest) {
        const score = alike[index]! - like;
        if (score > most) [best, most] = [index, score];
      }
      chosen.push(best);
      likest.delete(best);
      const toBest = this.#to(this.#rows, best);
      for (const [index, like] of likest) likest.set(index, Math.max(like, toBest[index]!));
    }
    return chosen;
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
