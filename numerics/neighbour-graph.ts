/** An undirected weighted graph, each edge from both ends: those of node v stand from `offsets[v]` to `offsets[v + 1]`. */
export interface Graph {
  nodes: number;
  /** [nodes + 1]. */
  offsets: Int32Array;
  /** The other end of each edge. */
  targets: Int32Array;
  /** Above 0. */
  weights: Float64Array;
}

/**
 * The graph of nearest neighbours: each row is linked to its `count` nearest (`indices`, [rows, count]), with the Jaccard similarity of
 * the two rows' neighbourhoods as the weight of the edge (PhenoGraph: Levine et al. 2015). A row is in its own neighbourhood.
 */
export function neighbourGraph(options: { indices: Int32Array; rows: number; count: number }): Graph {
  const { indices, rows, count } = options;
  const near = (row: number) => indices.subarray(row * count, (row + 1) * count);
  const own = new Int32Array(rows).fill(-1);
  const links: { other: number; weight: number }[][] = Array.from({ length: rows }, () => []);
  for (let row = 0; row < rows; row++) {
    for (const other of near(row)) own[other] = row;
    own[row] = row;
    for (const other of near(row)) {
      const mutual = near(other).includes(row);
      // Of two rows that are each other's neighbours the first one makes the edge.
      if (mutual && other < row) continue;
      let shared = 1 + (mutual ? 1 : 0);
      for (const third of near(other)) if (third !== row && own[third] === row) shared++;
      const weight = shared / (2 * (count + 1) - shared);
      links[row]!.push({ other, weight });
      links[other]!.push({ other: row, weight });
    }
  }
  return graphOf(links);
}

/** A graph of the links that each node has; a link is in the lists of both its ends, with the same weight. */
export function graphOf(links: readonly (readonly { other: number; weight: number }[])[]): Graph {
  const offsets = new Int32Array(links.length + 1);
  links.forEach((own, node) => {
    offsets[node + 1] = offsets[node]! + own.length;
  });
  const size = offsets[links.length]!;
  const targets = new Int32Array(size);
  const weights = new Float64Array(size);
  links.forEach((own, node) => {
    own.forEach(({ other, weight }, at) => {
      targets[offsets[node]! + at] = other;
      weights[offsets[node]! + at] = weight;
    });
  });
  return { nodes: links.length, offsets, targets, weights };
}
