import { BestScores } from './best-scores.ts';
import { exactSearch } from './exact-search.ts';
import { lloyd } from './lloyd.ts';
import { type MatrixView, openProduct } from './matrix-product.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { sampleIndices } from './random.ts';
import { mostRelevant, type Ranked } from './ranking.ts';
import { dot, gatherRows, normalized, rowsOf } from './vectors.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Rows for each list, and rounds, that the lists' centres are found with. */
const trainingRows = 40;
const trainingRounds = 6;
/** Hits by float32 beyond those wanted, which are compared in float64. */
const spare = 16;
const queryRows = 256;
/** Queries that the recall is measured with, and the fewest lists that are tried. */
const recallQueries = 200;
const fewestProbes = 8;

export interface IvfSearchTask {
  queries: MatrixView;
  documents: MatrixView;
  k: number;
  /** Lists that are looked through for each query, at least 1; without it as many as `recall` takes. */
  probes?: number;
  /** Without `probes`: the share of the exact hits of a sample of the queries that must be found. */
  recall: number;
  seed: number;
}

export interface IvfFound {
  found: Ranked[][];
  /** Lists that were looked through for each query. */
  probes: number;
  lists: number;
  /** Share of the exact hits that the sample of queries found; null if there are none. */
  recall: number | null;
}

/** How many lists so many documents are cut into. */
export function listCount(documents: number): number {
  return Math.max(1, Math.min(documents, Math.round(2 * Math.sqrt(documents))));
}

/**
 * As `exactSearch`, but compares a query only with the documents of the lists whose centres are nearest to it: an inverted
 * file (Sivic & Zisserman 2003; Jégou, Douze & Schmid 2011). Lists are those of spherical k-means on a sample. How many
 * lists are enough depends on the data (points without any clusters need nearly all of them), so unless `probes` says it, they
 * grow by half from `fewestProbes` on until at most `recallQueries` of the queries find `recall` of their exact hits.
 * Time: n·√n·columns to build, and a share of probes / lists of what the exact search takes. Scores are exact.
 */
export async function ivfSearch(task: IvfSearchTask): Promise<IvfFound> {
  const { k, seed, recall: wanted } = task;
  const queries = normalized(task.queries);
  const documents = normalized(task.documents);
  if (documents.rows === 0 || queries.rows === 0) {
    const found = Array.from({ length: queries.rows }, () => []);
    return { found, probes: task.probes ?? 0, lists: 0, recall: null };
  }
  const index = await buildLists(documents, seed);
  const lists = index.centres.rows;
  const sample = sampleIndices(queries.rows, recallQueries, seed);
  const sampled = gatherRows(queries, sample);
  const exact = await exactSearch({ queries: sampled, documents, k });
  let probes = Math.min(task.probes ?? fewestProbes, lists);
  let some = await searchLists(index, sampled, k, probes);
  if (task.probes === undefined)
    while (probes < lists && (recallOf(some, exact) ?? 1) < wanted) {
      probes = Math.min(Math.ceil(1.5 * probes), lists);
      some = await searchLists(index, sampled, k, probes);
    }
  const found = sampled.rows === queries.rows ? some : await searchLists(index, queries, k, probes);
  return { found, probes, lists, recall: recallOf(some, exact) };
}

function recallOf(found: readonly Ranked[][], exact: readonly Ranked[][]): number | null {
  let all = 0;
  let hit = 0;
  exact.forEach((nearest, query) => {
    const own = new Set(found[query]!.map(({ document }) => document));
    all += nearest.length;
    hit += nearest.filter(({ document }) => own.has(document)).length;
  });
  return all === 0 ? null : hit / all;
}

interface Lists {
  documents: MatrixView;
  centres: MatrixView;
  /** Documents of each list. */
  members: readonly number[][];
}

async function buildLists(documents: MatrixView, seed: number): Promise<Lists> {
  const { rows } = documents;
  const count = listCount(rows);
  const sample = gatherRows(documents, sampleIndices(rows, count * trainingRows, seed));
  const start = gatherRows(sample, sampleIndices(sample.rows, count, seed + 1));
  const options = { maxIterations: trainingRounds, tolerance: 0, spherical: true };
  const { centres } = await lloyd(sample, start, options);
  const labels = new Int32Array(rows).fill(-1);
  await (await openNearestCentre(documents)).assign(centres, labels);
  const members: number[][] = Array.from({ length: count }, () => []);
  labels.forEach((list, document) => void members[list]!.push(document));
  return { documents, centres, members };
}

async function searchLists(
  { documents, centres, members: lists }: Lists,
  queries: MatrixView,
  k: number,
  probes: number,
): Promise<Ranked[][]> {
  const { columns } = documents;
  const count = centres.rows;
  const product = await openProduct({ transposeB: true });
  const asking: number[][] = Array.from({ length: count }, () => []);
  const all = Array.from({ length: count }, (_, list) => list);
  for (let first = 0; first < queries.rows; first += queryRows) {
    const size = Math.min(queryRows, queries.rows - first);
    const { data } = await product(rowsOf(queries, first, size), centres);
    for (let index = 0; index < size; index++)
      for (const { document: list } of mostRelevant(all, (at) => data[index * count + at]!, probes))
        asking[list]!.push(first + index);
  }

  // The best of each query so far; those too close to call in float32 are among them.
  const best = new BestScores(queries.rows, Math.min(k, documents.rows) + spare);
  for (const [list, members] of lists.entries()) {
    const own = asking[list]!;
    if (own.length === 0 || members.length === 0) continue;
    const block = gatherRows(documents, members);
    for (let first = 0; first < own.length; first += queryRows) {
      const part = own.slice(first, first + queryRows);
      const { data } = await product(gatherRows(queries, part), block);
      for (const [index, query] of part.entries()) {
        let least = best.least(query);
        let at = index * members.length;
        for (const document of members) {
          const score = data[at++]!;
          if (score > least) least = best.put(query, document, score);
        }
      }
    }
  }
  return Array.from({ length: queries.rows }, (_, query) => {
    const own = best.itemsFrom(query, Number.NEGATIVE_INFINITY);
    const exact = new Map<number, number>();
    for (const document of own)
      exact.set(document, dot(queries.data, query * columns, documents.data, document * columns, columns));
    return mostRelevant(exact.keys(), (document) => exact.get(document)!, k);
  });
}
