import type { Bm25 } from './bm25.ts';
import type { MatrixView } from './matrix-product.ts';
import type { Ranked } from './ranking.ts';
import { dot, normalized } from './vectors.ts';

export interface ExpansionOptions {
  /** Words that are added to a query, at most. */
  terms: number;
  /** Documents that are taken for relevant: the first so many hits. */
  documents: number;
  /** What the query itself counts. */
  alpha: number;
  /** What the documents count. */
  beta: number;
}

export interface WeightedWord {
  word: string;
  weight: number;
}

/**
 * Words and weights of a query after pseudo-relevance feedback (Rocchio 1971): α · query + β · mean of the documents that were
 * found first, both as tf·idf vectors of length 1, of which the query's own words and the `terms` heaviest others are kept.
 * A word that only one of several documents has is not taken: it says what that document is about, not the query. The
 * weights are those of a query to `Bm25.search`, which brings in how rare a word is: the idf is taken out of them again.
 */
export function expandedQuery(
  query: readonly string[],
  relevant: readonly (readonly string[])[],
  index: Bm25,
  { terms, alpha, beta }: ExpansionOptions,
): { own: WeightedWord[]; added: WeightedWord[] } {
  const own = unitWeights(query, index);
  const sums = new Map<string, number>();
  const documents = new Map<string, number>();
  for (const words of relevant)
    for (const [word, weight] of unitWeights(words, index)) {
      sums.set(word, (sums.get(word) ?? 0) + weight / relevant.length);
      documents.set(word, (documents.get(word) ?? 0) + 1);
    }
  const weighted = (word: string) => {
    const weight = alpha * (own.get(word) ?? 0) + beta * (sums.get(word) ?? 0);
    return { word, weight: weight / index.idf(word) };
  };
  const least = Math.min(2, relevant.length);
  const added = [...sums.keys()]
    .filter((word) => !own.has(word) && documents.get(word)! >= least)
    .sort((a, b) => sums.get(b)! - sums.get(a)! || (a < b ? -1 : 1))
    .slice(0, beta > 0 ? terms : 0);
  return { own: [...own.keys()].map(weighted), added: added.map(weighted) };
}

/** Words that the index knows, each with frequency · idf, as a vector of length 1. */
function unitWeights(words: readonly string[], index: Bm25): Map<string, number> {
  const weights = new Map<string, number>();
  for (const word of words) {
    const idf = index.idf(word);
    if (idf > 0) weights.set(word, (weights.get(word) ?? 0) + idf);
  }
  const length = Math.hypot(...weights.values());
  for (const [word, weight] of weights) weights.set(word, weight / length);
  return weights;
}

/**
 * Vectors of queries after pseudo-relevance feedback: α · query + β · mean of the documents that were found first, all of length 1
 * (Li et al. 2021, "Pseudo-relevance feedback with dense retrievers in practice"). A query that found nothing stays.
 */
export function expandedVectors(
  queries: MatrixView,
  documents: MatrixView,
  found: readonly (readonly Ranked[])[],
  { documents: relevant, alpha, beta }: Omit<ExpansionOptions, 'terms'>,
): MatrixView {
  const expanded = normalized(queries);
  const { data, columns } = expanded;
  found.forEach((hits, query) => {
    const first = hits.slice(0, relevant);
    const start = query * columns;
    if (first.length === 0) return;
    for (let column = 0; column < columns; column++) data[start + column]! *= alpha;
    for (const { document } of first) {
      const from = document * columns;
      const length = Math.sqrt(dot(documents.data, from, documents.data, from, columns));
      const share = length > 0 ? beta / first.length / length : 0;
      for (let column = 0; column < columns; column++)
        data[start + column]! += share * documents.data[from + column]!;
    }
  });
  return expanded;
}
