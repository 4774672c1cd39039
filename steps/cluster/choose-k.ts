import type { Matrix, StepContext } from '../../engine/step.ts';
import type { AgglomerativeResult } from '../../numerics/agglomerative.ts';
import { cutTree } from '../../numerics/agglomerative.ts';
import {
  bestCandidate,
  type Candidate,
  type CandidateOptions,
  type Criterion,
  moduleUrl,
  type referenceSets,
  spacedCounts,
} from '../../numerics/k-selection.ts';
import type { MatrixView } from '../../numerics/matrix-product.ts';
import { sampleIndices } from '../../numerics/random.ts';
import { gatherRows, shifted } from '../../numerics/vectors.ts';
import type { Parameters } from './parameters.ts';

/** Numbers of clusters that are tried, at most. */
const mostCandidates = 30;
/** Rows that they are tried on, at most; the gap statistic clusters eleven times as many. */
const sampleRows = { silhouette: 5000, elbow: 5000, gap: 1000 };

/** The number of clusters that was chosen, and what is known of all that were tried. */
export interface Choice {
  k: number;
  criterion: Criterion;
  candidates: Candidate[];
}

/** Chooses the number of clusters for k-means of any kind, on a sample. One cluster where nothing can be told. */
export async function chooseK(
  matrix: Matrix,
  parameters: Parameters & { spherical: boolean },
  context: StepContext,
): Promise<Choice> {
  const { k_criterion: criterion, spherical } = parameters;
  const rows = sampleIndices(matrix.rows, sampleRows[criterion], context.random('sample').seed());
  const sample = shifted(rows.length < matrix.rows ? gatherRows(matrix, rows) : matrix);
  const counts = countsToTry(sample.rows, matrix.rows, parameters);
  if (counts.length === 0) return chosen([], criterion, matrix.rows, context);
  const sets: { matrix: MatrixView; references?: MatrixView[] } =
    criterion === 'gap'
      ? await context.pool.run<unknown, ReturnType<typeof referenceSets>>(moduleUrl, 'referenceSets', {
          matrix: sample,
          seed: context.random('references').seed(),
        })
      : { matrix: sample };
  let done = 0;
  const candidates = await Promise.all(
    counts.map(async (k) => {
      const candidate = await context.pool.run<CandidateOptions, Candidate>(moduleUrl, 'kmeansCandidate', {
        ...sets,
        spherical,
        k,
        init: parameters.init,
        maxIterations: parameters.max_iter,
        tolerance: parameters.tol,
        withSilhouette: criterion === 'silhouette',
        seed: context.random('candidate', k).seed(),
      });
      context.progress(++done, counts.length, 'numbers of clusters');
      return candidate;
    }),
  );
  return chosen(candidates, criterion, matrix.rows, context);
}

/** Chooses where to cut a tree of merges. */
export async function chooseCut(
  matrix: Matrix,
  { tree }: AgglomerativeResult,
  parameters: Parameters,
  context: StepContext,
): Promise<Choice> {
  const { k_criterion: criterion } = parameters;
  const cuts = countsToTry(matrix.rows, matrix.rows, parameters).map((k) => ({
    k,
    labels: cutTree(tree, matrix.rows, { clusters: k }).labels,
  }));
  const candidates = await context.pool.run<unknown, Candidate[]>(moduleUrl, 'cutCandidates', {
    matrix,
    cuts,
    metric: parameters.metric,
    seed: context.random('silhouette').seed(),
  });
  return chosen(candidates, criterion, matrix.rows, context);
}

/** Above one and below the number of rows: no criterion tells anything of the others, but the gap of one cluster. */
function countsToTry(sampled: number, rows: number, parameters: Parameters): number[] {
  const { k_criterion: criterion, k_min: least } = parameters;
  const most = parameters.k_max ?? Math.min(100, Math.max(2, Math.round(Math.sqrt(rows))));
  return spacedCounts(
    criterion === 'gap' ? 1 : Math.max(2, least),
    Math.min(most, sampled - 1),
    mostCandidates,
  );
}

function chosen(all: Candidate[], criterion: Criterion, rows: number, context: StepContext): Choice {
  // With inertia 0 every row that differs has a cluster of its own: more clusters say no more.
  const last = all.findIndex(({ inertia }) => inertia === 0);
  const candidates = criterion === 'gap' && last >= 0 ? all.slice(0, last) : all;
  const best = bestCandidate(candidates, criterion);
  if (!best && rows > 0)
    context.warn(`k: auto: nothing tells how many clusters ${rows} such rows have; taken as one`);
  return { k: best?.k ?? Math.min(1, rows), criterion, candidates };
}
