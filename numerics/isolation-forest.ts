import type { MatrixView } from './matrix-product.ts';
import { sampleIndices, uniform, words } from './random.ts';
import { sharedFloats } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface IsolationForestOptions {
  matrix: MatrixView;
  /** Trees. */
  estimators: number;
  /** Rows that a tree is made of, at most. */
  samples: number;
  seed: number;
}

/** A tree, node by node; the first is the root. */
interface Tree {
  /** Column that a node cuts; −1 for a leaf. */
  column: Int32Array;
  /** Rows up to this value go to the first child, the others to the one after it. */
  threshold: Float32Array;
  child: Int32Array;
  /** Of a leaf: its depth, and the mean depth that its rows would have if they were cut on. */
  depth: Float64Array;
}

/**
 * How easily each row is cut off from the others by random cuts (Liu, Ting & Zhou 2008): 2^(−mean depth / c(samples)), near 1 for an
 * outlier and below 0.5 for rows amid others; scikit-learn's `-score_samples`. The same for a seed with any number of threads.
 * Time rows · estimators · log samples; 0.5 for rows that are all alike.
 */
export async function isolationScores(
  options: IsolationForestOptions,
  workers: Workers,
): Promise<Float64Array> {
  const { rows, columns } = options.matrix;
  const scores = new Float64Array(rows);
  if (rows === 0) return scores;
  const size = Math.min(options.samples, rows);
  const next = words(options.seed);
  const trees = Array.from({ length: options.estimators }, () => grow(options.matrix, size, next()));
  const matrix = { data: sharedFloats(rows * columns), rows, columns };
  matrix.data.set(options.matrix.data);
  const parts = await inParts<Float64Array>(workers, moduleUrl, 'depthsOfPart', rows, (from, to) => ({
    matrix,
    trees,
    from,
    to,
  }));
  const usual = meanDepth(size);
  let row = 0;
  for (const part of parts) for (const depth of part) scores[row++] = usual > 0 ? 2 ** (-depth / usual) : 0.5;
  return scores;
}

/** Mean depths of the rows `from` to `to` in all trees. */
export function depthsOfPart({
  matrix: { data, columns },
  trees,
  from,
  to,
}: {
  matrix: MatrixView;
  trees: Tree[];
  from: number;
  to: number;
}): Float64Array {
  const depths = new Float64Array(to - from);
  for (const { column, threshold, child, depth } of trees)
    for (let row = from; row < to; row++) {
      let node = 0;
      while (column[node]! >= 0)
        node = child[node]! + (data[row * columns + column[node]!]! > threshold[node]! ? 1 : 0);
      depths[row - from]! += depth[node]!;
    }
  return depths.map((sum) => sum / trees.length);
}

function grow({ data, rows, columns }: MatrixView, size: number, seed: number): Tree {
  const next = uniform(seed);
  const sample = sampleIndices(rows, size, seed);
  const deepest = Math.ceil(Math.log2(Math.max(2, size)));
  const column: number[] = [-1];
  const threshold: number[] = [0];
  const child: number[] = [0];
  const depths: number[] = [0];
  // Nodes to make: their place, and the part of the sample that is in them.
  const open = [{ node: 0, from: 0, to: size, depth: 0 }];
  for (let task = open.pop(); task; task = open.pop()) {
    const { node, from, to, depth } = task;
    const cut = depth < deepest && to - from > 1 ? chooseCut(from, to) : undefined;
    if (!cut) {
      depths[node] = depth + meanDepth(to - from);
      continue;
    }
    let middle = from;
    for (let at = from; at < to; at++) {
      const row = sample[at]!;
      if (data[row * columns + cut.column]! > cut.threshold) continue;
      sample[at] = sample[middle]!;
      sample[middle++] = row;
    }
    column[node] = cut.column;
    threshold[node] = cut.threshold;
    child[node] = column.length;
    for (let side = 0; side < 2; side++) {
      open.push({
        node: column.length,
        from: side === 0 ? from : middle,
        to: side === 0 ? middle : to,
        depth: depth + 1,
      });
      column.push(-1);
      threshold.push(0);
      child.push(0);
      depths.push(0);
    }
  }
  return {
    column: Int32Array.from(column),
    threshold: Float32Array.from(threshold),
    child: Int32Array.from(child),
    depth: Float64Array.from(depths),
  };

  /** A random column in which the rows differ, and a random value between its least and greatest. */
  function chooseCut(from: number, to: number): { column: number; threshold: number } | undefined {
    const left = Int32Array.from({ length: columns }, (_, index) => index);
    for (let remaining = columns; remaining > 0; remaining--) {
      const place = Math.floor(next() * remaining);
      const chosen = left[place]!;
      let least = Number.POSITIVE_INFINITY;
      let most = Number.NEGATIVE_INFINITY;
      for (let at = from; at < to; at++) {
        const value = data[sample[at]! * columns + chosen]!;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
      if (most > least) {
        const value = Math.fround(least + next() * (most - least));
        // A rounded value may be the greatest itself: then no row would be above it.
        return { column: chosen, threshold: value < most ? value : least };
      }
      left[place] = left[remaining - 1]!;
    }
    return undefined;
  }
}

/** c(n): the mean depth of an unsuccessful search in a binary search tree of n nodes (equation 1 of the paper). */
function meanDepth(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + 0.577_215_664_901_532_9) - (2 * (n - 1)) / n;
}
