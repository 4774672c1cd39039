import type { Matrix, StepContext } from '../../engine/step.ts';
import { type ExactSearchTask, moduleUrl as exactUrl } from '../../numerics/exact-search.ts';
import { type IvfSearchTask, moduleUrl as ivfUrl } from '../../numerics/ivf-search.ts';
import { sampleIndices } from '../../numerics/random.ts';
import type { Ranked } from '../../numerics/ranking.ts';
import { gatherRows } from '../../numerics/vectors.ts';

/** From so many documents and comparisons on, an inverted file is faster than comparing all. */
const leastDocuments = 50_000;
const leastComparisons = 1e8;
/** Queries that the recall is measured with. */
const recallQueries = 100;
/** The lists are the same in every run: what is random about them is no one's choice. */
const seed = 1;

interface Task {
  queries: Matrix;
  documents: Matrix;
  k: number;
}

/** The documents with the greatest cosine for each query; by an inverted file also how many of the exact ones it finds. */
export async function nearestDocuments(
  task: Task,
  { index, n_probe: probes }: { index: 'auto' | 'exact' | 'ivf'; n_probe: number },
  context: StepContext,
): Promise<{ found: Ranked[][]; recall?: number }> {
  const { queries, documents, k } = task;
  const many = documents.rows >= leastDocuments && documents.rows * queries.rows >= leastComparisons;
  if (index === 'exact' || (index === 'auto' && !many))
    return { found: await context.pool.run<ExactSearchTask, Ranked[][]>(exactUrl, 'exactSearch', task) };
  const sample = sampleIndices(queries.rows, recallQueries, seed);
  const [found, exact] = await Promise.all([
    context.pool.run<IvfSearchTask, Ranked[][]>(ivfUrl, 'ivfSearch', { ...task, probes, seed }),
    context.pool.run<ExactSearchTask, Ranked[][]>(exactUrl, 'exactSearch', {
      queries: gatherRows(queries, sample),
      documents,
      k,
    }),
  ]);
  let wanted = 0;
  let hit = 0;
  exact.forEach((nearest, at) => {
    const own = new Set(found[sample[at]!]!.map(({ document }) => document));
    wanted += nearest.length;
    hit += nearest.filter(({ document }) => own.has(document)).length;
  });
  return { found, ...(wanted > 0 && { recall: hit / wanted }) };
}
