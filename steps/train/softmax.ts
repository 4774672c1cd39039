import type { Matrix, Pool } from '../../engine/step.ts';
import { stratifiedFolds } from '../../numerics/folds.ts';
import { openProduct } from '../../numerics/matrix-product.ts';
import { fitSoftmax, type SoftmaxFit, softmaxRows } from '../../numerics/softmax-regression.ts';
import { gatherRows } from '../../numerics/vectors.ts';

export interface SoftmaxParameters {
  C: number | number[];
  folds: number;
  class_weight: 'none' | 'balanced';
  max_iter: number;
  tol: number;
}

/** How well a strength did in cross-validation. */
export interface Candidate {
  C: number;
  accuracy: number;
  log_loss: number;
}

export interface LearntSoftmax {
  fit: SoftmaxFit;
  C: number;
  candidates: Candidate[];
}

export interface Data {
  vectors: Matrix;
  classes: Int32Array;
  labels: number;
}

/** Fits the head, with the best of several strengths by cross-validation; of equals the stronger penalty wins. */
export async function learnSoftmax(
  data: Data,
  parameters: SoftmaxParameters,
  seed: number,
  pool: Pool,
  progress: (done: number, total: number) => void,
): Promise<LearntSoftmax> {
  const strengths = [...new Set([parameters.C].flat())].sort((a, b) => a - b);
  // One row cannot be both learnt from and measured: then the strongest penalty is taken.
  const folds = strengths.length > 1 && parameters.folds > 1 ? parameters.folds : 0;
  const fits = folds * strengths.length + 1;
  let done = 0;
  const right = strengths.map(() => 0);
  const losses = strengths.map(() => 0);
  const foldOf = stratifiedFolds(data.classes, Math.max(1, folds), seed);
  for (let fold = 0; fold < folds; fold++) {
    const part = (isOut: boolean) => {
      const rows = Int32Array.from(foldOf.keys()).filter((row) => (foldOf[row] === fold) === isOut);
      return {
        ...data,
        vectors: gatherRows(data.vectors, rows),
        classes: rows.map((row) => data.classes[row]!),
      };
    };
    const [inside, outside] = [part(false), part(true)];
    let start: Float64Array | undefined;
    for (const [index, C] of strengths.entries()) {
      const fit = await fitData(inside, parameters, C, pool, start);
      start = fit.point;
      const { accuracy, loss } = await measure(fit, outside);
      right[index]! += accuracy * outside.classes.length;
      losses[index]! += loss * outside.classes.length;
      progress(++done, fits);
    }
  }
  const total = data.classes.length;
  const candidates =
    folds === 0
      ? []
      : strengths.map((C, index) => ({
          C,
          accuracy: right[index]! / total,
          log_loss: losses[index]! / total,
        }));
  const best = candidates.reduce(
    (most, own, index) => (own.accuracy > candidates[most]!.accuracy ? index : most),
    0,
  );
  const C = strengths[best]!;
  const fit = await fitData(data, parameters, C, pool);
  progress(fits, fits);
  return { fit, C, candidates };
}

/** Fits the head with one strength. */
export function fitData(
  { vectors, classes, labels }: Data,
  parameters: SoftmaxParameters,
  C: number,
  pool: Pool,
  start?: Float64Array,
): Promise<SoftmaxFit> {
  const weights = parameters.class_weight === 'balanced' ? balancedWeights(classes, labels) : undefined;
  const options = { C, maxIterations: parameters.max_iter, tolerance: parameters.tol };
  return fitSoftmax(
    softmaxRows(vectors, classes, weights),
    labels,
    pool,
    start ? { ...options, start } : options,
  );
}

/** rows / (classes · rows of the class), as scikit-learn's `balanced`. */
function balancedWeights(classes: Int32Array, labels: number): Float64Array {
  const sizes = new Float64Array(labels);
  for (const own of classes) sizes[own]!++;
  const present = sizes.filter((size) => size > 0).length;
  return Float64Array.from(classes, (own) => classes.length / (present * sizes[own]!));
}

/** Share of rows right, and mean −log p of the right class. */
export async function measure(
  { weights, intercepts }: Pick<SoftmaxFit, 'weights' | 'intercepts'>,
  { vectors, classes }: Pick<Data, 'vectors' | 'classes'>,
): Promise<{ accuracy: number; loss: number }> {
  const product = await openProduct({ transposeB: true });
  const { data } = await product(vectors, weights);
  const k = weights.rows;
  let right = 0;
  let loss = 0;
  for (let row = 0; row < classes.length; row++) {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < k; j++) {
      const score = data[row * k + j]! + intercepts[j]!;
      if (score > most) {
        most = score;
        best = j;
      }
    }
    let sum = 0;
    for (let j = 0; j < k; j++) sum += Math.exp(data[row * k + j]! + intercepts[j]! - most);
    const own = classes[row]!;
    loss += most + Math.log(sum) - data[row * k + own]! - intercepts[own]!;
    if (own === best) right++;
  }
  return { accuracy: right / classes.length, loss: loss / classes.length };
}
