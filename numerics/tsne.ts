import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import { type Neighbours, nearestNeighbours } from './neighbours.ts';
import { pca, project } from './pca.ts';
import { Quadtree } from './quadtree.ts';
import type { Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface TsneOptions {
  matrix: MatrixView;
  metric: Metric;
  /** How many neighbours count for a row; at most a third of the rows. */
  perplexity: number;
  epochs: number;
  seed: number;
}

/** As scikit-learn has them: how long, and how much, affinities are exaggerated, and the momentum then and afterwards. */
const exaggeratedEpochs = 250;
const exaggeration = 12;
const momenta = [0.5, 0.8] as const;
const initialDeviation = 1e-4;
/** Axes of wide vectors are fitted on a sample. */
const pcaSample = 2000;

/**
 * t-SNE into two dimensions (van der Maaten & Hinton 2008) by Barnes and Hut's approximation with θ = 0.5 (van der Maaten
 * 2014), with the defaults of scikit-learn: start from principal components, learning rate max(n/48, 50), exaggeration 12 for
 * the first 250 epochs. Neighbours are exact. Time n² for these, then n·log n an epoch on one thread.
 */
export async function tsne(options: TsneOptions, workers: Workers): Promise<MatrixView> {
  const { matrix, metric } = options;
  const count = Math.max(1, Math.floor(3 * options.perplexity));
  const neighbours = await nearestNeighbours({ matrix, metric, count }, workers);
  return workers.run<unknown, MatrixView>(moduleUrl, 'tsneLayout', { ...options, neighbours });
}

/** The layout of rows whose neighbours are known. */
export function tsneLayout(options: TsneOptions & { neighbours: Neighbours }): MatrixView {
  const { matrix, epochs } = options;
  const { rows } = matrix;
  const layout = startOf(options);
  const places = { data: layout, rows, columns: 2 };
  if (rows < 2) return { ...places, data: Float32Array.from(layout) };
  const { starts, others, weights } = affinities(options);
  const rate = Math.max(rows / exaggeration / 4, 50);
  const gains = new Float64Array(rows * 2).fill(1);
  const moves = new Float64Array(rows * 2);
  const forces = new Float64Array(rows * 2);
  const tree = new Quadtree(rows);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const early = epoch < exaggeratedEpochs;
    const scale = early ? exaggeration : 1;
    // The second stage starts at rest, as scikit-learn's does: the pull drops at once.
    if (epoch === exaggeratedEpochs) {
      gains.fill(1);
      moves.fill(0);
    }
    tree.build(layout);
    const total = tree.repulsion(layout, forces);
    for (let row = 0; row < rows; row++) {
      const [x, y] = [layout[row * 2]!, layout[row * 2 + 1]!];
      let [pullX, pullY] = [0, 0];
      for (let at = starts[row]!; at < starts[row + 1]!; at++) {
        const other = others[at]! * 2;
        const [dx, dy] = [x - layout[other]!, y - layout[other + 1]!];
        const strength = weights[at]! / (1 + dx * dx + dy * dy);
        pullX += strength * dx;
        pullY += strength * dy;
      }
      forces[row * 2] = 4 * (scale * pullX - forces[row * 2]! / total);
      forces[row * 2 + 1] = 4 * (scale * pullY - forces[row * 2 + 1]! / total);
    }
    const momentum = momenta[early ? 0 : 1];
    for (let at = 0; at < forces.length; at++) {
      const force = forces[at]!;
      // Jacobs (1988): slower where the sign changes, faster where it stays.
      const gain = force * moves[at]! < 0 ? gains[at]! + 0.2 : Math.max(0.01, gains[at]! * 0.8);
      gains[at] = gain;
      moves[at] = momentum * moves[at]! - rate * gain * force;
      layout[at]! += moves[at]!;
    }
  }
  return { ...places, data: Float32Array.from(layout) };
}

/** The first two principal components, so small that nothing is decided yet. */
function startOf({ matrix, seed }: TsneOptions): Float64Array {
  const { rows, columns } = matrix;
  const layout = new Float64Array(rows * 2);
  if (rows === 0 || columns === 0) return layout;
  const count = Math.min(2, columns);
  const found = project(matrix, pca({ matrix, count, sampleSize: pcaSample, seed }));
  let square = 0;
  for (let row = 0; row < rows; row++) square += found[row * count]! ** 2;
  const scale = square > 0 ? initialDeviation / Math.sqrt(square / rows) : 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < count; column++)
      layout[row * 2 + column] = found[row * count + column]! * scale;
  return layout;
}

/** Symmetric affinities that sum to one, as a sparse matrix. */
function affinities({ matrix, metric, perplexity, neighbours }: TsneOptions & { neighbours: Neighbours }) {
  const { rows } = matrix;
  const { count, indices, distances } = neighbours;
  const target = Math.log(Math.min(perplexity, Math.max(1, count)));
  const sums = new Map<number, number>();
  const own = new Float64Array(count);
  for (let row = 0; row < rows; row++) {
    const base = row * count;
    const square = (at: number) =>
      metric === 'cosine' ? 2 * distances[base + at]! : distances[base + at]! ** 2;
    let [low, high, precision] = [0, Number.POSITIVE_INFINITY, 1 / (square(count - 1) || 1)];
    let sum = 0;
    for (let round = 0; round < 100; round++) {
      sum = 0;
      let weighted = 0;
      for (let at = 0; at < count; at++) {
        // Relative to the nearest, so that the greatest is 1 and nothing underflows altogether.
        const difference = square(at) - square(0);
        own[at] = Math.exp(-precision * difference);
        sum += own[at]!;
        weighted += own[at]! * difference;
      }
      const entropy = Math.log(sum) + (precision * weighted) / sum;
      if (Math.abs(entropy - target) < 1e-5) break;
      if (entropy > target) {
        low = precision;
        precision = high === Number.POSITIVE_INFINITY ? precision * 2 : (precision + high) / 2;
      } else {
        high = precision;
        precision = (precision + low) / 2;
      }
    }
    for (let at = 0; at < count; at++) {
      const other = indices[base + at]!;
      const key = row < other ? row * rows + other : other * rows + row;
      sums.set(key, (sums.get(key) ?? 0) + own[at]! / sum / (2 * rows));
    }
  }
  const starts = new Int32Array(rows + 1);
  for (const key of sums.keys()) {
    starts[Math.floor(key / rows) + 1]!++;
    starts[(key % rows) + 1]!++;
  }
  for (let row = 0; row < rows; row++) starts[row + 1]! += starts[row]!;
  const next = starts.slice();
  const others = new Int32Array(sums.size * 2);
  const weights = new Float64Array(sums.size * 2);
  for (const [key, weight] of sums) {
    const [a, b] = [Math.floor(key / rows), key % rows];
    others[next[a]!] = b;
    weights[next[a]!++] = weight;
    others[next[b]!] = a;
    weights[next[b]!++] = weight;
  }
  return { starts, others, weights };
}
