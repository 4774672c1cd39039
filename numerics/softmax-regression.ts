import { type LbfgsResult, minimize } from './lbfgs.ts';
import type { MatrixView } from './matrix-product.ts';
import { chunkLosses, moduleUrl, type SoftmaxRows } from './softmax-loss.ts';
import { sharedFloats } from './vectors.ts';
import type { Workers } from './workers.ts';

/** Rows whose losses are summed together: enough for a fast product, few enough to keep several threads busy. */
const leastChunk = 1024;
/** Each chunk has a gradient of its own in memory. */
const mostChunks = 64;

export interface SoftmaxFitOptions {
  /** Inverse of the strength of the L2 penalty, as scikit-learn's `C`: Σ loss + |W|²/(2C). */
  C: number;
  maxIterations: number;
  /** Ends when no part of the gradient of the mean loss is larger. */
  tolerance: number;
  /** Where to start, from a fit of the same shape; zeros if not given. */
  start?: Float64Array;
}

export interface SoftmaxFit {
  /** `classes × columns`. */
  weights: MatrixView;
  intercepts: Float32Array;
  iterations: number;
  converged: boolean;
  /** Mean loss with the penalty. */
  objective: number;
  /** All coefficients, to start another fit from. */
  point: Float64Array;
}

/** Copies vectors to memory that threads share, with a column of ones for the intercept. */
export function softmaxRows(vectors: MatrixView, classes: Int32Array, weights?: Float64Array): SoftmaxRows {
  const { data, rows, columns } = vectors;
  const copy = sharedFloats(rows * (columns + 1));
  for (let row = 0; row < rows; row++) {
    copy.set(data.subarray(row * columns, (row + 1) * columns), row * (columns + 1));
    copy[row * (columns + 1) + columns] = 1;
  }
  const chunkRows = Math.max(leastChunk, Math.ceil(rows / mostChunks));
  return { vectors: { data: copy, rows, columns: columns + 1 }, classes, weights, chunkRows };
}

/**
 * Multinomial logistic regression with an L2 penalty on all but the intercepts, by L-BFGS: the objective of scikit-learn's
 * `LogisticRegression` (`lbfgs`), to the same tolerance. Products are float32, sums over chunks and the optimiser float64
 * in a fixed order: on one kind of processor the same rows give the same bits, whatever the number of threads.
 */
export async function fitSoftmax(
  rows: SoftmaxRows,
  classCount: number,
  workers: Workers,
  { C, maxIterations, tolerance, start }: SoftmaxFitOptions,
): Promise<SoftmaxFit> {
  const { columns } = rows.vectors;
  const size = classCount * columns;
  const chunks = Math.ceil(rows.vectors.rows / rows.chunkRows);
  const coefficients = { data: sharedFloats(size), rows: classCount, columns };
  const gradients = sharedFloats(chunks * size);
  const total = rows.weights?.reduce((sum, weight) => sum + weight, 0) ?? rows.vectors.rows;
  const penalty = 1 / (C * total);
  const parts = Math.min(chunks, workers.threads);

  const objective = async (point: Float64Array, gradient: Float64Array): Promise<number> => {
    coefficients.data.set(point);
    const losses = await Promise.all(
      Array.from({ length: parts }, (_, part) =>
        workers.run<unknown, number[]>(moduleUrl, chunkLosses.name, {
          rows,
          coefficients,
          from: Math.floor((part * chunks) / parts),
          to: Math.floor(((part + 1) * chunks) / parts),
          gradients,
        }),
      ),
    );
    const loss = losses.flat().reduce((sum, own) => sum + own, 0) / total;
    let squares = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let chunk = 0; chunk < chunks; chunk++) sum += gradients[chunk * size + i]!;
      const isIntercept = i % columns === columns - 1;
      const weight = isIntercept ? 0 : point[i]!;
      squares += weight * weight;
      gradient[i] = sum / total + penalty * weight;
    }
    return loss + (penalty / 2) * squares;
  };

  const found: LbfgsResult = await minimize(objective, start ?? new Float64Array(size), {
    maxIterations,
    tolerance,
  });
  const weights = new Float32Array(classCount * (columns - 1));
  const intercepts = new Float32Array(classCount);
  for (let row = 0; row < classCount; row++) {
    for (let column = 0; column < columns - 1; column++)
      weights[row * (columns - 1) + column] = found.point[row * columns + column]!;
    intercepts[row] = found.point[row * columns + columns - 1]!;
  }
  return {
    weights: { data: weights, rows: classCount, columns: columns - 1 },
    intercepts,
    iterations: found.iterations,
    converged: found.converged,
    objective: found.value,
    point: found.point,
  };
}
