import type { MatrixView } from '../../numerics/matrix-product.ts';
import { encodeModel, type GraphConstant, type GraphNode } from '../../numerics/onnx-graph.ts';

/**
 * Classifiers on vectors as ONNX graphs. Each takes `vectors` [rows, dimensions] and gives `scores` and `probabilities`,
 * [rows, classes] both, all float32.
 */

/** Softmax of x·Wᵀ + b. `weights`: classes × dimensions. */
export function linearHead(weights: MatrixView, intercepts: Float32Array): Uint8Array {
  return head(
    weights.columns,
    weights.rows,
    [
      { name: 'weights', shape: [weights.rows, weights.columns], data: weights.data },
      { name: 'intercepts', shape: [weights.rows], data: intercepts },
    ],
    [
      {
        operator: 'Gemm',
        inputs: ['vectors', 'weights', 'intercepts'],
        outputs: ['scores'],
        attributes: { transB: 1 },
      },
      softmax,
    ],
  );
}

/** How sharply the nearest centroid wins: cosines are multiplied by it before the softmax, as in contrastive training. */
const centroidScale = 20;

/** Softmax of the cosines with the classes' centroids, times 20. `centroids`: classes × dimensions, of length 1. */
export function centroidHead(centroids: MatrixView): Uint8Array {
  return head(
    centroids.columns,
    centroids.rows,
    [
      leastLength,
      {
        name: 'centroids',
        shape: [centroids.rows, centroids.columns],
        data: centroids.data.map((value) => value * centroidScale),
      },
    ],
    [
      ...unitVectors,
      { operator: 'Gemm', inputs: ['unit', 'centroids'], outputs: ['scores'], attributes: { transB: 1 } },
      softmax,
    ],
  );
}

/**
 * Votes of the `k` rows with the greatest cosine, each as heavy as its cosine (no less than 1e-6); of equals the first
 * row votes. `examples`: rows × dimensions, of length 1; `classes`: the class of each.
 */
export function neighboursHead(
  examples: MatrixView,
  classes: Int32Array,
  classCount: number,
  k: number,
): Uint8Array {
  const number = (name: string, value: number): GraphConstant => ({
    name,
    shape: [1],
    data: BigInt64Array.of(BigInt(value)),
  });
  return head(
    examples.columns,
    classCount,
    [
      leastLength,
      { name: 'examples', shape: [examples.rows, examples.columns], data: examples.data },
      {
        name: 'classes',
        shape: [classes.length],
        data: BigInt64Array.from(classes, (value) => BigInt(value)),
      },
      number('k', Math.min(k, examples.rows)),
      number('axis', 1),
      number('depth', classCount),
      { name: 'least_weight', shape: [1], data: Float32Array.of(1e-6) },
      { name: 'off_on', shape: [2], data: Float32Array.of(0, 1) },
    ],
    [
      ...unitVectors,
      { operator: 'Gemm', inputs: ['unit', 'examples'], outputs: ['cosines'], attributes: { transB: 1 } },
      { operator: 'TopK', inputs: ['cosines', 'k'], outputs: ['nearest', 'places'] },
      { operator: 'Max', inputs: ['nearest', 'least_weight'], outputs: ['weights'] },
      { operator: 'Gather', inputs: ['classes', 'places'], outputs: ['voted'] },
      { operator: 'OneHot', inputs: ['voted', 'depth', 'off_on'], outputs: ['ballots'] },
      { operator: 'Unsqueeze', inputs: ['weights', 'axis'], outputs: ['one_row'] },
      { operator: 'MatMul', inputs: ['one_row', 'ballots'], outputs: ['votes'] },
      { operator: 'Squeeze', inputs: ['votes', 'axis'], outputs: ['scores'] },
      { operator: 'ReduceSum', inputs: ['scores', 'axis'], outputs: ['all'], attributes: { keepdims: 1 } },
      { operator: 'Div', inputs: ['scores', 'all'], outputs: ['probabilities'] },
    ],
  );
}

const softmax: GraphNode = {
  operator: 'Softmax',
  inputs: ['scores'],
  outputs: ['probabilities'],
  attributes: { axis: 1 },
};

/** Vectors of zeros stay zeros. */
const leastLength: GraphConstant = { name: 'least_length', shape: [1], data: Float32Array.of(1e-12) };
const unitVectors: GraphNode[] = [
  {
    operator: 'ReduceL2',
    inputs: ['vectors'],
    outputs: ['lengths'],
    attributes: { axes: [1], keepdims: 1 },
  },
  { operator: 'Max', inputs: ['lengths', 'least_length'], outputs: ['divisors'] },
  { operator: 'Div', inputs: ['vectors', 'divisors'], outputs: ['unit'] },
];

function head(
  dimensions: number,
  classes: number,
  constants: readonly GraphConstant[],
  nodes: readonly GraphNode[],
): Uint8Array {
  return encodeModel({
    name: 'head',
    constants,
    nodes,
    inputs: [{ name: 'vectors', shape: ['rows', dimensions] }],
    outputs: [
      { name: 'scores', shape: ['rows', classes] },
      { name: 'probabilities', shape: ['rows', classes] },
    ],
  });
}
