import { encodeModel } from './onnx-graph.ts';

/** A row-major matrix of `rows * columns` numbers. */
export interface MatrixView {
  data: Float32Array;
  rows: number;
  columns: number;
}

export interface ProductOptions {
  /** Use the transpose of the first, or of the second factor. Default false. */
  transposeA?: boolean;
  transposeB?: boolean;
  /** Threads inside one product. Default 1: parallel work goes to several workers instead. */
  threads?: number;
}

/** Multiplies on this thread; the result is a new array, or lies in `into` if that is given and large enough. */
export type Product = (a: MatrixView, b: MatrixView, into?: Float32Array) => Promise<MatrixView>;

const opened = new Map<string, Promise<Product>>();

/**
 * Opens a float32 matrix product A·B (each factor may be transposed), one Gemm node run by onnxruntime: some fifty
 * times faster than loops in JavaScript. Sums are of float32 in an order that depends on the processor, so a result
 * is good to about `inner * 6e-8 * |a| * |b|` and may differ in the last bits between machines: callers that promise
 * the same bytes everywhere must settle close decisions themselves, in float64.
 *
 * The product runs on the calling thread: call it in a worker when it may take more than some milliseconds.
 */
export function openProduct(options: ProductOptions = {}): Promise<Product> {
  const { transposeA = false, transposeB = false, threads = 1 } = options;
  const key = `${transposeA} ${transposeB} ${threads}`;
  let product = opened.get(key);
  if (!product) {
    product = open(transposeA, transposeB, threads);
    opened.set(key, product);
  }
  return product;
}

async function open(transposeA: boolean, transposeB: boolean, threads: number): Promise<Product> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const model = encodeModel({
    name: 'product',
    nodes: [
      {
        operator: 'Gemm',
        inputs: ['a', 'b'],
        outputs: ['c'],
        attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 },
      },
    ],
    inputs: [
      { name: 'a', shape: transposeA ? ['inner', 'rows'] : ['rows', 'inner'] },
      { name: 'b', shape: transposeB ? ['columns', 'inner'] : ['inner', 'columns'] },
    ],
    outputs: [{ name: 'c', shape: ['rows', 'columns'] }],
  });
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  return async (a, b, into) => {
    const rows = transposeA ? a.columns : a.rows;
    const columns = transposeB ? b.rows : b.columns;
    const innerA = transposeA ? a.rows : a.columns;
    const innerB = transposeB ? b.columns : b.rows;
    if (innerA !== innerB) throw new RangeError(`cannot multiply: inner sizes are ${innerA} and ${innerB}`);
    if (a.data.length !== a.rows * a.columns || b.data.length !== b.rows * b.columns)
      throw new RangeError('a matrix has not rows * columns numbers');
    const size = rows * columns;
    const data = into && into.length >= size ? into.subarray(0, size) : new Float32Array(size);
    if (size === 0 || innerA === 0) return { data: data.fill(0), rows, columns };
    await session.run(
      {
        a: new Tensor('float32', a.data, [a.rows, a.columns]),
        b: new Tensor('float32', b.data, [b.rows, b.columns]),
      },
      { c: new Tensor('float32', data, [rows, columns]) },
    );
    return { data, rows, columns };
  };
}
