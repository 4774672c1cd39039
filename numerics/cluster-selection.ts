import { type CondensedTree, stabilities } from './condensed-tree.ts';

export interface SelectionOptions {
  /** `eom`: the clusters that stand out longest. `leaf`: those that split no further, which are finer and more alike. */
  method: 'eom' | 'leaf';
  /** Clusters that split below this distance stay together. 0: all may split. */
  epsilon: number;
  /** Whether all points may be one cluster. */
  allowSingleCluster: boolean;
}

/**
 * The clusters of a condensed tree that make up the flat clustering, in rising order: by excess of mass (Campello,
 * Moulavi, Zimek & Sander 2015) or the leaves, joined below `epsilon` (Malzer & Baum 2020), as the Python package
 * hdbscan chooses them.
 */
export function selectClusters(tree: CondensedTree, options: SelectionOptions): number[] {
  const chosen = options.method === 'eom' ? excessOfMass(tree, options.allowSingleCluster) : leaves(tree);
  const onlyRoot = chosen.length === 1 && chosen[0] === 0;
  const joined = options.epsilon > 0 && !onlyRoot ? joinBelow(tree, chosen, options) : chosen;
  return joined.sort((a, b) => a - b);
}

function excessOfMass(tree: CondensedTree, allowSingleCluster: boolean): number[] {
  const { parents } = tree;
  const clusters = parents.length;
  const stability = stabilities(tree);
  const below = new Float64Array(clusters);
  const wins = new Uint8Array(clusters);
  for (let cluster = clusters - 1; cluster >= 0; cluster--) {
    const considered = cluster > 0 || allowSingleCluster;
    if (considered && stability[cluster]! >= below[cluster]!) wins[cluster] = 1;
    else stability[cluster] = below[cluster]!;
    if (cluster > 0) below[parents[cluster]!]! += stability[cluster]!;
  }
  // From the top: the first that wins on a path is taken, what is below it is not.
  const covered = new Uint8Array(clusters);
  const chosen: number[] = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    covered[cluster] = cluster > 0 ? covered[parents[cluster]!]! : 0;
    if (covered[cluster] === 1 || wins[cluster] === 0) continue;
    covered[cluster] = 1;
    chosen.push(cluster);
  }
  return chosen;
}

function leaves({ parents }: CondensedTree): number[] {
  const splits = new Set(parents);
  return [...parents.keys()].filter((cluster) => cluster > 0 && !splits.has(cluster));
}

function joinBelow(
  { parents, births }: CondensedTree,
  chosen: readonly number[],
  { epsilon, allowSingleCluster }: SelectionOptions,
): number[] {
  const distanceAtBirth = (cluster: number) => 1 / births[cluster]!;
  const joined = new Set<number>();
  for (const cluster of chosen) {
    let at = cluster;
    while (distanceAtBirth(at) < epsilon) {
      const parent = parents[at]!;
      if (parent === 0) {
        if (allowSingleCluster) at = 0;
        break;
      }
      at = parent;
    }
    joined.add(at);
  }
  // What lies below another one that was taken belongs to that.
  const taken = [...joined];
  return taken.filter((cluster) => {
    for (let at = parents[cluster]!; at >= 0; at = parents[at]!) if (joined.has(at)) return false;
    return true;
  });
}
