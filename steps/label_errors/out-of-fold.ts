import type { Matrix, Pool } from '../../engine/step.ts';
import { stratifiedFolds } from '../../numerics/folds.ts';
import { openProduct } from '../../numerics/matrix-product.ts';
import type { SoftmaxFit } from '../../numerics/softmax-regression.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { type Data, fitData, type SoftmaxParameters } from '../train/softmax.ts';

/**
 * Probabilities of the classes for each row, [rows, classes], by a head that was fitted to the other folds only. A row alone has the
 * same probability of each class.
 */
export async function outOfFold(
  data: Data,
  parameters: SoftmaxParameters & { C: number },
  seed: number,
  pool: Pool,
  progress: (done: number, total: number) => void,
): Promise<Matrix> {
  const { rows } = data.vectors;
  const found: Matrix = { data: new Float32Array(rows * data.labels), rows, columns: data.labels };
  if (rows < 2 || data.labels < 2) {
    found.data.fill(1 / data.labels);
    return found;
  }
  const folds = Math.min(parameters.folds, rows);
  const foldOf = stratifiedFolds(data.classes, folds, seed);
  for (let fold = 0; fold < folds; fold++) {
    const all = Int32Array.from(foldOf.keys());
    const inside = all.filter((row) => foldOf[row] !== fold);
    const outside = all.filter((row) => foldOf[row] === fold);
    const fit = await fitData(
      {
        ...data,
        vectors: gatherRows(data.vectors, inside),
        classes: inside.map((row) => data.classes[row]!),
      },
      parameters,
      parameters.C,
      pool,
    );
    const { data: probabilities } = await probabilitiesOf(fit, gatherRows(data.vectors, outside));
    for (const [place, row] of outside.entries())
      found.data.set(
        probabilities.subarray(place * data.labels, (place + 1) * data.labels),
        row * data.labels,
      );
    progress(fold + 1, folds);
  }
  return found;
}

async function probabilitiesOf({ weights, intercepts }: SoftmaxFit, vectors: Matrix): Promise<Matrix> {
  const product = await openProduct({ transposeB: true });
  const { data } = await product(vectors, weights);
  const columns = weights.rows;
  const found = new Float32Array(vectors.rows * columns);
  for (let row = 0; row < vectors.rows; row++) {
    const scores = intercepts.map((intercept, column) => intercept + data[row * columns + column]!);
    const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = Float64Array.from(scores, (score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    found.set(
      powers.map((power) => power / sum),
      row * columns,
    );
  }
  return { data: found, rows: vectors.rows, columns };
}
