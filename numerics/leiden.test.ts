import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import reference from './fixtures/leiden.json' with { type: 'json' };
import { leiden, modularity } from './leiden.ts';
import { type Graph, graphOf } from './neighbour-graph.ts';

function graphFrom(edges: readonly (readonly number[])[]): Graph {
  const nodes = edges.reduce((most, [from = 0, to = 0]) => Math.max(most, from + 1, to + 1), 0);
  const links: { other: number; weight: number }[][] = Array.from({ length: nodes }, () => []);
  for (const [from = 0, to = 0, weight = 1] of edges) {
    links[from]!.push({ other: to, weight });
    links[to]!.push({ other: from, weight });
  }
  return graphOf(links);
}

/** Communities of which some node cannot be reached from the first one without leaving them. */
function disconnected(graph: Graph, labels: Int32Array): number[] {
  const reached = new Set<number>();
  const first = new Map<number, number>();
  labels.forEach((label, node) => {
    if (!first.has(label)) first.set(label, node);
  });
  const stack = [...first.values()];
  for (const node of stack) {
    if (reached.has(node)) continue;
    reached.add(node);
    for (let at = graph.offsets[node]!; at < graph.offsets[node + 1]!; at++)
      if (labels[graph.targets[at]!] === labels[node]) stack.push(graph.targets[at]!);
  }
  return [...labels.keys()].filter((node) => !reached.has(node)).map((node) => labels[node]!);
}

const edgeLists = fc
  .uniqueArray(
    fc.tuple(fc.nat(24), fc.nat(24), fc.integer({ min: 1, max: 8 })).filter(([from, to]) => from < to),
    { maxLength: 90, selector: ([from, to]) => from * 25 + to },
  )
  .map((edges) => edges.map(([from, to, weight]) => [from, to, weight / 4]));

describe('leiden', () => {
  it.each(
    [reference.karate, reference.planted].flatMap(({ edges, modularity: best }) =>
      Object.entries(best).map(([resolution, quality]) => ({
        edges,
        resolution: Number(resolution),
        quality,
      })),
    ),
  )('reaches the modularity of leidenalg: $quality at $resolution', ({ edges, resolution, quality }) => {
    const graph = graphFrom(edges);
    for (const seed of [1, 2, 3]) {
      const labels = leiden({ graph, resolution, seed });
      expect(modularity(graph, labels, resolution)).toBeGreaterThanOrEqual(quality - 0.01);
      expect(leiden({ graph, resolution, seed })).toEqual(labels);
    }
  });

  it('finds the groups of the karate club that modularity is greatest for', () => {
    const graph = graphFrom(reference.karate.edges);
    const labels = leiden({ graph, resolution: 1, seed: 5 });
    expect(Math.max(...labels) + 1).toBe(4);
    expect(modularity(graph, labels, 1)).toBeCloseTo(0.4197896, 7);
  });

  it('gives connected communities, no worse than each node alone', () => {
    fc.assert(
      fc.property(edgeLists, fc.nat(), fc.constantFrom(0.2, 1, 3), (edges, seed, resolution) => {
        const graph = graphFrom(edges);
        const labels = leiden({ graph, resolution, seed });
        expect(disconnected(graph, labels)).toEqual([]);
        const alone = Int32Array.from({ length: graph.nodes }, (_, node) => node);
        expect(modularity(graph, labels, resolution)).toBeGreaterThanOrEqual(
          modularity(graph, alone, resolution) - 1e-12,
        );
        // Numbered in order of first nodes.
        expect([...new Set(labels)]).toEqual([...new Set(labels)].toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  it('takes no nodes, and nodes without edges', () => {
    expect(leiden({ graph: graphOf([]), resolution: 1, seed: 1 })).toEqual(new Int32Array(0));
    const graph = graphOf([[], [{ other: 2, weight: 1 }], [{ other: 1, weight: 1 }]]);
    expect([...leiden({ graph, resolution: 1, seed: 1 })]).toEqual([0, 1, 1]);
    expect(modularity(graphOf([[], []]), Int32Array.of(0, 1), 1)).toBe(0);
  });
});
