import graphology from 'graphology';
import louvainModule from 'graphology-communities-louvain';
import { uniform } from './random.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

// A CommonJS module whose type declarations say that it is none.
const louvain = louvainModule as unknown as typeof louvainModule.default;

export interface Communities {
  /** Community of each node, from 0 in order of first nodes. */
  labels: Int32Array;
  count: number;
  /** Share of the edges' weight inside communities, less what chance would put there (Newman 2006). */
  modularity: number;
}

/**
 * Communities of a graph of nearest neighbours, each edge with the Jaccard similarity of the two rows' neighbourhoods as its
 * weight (PhenoGraph: Levine et al. 2015), by the Louvain method (Blondel et al. 2008; graphology). `indices`: the `count`
 * nearest rows of each row. Greater resolutions make more communities. A row without edges is alone in one.
 */
export function neighbourCommunities(options: {
  indices: Int32Array;
  rows: number;
  count: number;
  resolution: number;
  seed: number;
}): Communities {
  const { indices, rows, count, resolution, seed } = options;
  const { UndirectedGraph } = graphology;
  const graph = new UndirectedGraph();
  for (let row = 0; row < rows; row++) graph.addNode(row);
  const near = (row: number) => indices.subarray(row * count, (row + 1) * count);
  const own = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    for (const other of near(row)) own[other] = row;
    // A row is in its own neighbourhood, so that neighbours of each other always share two.
    own[row] = row;
    for (const other of near(row)) {
      if (graph.hasEdge(row, other)) continue;
      let shared = own[other] === row ? 1 : 0;
      for (const third of near(other)) if (own[third] === row) shared++;
      graph.addEdge(row, other, { weight: shared / (2 * (count + 1) - shared) });
    }
  }
  if (graph.size === 0)
    return { labels: Int32Array.from({ length: rows }, (_, row) => row), count: rows, modularity: 0 };
  const found = louvain.detailed(graph, {
    getEdgeWeight: 'weight',
    resolution,
    rng: uniform(seed),
    randomWalk: true,
  });
  const numbers = new Map<number, number>();
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const community = found.communities[row]!;
    const number = numbers.get(community) ?? numbers.size;
    numbers.set(community, number);
    return number;
  });
  return { labels, count: numbers.size, modularity: found.modularity };
}
