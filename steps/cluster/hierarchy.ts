import type { Row } from '../../engine/artefacts.ts';
import { orderBySize } from '../../numerics/cluster-centres.ts';
import { centreDendrogram, cutDendrogram, type Merge, treeDendrogram } from '../../numerics/dendrogram.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { significant } from '../significant.ts';
import type { Found } from './methods.ts';

/** Groups of clusters, and groups of those. */
export interface Hierarchy {
  merges: Merge[];
  /** From the coarsest: the group of each cluster, groups numbered by their rows, 0 is the largest. */
  levels: Int32Array[];
}

/** The fewest groups of an automatic hierarchy's uppermost level, and how many are made one from level to level. */
const fewestGroups = 3;
const groupsInOne = 3;

/** Builds the hierarchy of clusters: of a cut tree its upper part, else by the centres. */
export function buildHierarchy(
  found: Found,
  { hierarchy, metric }: { hierarchy: 'auto' | readonly number[]; metric: Metric },
): Hierarchy {
  const { k, sizes, labels } = found;
  const merges =
    k < 2
      ? []
      : found.tree
        ? treeDendrogram(found.tree, labels, sizes)
        : centreDendrogram({ centres: found.centres, sizes, metric });
  const counts = (hierarchy === 'auto' ? automaticLevels(k) : [...new Set(hierarchy)])
    .filter((count) => count < k)
    .sort((a, b) => a - b);
  return { merges, levels: counts.map((count) => bySize(cutDendrogram(merges, count), sizes)) };
}

/** A third of the clusters, a third of that, … as long as there are some. */
function automaticLevels(k: number): number[] {
  const levels: number[] = [];
  for (
    let count = Math.round(k / groupsInOne);
    count >= fewestGroups;
    count = Math.round(count / groupsInOne)
  )
    levels.push(count);
  return levels;
}

function bySize(groups: Int32Array, sizes: Int32Array): Int32Array {
  const rows = Array.from(groups).flatMap((group, cluster) => Array<number>(sizes[cluster]!).fill(group));
  const { numbers } = orderBySize(Int32Array.from(rows), Math.max(-1, ...groups) + 1);
  return groups.map((group) => numbers[group]!);
}

/** The fields of a row that say where it is in the hierarchy. */
export function levelFields({ levels }: Hierarchy, cluster: number): Record<string, number> {
  return Object.fromEntries(
    levels.map((groups, at) => [`level_${at + 1}`, cluster < 0 ? -1 : groups[cluster]!]),
  );
}

/** The rows of the output `hierarchy`: every group, with what it is part of and what is part of it. */
export function hierarchyRows(
  { levels }: Hierarchy,
  sizes: Int32Array,
  rows: number,
  numbers: readonly number[],
): Row[] {
  return levels.flatMap((groups, at) => {
    const [above, below] = [levels[at - 1], levels[at + 1]];
    const count = Math.max(-1, ...groups) + 1;
    return Array.from({ length: count }, (_, group): Row => {
      const clusters = [...groups.keys()].filter((cluster) => groups[cluster] === group);
      const size = clusters.reduce((sum, cluster) => sum + sizes[cluster]!, 0);
      const children = below ? [...new Set(clusters.map((cluster) => below[cluster]!))] : clusters;
      return {
        id: `${at + 1}/${group}`,
        level: at + 1,
        group,
        size,
        share: significant(size / rows),
        parent: above ? `${at}/${above[clusters[0]!]}` : null,
        children: children
          .sort((a, b) => a - b)
          .map((child) => (below ? `${at + 2}/${child}` : String(numbers[child]!))),
        clusters: clusters.map((cluster) => numbers[cluster]!),
      };
    });
  });
}

/** The rows of the output `dendrogram`. */
export function dendrogramRows({ merges }: Hierarchy, numbers: readonly number[]): Row[] {
  const k = numbers.length;
  // Nodes above the clusters are numbered on from the greatest of these.
  const first = Math.max(-1, ...numbers) + 1;
  const nameOf = (node: number) => (node < k ? numbers[node]! : first + node - k);
  return merges.map(({ left, right, height, size }, at) => ({
    id: String(at + 1),
    left: nameOf(left),
    right: nameOf(right),
    node: first + at,
    height: significant(height),
    size,
  }));
}
