import { leiden, modularity } from './leiden.ts';
import { neighbourGraph } from './neighbour-graph.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface Communities {
  /** Community of each node, from 0 in order of first nodes. */
  labels: Int32Array;
  count: number;
  /** Share of the edges' weight inside communities, less `resolution` times what chance would put there (Newman 2006). */
  modularity: number;
}

/**
 * Communities of the graph of nearest neighbours (`indices`: the `count` nearest rows of each row) by the Leiden algorithm, or the Louvain
 * method (Blondel et al. 2008). A row without edges is alone in one.
 */
export function neighbourCommunities(options: {
  indices: Int32Array;
  rows: number;
  count: number;
  method: 'leiden' | 'louvain';
  resolution: number;
  seed: number;
}): Communities {
  const { method, resolution, seed } = options;
  const graph = neighbourGraph(options);
  const labels = leiden({ graph, resolution, seed, refine: method === 'leiden' });
  return {
    labels,
    count: labels.reduce((most, label) => Math.max(most, label + 1), 0),
    modularity: modularity(graph, labels, resolution),
  };
}
