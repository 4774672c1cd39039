import { BestScores } from './best-scores.ts';
import { type MatrixView, openProduct, type Product } from './matrix-product.ts';
import { mostRelevant, type Ranked } from './ranking.ts';
import { dot, normalized, rowsOf } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Rows of a product at a time: its scores stay in the processor's cache. */
const queryRows = 256;
const documentRows = 1024;
/** Candidates kept beyond those wanted, for scores too close to call in float32. */
const spare = 16;

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
export function exactSearch({ queries, documents, k }: ExactSearchTask): Promise<Ranked[][]> {
  return exactSearchOfPart({ queries: normalized(queries), documents: normalized(documents), k });
}

/** The same, the queries being parted among threads. */
export async function exactSearchInParts(
  { queries, documents, k }: ExactSearchTask,
  workers: Workers,
): Promise<Ranked[][]> {
  const shared = { queries: normalized(queries), documents: normalized(documents), k };
  const parts = await inParts<Ranked[][]>(
    workers,
    moduleUrl,
    'exactSearchOfPart',
    queries.rows,
    (from, to) => ({
      ...shared,
      queries: rowsOf(shared.queries, from, to - from),
    }),
  );
  return parts.flat();
}

/** The same for vectors of length 1 (or 0). */
export async function exactSearchOfPart({ queries, documents, k }: ExactSearchTask): Promise<Ranked[][]> {
  const { columns } = documents;
  const count = Math.min(k, documents.rows);
  const found: Ranked[][] = [];
  if (count === 0) return Array.from({ length: queries.rows }, () => []);
  const product = await openProduct({ transposeB: true });
  // Twice the bound on the error of a product of vectors of length 1.
  const margin = 2 * (columns + 2) * 2 ** -24;
  const best = new BestScores(Math.min(queryRows, queries.rows), count + spare);
  const products = new Float32Array(queryRows * documentRows);
  for (let start = 0; start < queries.rows; start += queryRows) {
    const chunk = rowsOf(queries, start, Math.min(queryRows, queries.rows - start));
    best.clear();
    for (let first = 0; first < documents.rows; first += documentRows) {
      const block = rowsOf(documents, first, Math.min(documentRows, documents.rows - first));
      const { data } = await product(chunk, block, products);
      for (let query = 0, at = 0; query < chunk.rows; query++) {
        let least = best.least(query);
        for (let document = first; document < first + block.rows; document++, at++) {
          const score = data[at]!;
          if (score > least) least = best.put(query, document, score);
        }
      }
    }
    for (let query = 0; query < chunk.rows; query++) {
      const limit = best.nth(query, count) - margin;
      const own = rowsOf(chunk, query, 1);
      const close =
        best.least(query) < limit
          ? best.itemsFrom(query, limit)
          : await above(limit, own, documents, product);
      const exact = new Map<number, number>();
      for (const document of close)
        exact.set(document, dot(own.data, 0, documents.data, document * columns, columns));
      found.push(mostRelevant(exact.keys(), (document) => exact.get(document)!, count));
    }
  }
  return found;
}

/** All documents whose product with one query is at least a limit: for more equals than candidates are kept. */
async function above(
  limit: number,
  query: MatrixView,
  documents: MatrixView,
  product: Product,
): Promise<number[]> {
  const found: number[] = [];
  const size = 64 * documentRows;
  for (let first = 0; first < documents.rows; first += size) {
    const block = rowsOf(documents, first, Math.min(size, documents.rows - first));
    const { data } = await product(query, block);
    for (const [place, score] of data.entries()) if (score >= limit) found.push(first + place);
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
