import { type MatrixView, openProduct } from './matrix-product.ts';
import { mostRelevant, type Ranked } from './ranking.ts';
import { dot, normalized } from './vectors.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Scores in memory at a time. */
const mostScores = 2 ** 22;

export interface ExactSearchTask {
  queries: MatrixView;
  documents: MatrixView;
  k: number;
}

/**
 * The `k` documents with the greatest cosine for each query, greatest first; equal ones in their order. All are compared, by
 * float32 products; those that float32 cannot tell from the k-th are compared again in float64, so ranks and scores do
 * not depend on the processor. A vector of zeros has the cosine 0 with all. Time: queries × documents × columns.
 */
export async function exactSearch(task: ExactSearchTask): Promise<Ranked[][]> {
  const queries = normalized(task.queries);
  const documents = normalized(task.documents);
  const { columns } = documents;
  const product = await openProduct({ transposeB: true });
  const chunk = Math.max(1, Math.floor(mostScores / Math.max(1, documents.rows)));
  // Twice the bound on the error of a product of vectors of length 1.
  const margin = 2 * (columns + 2) * 2 ** -24;
  const all = Array.from({ length: documents.rows }, (_, row) => row);
  const found: Ranked[][] = [];
  for (let start = 0; start < queries.rows; start += chunk) {
    const rows = Math.min(chunk, queries.rows - start);
    const { data } = await product(
      { data: queries.data.subarray(start * columns, (start + rows) * columns), rows, columns },
      documents,
    );
    for (let row = 0; row < rows; row++) {
      const scores = data.subarray(row * documents.rows, (row + 1) * documents.rows);
      const last = mostRelevant(all, (document) => scores[document]!, task.k).at(-1);
      const close = all.filter((document) => last !== undefined && scores[document]! >= last.score - margin);
      const exact = new Map(
        close.map((document) => [
          document,
          dot(queries.data, (start + row) * columns, documents.data, document * columns, columns),
        ]),
      );
      found.push(mostRelevant(close, (document) => exact.get(document)!, task.k));
    }
  }
  return found;
}

/** Adds to the hits of each query those in another part of the documents, which begins at `offset`; the `k` best stay. */
export function mergeNearest(
  found: readonly Ranked[][],
  more: readonly Ranked[][],
  offset: number,
  k: number,
): Ranked[][] {
  return found.map((hits, query) =>
    [...hits, ...more[query]!.map(({ document, score }) => ({ document: document + offset, score }))]
      .sort((a, b) => b.score - a.score || a.document - b.document)
      .slice(0, k),
  );
}
