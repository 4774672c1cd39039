import type { Neighbours } from './neighbours.ts';

/** Weighted edges; an undirected one stands in both directions. */
export interface Edges {
  from: Int32Array;
  to: Int32Array;
  weights: Float64Array;
}

interface Kernel {
  /** Distance up to which a neighbour belongs wholly, and the scale beyond it, by row. */
  rhos: Float64Array;
  sigmas: Float64Array;
}

/**
 * Local scales (McInnes, Healy & Melville 2018, algorithm 3): σ so that the memberships of a row's neighbours sum to
 * log₂ k, k counting the row itself if `selfCounts`. Distances are to other rows, nearest first.
 */
export function localScales(
  { count, distances }: Neighbours,
  options: { localConnectivity: boolean; selfCounts: boolean },
): Kernel {
  const rows = count > 0 ? distances.length / count : 0;
  const rhos = new Float64Array(rows);
  const sigmas = new Float64Array(rows);
  const target = Math.log2(count + (options.selfCounts ? 1 : 0));
  let total = 0;
  for (const distance of distances) total += distance;
  const meanOfAll = total / Math.max(1, distances.length);
  // Where the row is not among its neighbours, the nearest one is left out of the sum in its place, as in umap-learn.
  const first = options.selfCounts ? 0 : 1;
  for (let row = 0; row < rows; row++) {
    const own = distances.subarray(row * count, (row + 1) * count);
    const rho = options.localConnectivity ? (own.find((distance) => distance > 0) ?? 0) : 0;
    let [low, high, sigma] = [0, Number.POSITIVE_INFINITY, 1];
    for (let round = 0; round < 64; round++) {
      let sum = 0;
      for (let at = first; at < count; at++) {
        const beyond = own[at]! - rho;
        sum += beyond > 0 ? Math.exp(-beyond / sigma) : 1;
      }
      if (Math.abs(sum - target) < 1e-5) break;
      if (sum > target) {
        high = sigma;
        sigma = (low + high) / 2;
      } else {
        low = sigma;
        sigma = high === Number.POSITIVE_INFINITY ? sigma * 2 : (low + high) / 2;
      }
    }
    let mean = meanOfAll;
    if (rho > 0) {
      mean = 0;
      for (const distance of own) mean += distance;
      mean /= count + (options.selfCounts ? 1 : 0);
    }
    rhos[row] = rho;
    sigmas[row] = Math.max(sigma, 1e-3 * mean);
  }
  return { rhos, sigmas };
}

/** Directed edges from each row to its neighbours, weighted by membership: exp(−max(0, d − ρ)/σ). */
export function memberships({ count, indices, distances }: Neighbours, { rhos, sigmas }: Kernel): Edges {
  const from = Int32Array.from(indices, (_, at) => Math.floor(at / count));
  const weights = Float64Array.from(indices, (_, at) => {
    const row = from[at]!;
    const beyond = distances[at]! - rhos[row]!;
    return beyond <= 0 || sigmas[row] === 0 ? 1 : Math.exp(-beyond / sigmas[row]!);
  });
  return { from, to: indices, weights };
}

/**
 * The fuzzy union of the rows' neighbourhoods: w + w' − w·w' for the two directions of a pair. Both directions of each
 * edge are in the result, in the order of rows and then of neighbours.
 */
export function fuzzyUnion({ from, to, weights }: Edges, rows: number): Edges {
  const there = Array.from({ length: rows }, () => new Map<number, number>());
  from.forEach((row, at) => {
    const weight = weights[at]!;
    if (weight <= 0) return;
    there[row]!.set(to[at]!, weight);
  });
  const joined = there.map((own) => new Map(own));
  there.forEach((own, row) => {
    for (const [other, weight] of own) {
      const back = there[other]!.get(row) ?? 0;
      const both = weight + back - weight * back;
      joined[row]!.set(other, both);
      joined[other]!.set(row, both);
    }
  });
  const size = joined.reduce((sum, own) => sum + own.size, 0);
  const edges: Edges = {
    from: new Int32Array(size),
    to: new Int32Array(size),
    weights: new Float64Array(size),
  };
  let at = 0;
  joined.forEach((own, row) => {
    for (const [other, weight] of [...own].sort(([a], [b]) => a - b)) {
      edges.from[at] = row;
      edges.to[at] = other;
      edges.weights[at++] = weight;
    }
  });
  return edges;
}
