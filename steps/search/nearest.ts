import type { Matrix, StepContext } from '../../engine/step.ts';
import { type ExactSearchTask, moduleUrl as exactUrl } from '../../numerics/exact-search.ts';
import { type IvfFound, type IvfSearchTask, moduleUrl as ivfUrl } from '../../numerics/ivf-search.ts';
import type { Ranked } from '../../numerics/ranking.ts';

/** From so many documents and comparisons on, an inverted file is faster than comparing all. */
const leastDocuments = 50_000;
const leastComparisons = 2e8;
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
  parameters: { index: 'auto' | 'exact' | 'ivf'; n_probe?: number | undefined; recall: number },
  context: StepContext,
): Promise<{ found: Ranked[][]; ivf?: IvfFound }> {
  const { index, n_probe: probes, recall } = parameters;
  const { queries, documents } = task;
  const many = documents.rows >= leastDocuments && documents.rows * queries.rows >= leastComparisons;
  if (index === 'exact' || (index === 'auto' && !many))
    return { found: await context.pool.run<ExactSearchTask, Ranked[][]>(exactUrl, 'exactSearch', task) };
  const ivf = await context.pool.run<IvfSearchTask, IvfFound>(ivfUrl, 'ivfSearch', {
    ...task,
    ...(probes !== undefined && { probes }),
    recall,
    seed,
  });
  return { found: ivf.found, ivf };
}
