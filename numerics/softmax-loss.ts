import { type MatrixView, openProduct } from './matrix-product.ts';
import { encodeModel } from './onnx-graph.ts';

/** URL of this module, for workers. */
export const moduleUrl = import.meta.url;

/** Rows in memory that threads share, cut into chunks whose bounds only the number of rows decides. */
export interface SoftmaxRows {
  /** `rows × columns`; the last column is 1 and carries the intercept. */
  vectors: MatrixView;
  /** Class of each row. */
  classes: Int32Array;
  /** What each row counts; undefined if all count 1. */
  weights: Float64Array | undefined;
  chunkRows: number;
}

export interface LossTask {
  rows: SoftmaxRows;
  /** `classes × columns`. */
  coefficients: MatrixView;
  /** Chunks to work on, and where the gradient of each goes: `classes × columns` numbers a chunk. */
  from: number;
  to: number;
  gradients: Float32Array;
}

/**
 * Σ −log p(class of row) over each of the chunks, for p = softmax(x·Wᵀ), and its gradient, (p − y)ᵀ·x. Sums within a chunk
 * are of float32 on one thread, so that a chunk's numbers do not depend on who computes them.
 */
export async function chunkLosses(task: LossTask): Promise<number[]> {
  const { rows, coefficients, from, to, gradients } = task;
  const { vectors, classes, weights, chunkRows } = rows;
  const { columns } = vectors;
  const k = coefficients.rows;
  const forward = await openForward();
  const product = await openProduct({ transposeA: true });
  const losses: number[] = [];
  const logs = new Float32Array(chunkRows * k);
  const shares = new Float32Array(chunkRows * k);
  for (let chunk = from; chunk < to; chunk++) {
    const start = chunk * chunkRows;
    const count = Math.min(chunkRows, vectors.rows - start);
    const x = {
      data: vectors.data.subarray(start * columns, (start + count) * columns),
      rows: count,
      columns,
    };
    const size = count * k;
    await forward(x, coefficients, logs.subarray(0, size), shares.subarray(0, size));
    let loss = 0;
    for (let row = 0; row < count; row++) {
      const at = row * k + classes[start + row]!;
      const weight = weights === undefined ? 1 : weights[start + row]!;
      loss -= weight * logs[at]!;
      shares[at]! -= 1;
      if (weight !== 1) for (let j = row * k; j < (row + 1) * k; j++) shares[j]! *= weight;
    }
    losses.push(loss);
    const own = gradients.subarray(chunk * k * columns, (chunk + 1) * k * columns);
    await product({ data: shares.subarray(0, size), rows: count, columns: k }, x, own);
  }
  return losses;
}

type Forward = (x: MatrixView, w: MatrixView, logs: Float32Array, shares: Float32Array) => Promise<void>;
let opened: Promise<Forward> | undefined;

/** log softmax(x·wᵀ) and its exponential, of each row. */
function openForward(): Promise<Forward> {
  opened ??= (async () => {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const model = encodeModel({
      name: 'softmax',
      nodes: [
        { operator: 'Gemm', inputs: ['x', 'w'], outputs: ['scores'], attributes: { transB: 1 } },
        { operator: 'LogSoftmax', inputs: ['scores'], outputs: ['logs'], attributes: { axis: 1 } },
        { operator: 'Exp', inputs: ['logs'], outputs: ['shares'] },
      ],
      inputs: [
        { name: 'x', shape: ['rows', 'columns'] },
        { name: 'w', shape: ['classes', 'columns'] },
      ],
      outputs: [
        { name: 'logs', shape: ['rows', 'classes'] },
        { name: 'shares', shape: ['rows', 'classes'] },
      ],
    });
    const session = await InferenceSession.create(model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    });
    return async (x, w, logs, shares) => {
      const shape = [x.rows, w.rows];
      await session.run(
        {
          x: new Tensor('float32', x.data, [x.rows, x.columns]),
          w: new Tensor('float32', w.data, [w.rows, w.columns]),
        },
        { logs: new Tensor('float32', logs, shape), shares: new Tensor('float32', shares, shape) },
      );
    };
  })();
  return opened;
}
