import type { Matrix, StepContext } from '../../engine/step.ts';
import { auroc } from '../../numerics/classification-metrics.ts';
import { stratifiedFolds } from '../../numerics/folds.ts';
import { sampleIndices } from '../../numerics/random.ts';
import { fitSoftmax, softmaxRows } from '../../numerics/softmax-regression.ts';
import { dot, gatherRows } from '../../numerics/vectors.ts';

/** Rows of each side that are looked at, at most. */
const mostRows = 5000;
const folds = 5;
const fitting = { C: 1, maxIterations: 200, tolerance: 1e-4 };

/** How well rows of two sets can be told apart by their vectors: 0.5 is not at all. */
export interface Separation {
  auc: number;
  low: number;
  high: number;
}

/**
 * Area under the ROC curve of a logistic regression that tells `rows` from `reference`, each row judged by one that has not seen it (five folds,
 * C = 1), with the interval of Hanley & McNeil (1982). Undefined where a side has fewer rows than there are folds.
 */
export async function separation(
  matrix: Matrix,
  { rows, reference, z }: { rows: readonly number[]; reference: readonly number[]; z: number },
  context: StepContext,
): Promise<Separation | undefined> {
  if (rows.length < folds || reference.length < folds) return undefined;
  const [some, others] = [rows, reference].map((own, side) =>
    Array.from(sampleIndices(own.length, mostRows, context.random('sample', side).seed()), (at) => own[at]!),
  ) as [number[], number[]];
  const all = [...some, ...others];
  const vectors = gatherRows(matrix, all);
  const classes = Int32Array.from(all, (_, at) => (at < some.length ? 1 : 0));
  const foldOf = stratifiedFolds(classes, folds, context.random('folds').seed());
  const scores = new Float64Array(all.length);
  for (let fold = 0; fold < folds; fold++) {
    const seen = [...foldOf.keys()].filter((row) => foldOf[row] !== fold);
    const learnt = softmaxRows(
      gatherRows(vectors, seen),
      Int32Array.from(seen, (row) => classes[row]!),
    );
    const { weights, intercepts } = await fitSoftmax(learnt, 2, context.pool, fitting);
    const { columns } = vectors;
    foldOf.forEach((own, row) => {
      if (own !== fold) return;
      const logit = (name: number) =>
        dot(vectors.data, row * columns, weights.data, name * columns, columns) + intercepts[name]!;
      scores[row] = logit(1) - logit(0);
    });
    context.progress(fold + 1, folds, 'folds');
  }
  const auc = auroc(scores, Uint8Array.from(classes));
  const half = z * standardError(auc, some.length, others.length);
  return { auc, low: Math.max(0, auc - half), high: Math.min(1, auc + half) };
}

function standardError(auc: number, positive: number, negative: number): number {
  const [one, two] = [auc / (2 - auc), (2 * auc ** 2) / (1 + auc)];
  const variance = auc * (1 - auc) + (positive - 1) * (one - auc ** 2) + (negative - 1) * (two - auc ** 2);
  return Math.sqrt(Math.max(0, variance) / (positive * negative));
}
