import type { Row } from '../../engine/artefacts.ts';
import { type Contingency, contingency } from '../../numerics/clustering-metrics.ts';
import { significant } from '../significant.ts';
import type { Labels } from './labels.ts';

/** A row for each class, largest first: where it went, and what it is mixed with. */
export function classRows(labels: Labels): Row[] {
  const table = contingency(labels.classes, labels.clusters);
  return byFalling(table.classSizes).map((index): Row => {
    const cells = table.counts.subarray(index * table.clusters, (index + 1) * table.clusters);
    const best = byFalling(cells)[0]!;
    const common = cells[best]!;
    const share = common / table.classSizes[index]!;
    const purity = common / table.clusterSizes[best]!;
    const other = largestOther(table, best, index);
    return {
      id: labels.classNames[index]!,
      class: labels.classNames[index]!,
      size: table.classSizes[index]!,
      best_cluster: labels.clusterNames[best]!,
      share: significant(share),
      purity: significant(purity),
      f1: significant((2 * share * purity) / (share + purity)),
      clusters: cells.reduce((count, cell) => count + (cell > 0 ? 1 : 0), 0),
      mixed_with: other === undefined ? null : labels.classNames[other]!,
    };
  });
}

/** A row for each class and cluster that have rows in common: classes largest first, and in each its clusters. */
export function contingencyRows(labels: Labels): Row[] {
  const table = contingency(labels.classes, labels.clusters);
  return byFalling(table.classSizes).flatMap((index) => {
    const cells = table.counts.subarray(index * table.clusters, (index + 1) * table.clusters);
    const name = labels.classNames[index]!;
    return byFalling(cells)
      .filter((cluster) => cells[cluster]! > 0)
      .map((cluster): Row => {
        const predicted = labels.clusterNames[cluster]!;
        return { id: JSON.stringify([name, predicted]), class: name, predicted, count: cells[cluster]! };
      });
  });
}

/** Indices in order of falling values; equal ones as they stand. */
function byFalling(values: Float64Array): number[] {
  return [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
}

/** The class with the most rows in a cluster beside the given one; undefined if the cluster has no other. */
function largestOther({ counts, classes, clusters }: Contingency, cluster: number, own: number) {
  let best: number | undefined;
  for (let index = 0; index < classes; index++) {
    const count = counts[index * clusters + cluster]!;
    if (index === own || count === 0) continue;
    if (best === undefined || count > counts[best * clusters + cluster]!) best = index;
  }
  return best;
}
