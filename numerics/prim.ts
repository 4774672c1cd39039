import type { Neighbours } from './neighbours.ts';
import type { Edge, SpanningTree } from './spanning-tree.ts';

/**
 * The minimum spanning tree of the mutual reachability graph that Prim's algorithm finds from point 0, given the
 * neighbours and any one minimum spanning tree. Among equal edges, which there are many of, since a core distance is the
 * weight of several, the point with the lowest number comes first and then the source that was reached first, as in
 * scikit-learn and hdbscan: the hierarchy, and so the clusters, depend on it.
 *
 * Neighbours and the given tree are all it takes: an edge of equal weight that could stand in for one of the tree is that
 * of a point with one within its core distance, or of rows that are equal.
 */
export function primTree(
  cores: Float64Array,
  { count, indices, distances }: Neighbours,
  known: readonly Edge[],
): SpanningTree {
  const n = cores.length;
  const adjacent: Edge[][] = Array.from({ length: n }, () => []);
  const connect = (from: number, to: number, weight: number) => {
    adjacent[from]!.push({ from, to, weight });
    adjacent[to]!.push({ from: to, to: from, weight });
  };
  for (let point = 0, at = 0; point < n; point++)
    for (let place = 0; place < count; place++, at++) {
      const other = indices[at]!;
      connect(point, other, Math.max(cores[point]!, cores[other]!, distances[at]!));
    }
  for (const { from, to, weight } of known) connect(from, to, weight);

  const reached = new Uint8Array(n);
  const best = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const edges: Edge[] = [];
  const waiting = new EdgeHeap();
  for (let point = 0; edges.length < n - 1; ) {
    reached[point] = 1;
    for (const edge of adjacent[point]!) {
      if (reached[edge.to] === 1 || edge.weight >= best[edge.to]!) continue;
      best[edge.to] = edge.weight;
      waiting.push(edge);
    }
    let next = waiting.pop();
    while (reached[next.to] === 1) next = waiting.pop();
    edges.push(next);
    point = next.to;
  }
  // Stable: equal edges stay in the order in which they were found.
  edges.sort((a, b) => a.weight - b.weight);
  return {
    from: Int32Array.from(edges, (edge) => edge.from),
    to: Int32Array.from(edges, (edge) => edge.to),
    weights: Float64Array.from(edges, (edge) => edge.weight),
  };
}

/** A binary heap of edges: the lightest first, then the one to the lowest point. */
class EdgeHeap {
  readonly #edges: Edge[] = [];

  push(edge: Edge): void {
    const edges = this.#edges;
    let at = edges.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(edge, edges[parent]!)) break;
      edges[at] = edges[parent]!;
      at = parent;
    }
    edges[at] = edge;
  }

  pop(): Edge {
    const edges = this.#edges;
    const top = edges[0];
    const last = edges.pop();
    if (!top || !last) throw new RangeError('the graph is not connected');
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= edges.length) break;
      if (child + 1 < edges.length && before(edges[child + 1]!, edges[child]!)) child++;
      if (!before(edges[child]!, last)) break;
      edges[at] = edges[child]!;
      at = child;
    }
    if (edges.length > 0) edges[at] = last;
    return top;
  }
}

function before(a: Edge, b: Edge): boolean {
  return a.weight < b.weight || (a.weight === b.weight && a.to < b.to);
}
