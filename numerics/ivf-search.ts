import { lloyd } from './lloyd.ts';
import { type MatrixView, openProduct } from './matrix-product.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { sampleIndices } from './random.ts';
import { mostRelevant, type Ranked } from './ranking.ts';
import { dot, gatherRows, normalized } from './vectors.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Rows for each list, and rounds, that the lists' centres are found with. */
const trainingRows = 40;
const trainingRounds = 6;
/** Hits by float32 beyond those wanted, which are compared in float64. */
const spare = 16;
const queryRows = 256;

export interface IvfSearchTask {
  queries: MatrixView;
  documents: MatrixView;
  k: number;
  /** Lists that are looked through for each query, at least 1. */
  probes: number;
  seed: number;
}

/** How many lists so many documents are cut into. */
export function listCount(documents: number): number {
  return Math.max(1, Math.min(documents, Math.round(2 * Math.sqrt(documents))));
}

/**
 * As `exactSearch`, but compares a query only with the documents of the lists whose centres are nearest to it: an inverted
 * file (Sivic & Zisserman 2003; Jégou, Douze & Schmid 2011). Lists are those of spherical k-means on a sample. Time:
 * n·√n·columns to build, and a share of probes / lists of what the exact search takes. Scores are exact.
 */
export async function ivfSearch(task: IvfSearchTask): Promise<Ranked[][]> {
  const { k, seed } = task;
  const queries = normalized(task.queries);
  const documents = normalized(task.documents);
  const { rows, columns } = documents;
  if (rows === 0 || queries.rows === 0) return Array.from({ length: queries.rows }, () => []);
  const count = listCount(rows);
  const sample = gatherRows(documents, sampleIndices(rows, count * trainingRows, seed));
  const start = gatherRows(sample, sampleIndices(sample.rows, count, seed + 1));
  const options = { maxIterations: trainingRounds, tolerance: 0, spherical: true };
  const { centres } = await lloyd(sample, start, options);
  const labels = new Int32Array(rows).fill(-1);
  await (await openNearestCentre(documents)).assign(centres, labels);
  const lists: number[][] = Array.from({ length: count }, () => []);
  labels.forEach((list, document) => void lists[list]!.push(document));

  const product = await openProduct({ transposeB: true });
  const asking: number[][] = Array.from({ length: count }, () => []);
  const all = Array.from({ length: count }, (_, list) => list);
  for (let first = 0; first < queries.rows; first += queryRows) {
    const size = Math.min(queryRows, queries.rows - first);
    const { data } = await product(rowsOf(queries, first, size), centres);
    for (let index = 0; index < size; index++)
      for (const { document: list } of mostRelevant(all, (at) => data[index * count + at]!, task.probes))
        asking[list]!.push(first + index);
  }

  const found: Ranked[][] = Array.from({ length: queries.rows }, () => []);
  for (const [list, members] of lists.entries()) {
    const own = asking[list]!;
    if (own.length === 0 || members.length === 0) continue;
    const block = gatherRows(documents, members);
    const places = members.map((_, place) => place);
    for (let first = 0; first < own.length; first += queryRows) {
      const part = own.slice(first, first + queryRows);
      const { data } = await product(gatherRows(queries, part), block);
      part.forEach((query, index) => {
        const score = (place: number) => data[index * members.length + place]!;
        for (const { document, score: value } of mostRelevant(places, score, k + spare))
          found[query]!.push({ document: members[document]!, score: value });
      });
    }
  }
  return found.map((hits, query) => {
    const scores = new Map(hits.map(({ document, score }) => [document, score]));
    const near = mostRelevant(scores.keys(), (document) => scores.get(document)!, k + spare);
    const exact = new Map(
      near.map(({ document }) => [
        document,
        dot(queries.data, query * columns, documents.data, document * columns, columns),
      ]),
    );
    return mostRelevant(exact.keys(), (document) => exact.get(document)!, k);
  });
}

function rowsOf({ data, columns }: MatrixView, first: number, rows: number): MatrixView {
  return { data: data.subarray(first * columns, (first + rows) * columns), rows, columns };
}
