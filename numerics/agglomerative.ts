import type { MatrixView } from './matrix-product.ts';
import { distanceOf, type Metric, metricSpace } from './metric-space.ts';
import { nearestInSpace } from './neighbours.ts';
import { pairDistances } from './pair-distances.ts';
import { reachabilityTree, type SpanningTree } from './spanning-tree.ts';
import { UnionFind } from './union-find.ts';
import type { Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export type Linkage = 'ward' | 'average' | 'complete' | 'single';

/** Rows, at most, of the linkages that keep all distances: 4·n² bytes, 1 GB. */
export const mostRows = 16_000;

export interface AgglomerativeOptions {
  matrix: MatrixView;
  linkage: Linkage;
  /** Ward's linkage is defined for `euclidean` only. */
  metric: Metric;
  /** Where to stop: so many clusters, or merges at this distance or above. */
  until: { clusters: number } | { distance: number };
}

export interface AgglomerativeResult {
  /** Cluster of each row, numbered in the order of their first rows. */
  labels: Int32Array;
  clusters: number;
  /** Distances of all n − 1 merges, rising. */
  distances: Float64Array;
  /** The merges, each by one row of the two clusters, in order of distance. */
  tree: SpanningTree;
}

/**
 * Hierarchical clustering from single rows up, by the linkages of scikit-learn and scipy; a merge's distance is theirs
 * (for Ward √(2·wₐw_b/(wₐ+w_b))·|a − b|). The same on every machine with any number of threads.
 *
 * Single linkage is a spanning tree: memory n·d. The others use the nearest-neighbour chain (Müllner 2011) over all
 * distances: time n², memory 4·n² bytes, and a RangeError above `mostRows` rows.
 */
export async function agglomerate(
  options: AgglomerativeOptions,
  workers: Workers,
): Promise<AgglomerativeResult> {
  const { matrix, linkage, metric } = options;
  const tree =
    linkage === 'single'
      ? await singleTree(matrix, metric, workers)
      : await workers.run<unknown, SpanningTree>(moduleUrl, 'chainTree', {
          matrix,
          linkage,
          metric,
          threads: workers.threads,
        });
  return { ...cutTree(tree, matrix.rows, options.until), distances: tree.weights, tree };
}

async function singleTree(matrix: MatrixView, metric: Metric, workers: Workers): Promise<SpanningTree> {
  const space = metricSpace(matrix, metric);
  const neighbours = await nearestInSpace(space, 16, workers);
  const tree = await reachabilityTree(space, new Float64Array(matrix.rows), neighbours, workers);
  return { ...tree, weights: tree.weights.map((square) => distanceOf(metric, square)) };
}

/** The clusters that are there when merging stops; labels are numbered in the order of their first rows. */
export function cutTree(
  { from, to, weights }: SpanningTree,
  rows: number,
  until: AgglomerativeOptions['until'],
): Pick<AgglomerativeResult, 'labels' | 'clusters'> {
  const sets = new UnionFind(rows);
  for (let at = 0; at < weights.length; at++) {
    if ('clusters' in until ? sets.count <= until.clusters : weights[at]! >= until.distance) break;
    sets.union(from[at]!, to[at]!);
  }
  const numbers = new Map<number, number>();
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const root = sets.find(row);
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  });
  return { labels, clusters: numbers.size };
}

/** The merges, each by one row of the two clusters, in order of distance. */
export async function chainTree(
  options: Pick<AgglomerativeOptions, 'matrix' | 'metric'> & {
    linkage: Exclude<Linkage, 'single'>;
    threads: number;
  },
): Promise<SpanningTree> {
  const { matrix, linkage, metric, threads } = options;
  if (matrix.rows > mostRows)
    throw new RangeError(
      `${linkage} linkage keeps all distances: ${matrix.rows} rows are more than ${mostRows}`,
    );
  const squared = linkage === 'ward';
  if (squared && metric !== 'euclidean') throw new RangeError('ward linkage takes Euclidean distances');
  const distances = await pairDistances(metricSpace(matrix, metric), { squared, threads });
  const merges = nearestChain(distances, matrix.rows, linkage);
  merges.sort((a, b) => a.distance - b.distance);
  return {
    from: Int32Array.from(merges, (merge) => merge.a),
    to: Int32Array.from(merges, (merge) => merge.b),
    weights: Float64Array.from(merges, ({ distance }) => (squared ? Math.sqrt(distance) : distance)),
  };
}

/**
 * Merges by following nearest neighbours until two clusters are each other's; uses up the distances, [rows, rows], which are
 * squared for Ward. `weights`: what each item counts for. Merges are not in order of distance.
 */
export function nearestChain(
  values: Float32Array | Float64Array,
  rows: number,
  linkage: Exclude<Linkage, 'single'>,
  weights = new Float64Array(rows).fill(1),
): { a: number; b: number; distance: number }[] {
  // The clusters that are left, in rising order.
  let alive = Int32Array.from({ length: rows }, (_, row) => row);
  const gone = new Uint8Array(rows);
  const merges: { a: number; b: number; distance: number }[] = [];
  const chain: number[] = [];
  for (let left = rows; left > 1; ) {
    if (chain.length === 0) chain.push(alive.find((cluster) => gone[cluster] === 0)!);
    const top = chain.at(-1)!;
    const previous = chain.at(-2) ?? -1;
    let nearest = previous;
    let least = previous < 0 ? Number.POSITIVE_INFINITY : values[top * rows + previous]!;
    for (let index = 0; index < alive.length; index++) {
      const other = alive[index]!;
      if (gone[other] === 1 || other === top) continue;
      const distance = values[top * rows + other]!;
      // At equal distances the one before in the chain is kept, so that chains end.
      if (distance < least) {
        least = distance;
        nearest = other;
      }
    }
    if (nearest !== previous) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    merges.push({ a: top, b: nearest, distance: least });
    const [wa, wb] = [weights[top]!, weights[nearest]!];
    gone[nearest] = 1;
    weights[top] = wa + wb;
    left--;
    // Lance & Williams (1967).
    for (let index = 0; index < alive.length; index++) {
      const other = alive[index]!;
      if (gone[other] === 1 || other === top) continue;
      const da = values[top * rows + other]!;
      const db = values[nearest * rows + other]!;
      let joined: number;
      if (linkage === 'complete') joined = Math.max(da, db);
      else if (linkage === 'average') joined = (wa * da + wb * db) / (wa + wb);
      else {
        const w = weights[other]!;
        joined = ((wa + w) * da + (wb + w) * db - w * least) / (wa + wb + w);
      }
      values[top * rows + other] = joined;
      values[other * rows + top] = joined;
    }
    if (left < alive.length / 2) alive = alive.filter((cluster) => gone[cluster] === 0);
  }
  return merges;
}
