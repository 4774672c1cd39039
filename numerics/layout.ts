import type { Edges } from './fuzzy-graph.ts';
import { words } from './random.ts';
import type { Curve } from './umap-curve.ts';

/** Table entries for each doubling of the squared distance: forces are right to about 0.1 %. */
const perOctave = 256;
const leastExponent = -24;
const octaves = 40;

export interface LayoutOptions {
  /** Points that move, [rows, dimensions] row-major; changed in place. */
  points: Float32Array;
  /** Points that the edges' other ends and random points are taken from: the same array, or one that stays. */
  anchors: Float32Array;
  dimensions: number;
  edges: Edges;
  curve: Curve;
  epochs: number;
  learningRate: number;
  /** Random points that each pulled point is pushed away from. */
  negativeSamples: number;
  repulsion: number;
  seed: number;
}

/**
 * Stochastic gradient descent on the cross-entropy between graph and layout, with negative sampling (McInnes, Healy &
 * Melville 2018, algorithm 5): an edge is drawn together as often as its weight says, its first end pushed away from
 * random points each time. One thread, in a fixed order: the same seed gives the same layout on every machine. Forces
 * come from tables, since powers would take most of the time.
 */
export function optimizeLayout(options: LayoutOptions): void {
  const { points, anchors, dimensions, edges, epochs, negativeSamples, learningRate } = options;
  const attraction = forceTable(
    ({ a, b }, square) => (-2 * a * b * square ** (b - 1)) / (a * square ** b + 1),
    options,
  );
  const repulsion = forceTable(
    ({ a, b }, square) => (2 * options.repulsion * b) / ((0.001 + square) * (a * square ** b + 1)),
    options,
  );
  const bits = new Float32Array(1);
  const bitsOf = new Int32Array(bits.buffer);
  const lastEntry = octaves * perOctave - 1;
  const entry = (square: number): number => {
    bits[0] = square;
    const at = (bitsOf[0]! >> 15) - (127 + leastExponent) * perOctave;
    return at < 0 ? 0 : at > lastEntry ? lastEntry : at;
  };
  // Halved below: a remainder of 31 bits is a whole-number operation, several times faster.
  const next = words(options.seed);
  const anchorCount = anchors.length / dimensions;
  const both = anchors === points;
  const { every, heads, tails } = schedule(edges, epochs);
  const due = every.slice();
  const everyNegative = every.map((interval) => interval / negativeSamples);
  const dueNegative = everyNegative.slice();

  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = learningRate * (1 - epoch / epochs);
    for (let edge = 0; edge < heads.length; edge++) {
      if (due[edge]! > epoch) continue;
      const head = heads[edge]! * dimensions;
      const tail = tails[edge]! * dimensions;
      let square = 0;
      for (let d = 0; d < dimensions; d++) square += (points[head + d]! - anchors[tail + d]!) ** 2;
      if (square > 0) {
        const force = attraction[entry(square)]!;
        for (let d = 0; d < dimensions; d++) {
          const move = rate * clipped(force * (points[head + d]! - anchors[tail + d]!));
          points[head + d]! += move;
          if (both) anchors[tail + d]! -= move;
        }
      }
      due[edge]! += every[edge]!;
      const pushes = Math.floor((epoch - dueNegative[edge]!) / everyNegative[edge]!);
      for (let push = 0; push < pushes; push++) {
        const other = ((next() >>> 1) % anchorCount) * dimensions;
        square = 0;
        for (let d = 0; d < dimensions; d++) square += (points[head + d]! - anchors[other + d]!) ** 2;
        if (square === 0) continue;
        const force = repulsion[entry(square)]!;
        for (let d = 0; d < dimensions; d++)
          points[head + d]! += rate * clipped(force * (points[head + d]! - anchors[other + d]!));
      }
      if (pushes > 0) dueNegative[edge]! += pushes * everyNegative[edge]!;
    }
  }
}

/** Epochs between two turns of each edge. Edges too light for a turn are left out. */
function schedule({ from, to, weights }: Edges, epochs: number) {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const kept = [...weights.keys()].filter((at) => weights[at]! > 0 && weights[at]! >= heaviest / epochs);
  return {
    every: Float64Array.from(kept, (at) => heaviest / weights[at]!),
    heads: Int32Array.from(kept, (at) => from[at]!),
    tails: Int32Array.from(kept, (at) => to[at]!),
  };
}

function clipped(value: number): number {
  return value > 4 ? 4 : value < -4 ? -4 : value;
}

/** Values of a function of the squared distance, in the middle of each step of a float's upper bits. */
function forceTable(
  force: (curve: Curve, square: number) => number,
  { curve }: Pick<LayoutOptions, 'curve'>,
): Float64Array {
  return Float64Array.from({ length: octaves * perOctave }, (_, at) => {
    const octave = Math.floor(at / perOctave);
    const square = 2 ** (leastExponent + octave) * (1 + ((at % perOctave) + 0.5) / perOctave);
    return force(curve, square);
  });
}
