import type { Merges } from './single-linkage.ts';

/**
 * The hierarchy of density clusters (Campello, Moulavi & Sander 2013): clusters that points fall out of as the level
 * λ = 1/distance rises, until they split in two of at least `minClusterSize` points, or vanish. Cluster 0 is the
 * root, with all points; a cluster's number is above its parent's.
 */
export interface CondensedTree {
  /** By cluster: its parent (−1 of the root), the λ at which it came to be, its size then. */
  parents: Int32Array;
  births: Float64Array;
  sizes: Int32Array;
  /** By point: the cluster that it was in last, and the λ at which it fell out. */
  lastCluster: Int32Array;
  lambdas: Float64Array;
}

/**
 * Condenses the hierarchy of so many points. Points at distance 0 never part: λ is then twice the largest finite one, so that sums stay
 * finite (the reference implementations have ∞ there, which makes any group of equal points the best cluster).
 */
export function condense(merges: Merges, points: number, minClusterSize: number): CondensedTree {
  const { left, right, distances, sizes } = merges;
  let nearest = Number.POSITIVE_INFINITY;
  for (const distance of distances) if (distance > 0 && distance < nearest) nearest = distance;
  const cap = nearest === Number.POSITIVE_INFINITY ? 1 : 2 / nearest;
  const parents = [-1];
  const births = [0];
  const clusterSizes = [points];
  const lastCluster = new Int32Array(points);
  const lambdas = new Float64Array(points);
  const sizeOf = (node: number) => (node < points ? 1 : sizes[node - points]!);

  const drop = (node: number, cluster: number, lambda: number): void => {
    const stack = [node];
    while (stack.length > 0) {
      const at = stack.pop()!;
      if (at < points) {
        lastCluster[at] = cluster;
        lambdas[at] = lambda;
      } else stack.push(left[at - points]!, right[at - points]!);
    }
  };
  let level = points > 1 ? [{ node: 2 * points - 2, cluster: 0 }] : [];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { node, cluster } of level) {
      const merge = node - points;
      const lambda = distances[merge]! > 0 ? 1 / distances[merge]! : cap;
      const children = [left[merge]!, right[merge]!];
      const splits = children.every((child) => sizeOf(child) >= minClusterSize);
      for (const child of children) {
        if (sizeOf(child) < minClusterSize) drop(child, cluster, lambda);
        else if (splits) {
          parents.push(cluster);
          births.push(lambda);
          clusterSizes.push(sizeOf(child));
          next.push({ node: child, cluster: parents.length - 1 });
        } else next.push({ node: child, cluster });
      }
    }
    level = next;
  }
  return {
    parents: Int32Array.from(parents),
    births: Float64Array.from(births),
    sizes: Int32Array.from(clusterSizes),
    lastCluster,
    lambdas,
  };
}

/** Of each cluster, the largest λ at which a point fell out of it or it split. */
export function deaths({ parents, births, lastCluster, lambdas }: CondensedTree): Float64Array {
  const most = new Float64Array(parents.length);
  for (let cluster = 1; cluster < parents.length; cluster++) {
    const parent = parents[cluster]!;
    most[parent] = Math.max(most[parent]!, births[cluster]!);
  }
  lastCluster.forEach((cluster, point) => {
    most[cluster] = Math.max(most[cluster]!, lambdas[point]!);
  });
  return most;
}

/** Σ (λ − birth) over the points of each cluster: how much it stands out, and for how long. */
export function stabilities({ parents, births, sizes, lastCluster, lambdas }: CondensedTree): Float64Array {
  const sums = new Float64Array(parents.length);
  lastCluster.forEach((cluster, point) => {
    sums[cluster]! += lambdas[point]! - births[cluster]!;
  });
  for (let cluster = 1; cluster < parents.length; cluster++) {
    const parent = parents[cluster]!;
    sums[parent]! += (births[cluster]! - births[parent]!) * sizes[cluster]!;
  }
  return sums;
}
