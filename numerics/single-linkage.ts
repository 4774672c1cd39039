import type { SpanningTree } from './spanning-tree.ts';
import { UnionFind } from './union-find.ts';

/** Merges of n points, in order: node n + i joins `left[i]` and `right[i]` (points are nodes below n). */
export interface Merges {
  left: Int32Array;
  right: Int32Array;
  distances: Float64Array;
  /** Points below each merge. */
  sizes: Int32Array;
}

/** The single-linkage hierarchy of a spanning tree whose edges are in order of weight; `distances` are the weights. */
export function singleLinkage(tree: SpanningTree): Merges {
  const merges = tree.weights.length;
  const n = merges + 1;
  const sets = new UnionFind(n);
  const nodes = Int32Array.from({ length: n }, (_, point) => point);
  const [left, right, sizes] = [new Int32Array(merges), new Int32Array(merges), new Int32Array(merges)];
  for (let at = 0; at < merges; at++) {
    const [a, b] = [sets.find(tree.from[at]!), sets.find(tree.to[at]!)];
    left[at] = nodes[a]!;
    right[at] = nodes[b]!;
    sets.union(a, b);
    const joined = sets.find(a);
    nodes[joined] = n + at;
    sizes[at] = sets.sizeOf(joined);
  }
  return { left, right, distances: tree.weights, sizes };
}
