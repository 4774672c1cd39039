import type { Row } from '../../engine/artefacts.ts';
import type { Matrix, StepContext } from '../../engine/step.ts';
import type { Merge } from '../../numerics/dendrogram.ts';
import { type Merged, moduleUrl } from '../../numerics/merge-clusters.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { significant } from '../significant.ts';
import type { Found } from './methods.ts';
import { withCentres } from './with-centres.ts';

/** What was merged, and the cluster that each merge has become part of. */
export interface History {
  merges: readonly Merge[];
  /** By cluster as it was before merging: its number now. */
  into: Int32Array;
}

/** Merges clusters that are alike: above a cosine of their centres, or as far as the silhouette grows. */
export async function mergeClusters(
  matrix: Matrix,
  found: Found,
  { merge, metric }: { merge: number | 'auto'; metric: Metric },
  context: StepContext,
): Promise<{ found: Found; history: History }> {
  const groups = { centres: found.centres, sizes: found.sizes, metric };
  const rows = [...found.labels.keys()].filter((row) => found.labels[row]! >= 0);
  const merged =
    merge === 'auto'
      ? await context.pool.run<unknown, Merged>(moduleUrl, 'mergeBySilhouette', {
          ...groups,
          vectors: gatherRows(matrix, rows),
          labels: Int32Array.from(rows, (row) => found.labels[row]!),
          seed: context.random('merge').seed(),
        })
      : await context.pool.run<unknown, Merged>(moduleUrl, 'mergeSimilar', { ...groups, threshold: merge });
  if (merged.merges.length === 0)
    return { found, history: { merges: [], into: Int32Array.from({ length: found.k }, (_, at) => at) } };
  const clusters = await withCentres(
    {
      matrix,
      labels: found.labels.map((cluster) => (cluster < 0 ? -1 : merged.groups[cluster]!)),
      k: found.k - merged.merges.length,
      metric,
    },
    context,
  );
  const numbers = new Int32Array(clusters.k);
  clusters.order.forEach((group, number) => {
    numbers[group] = number;
  });
  const into = merged.groups.map((group) => numbers[group]!);
  let inertia = 0;
  // Between unit vectors |a−b|² = 2·(1 − cos).
  if (found.inertia !== undefined)
    for (const distance of clusters.distances) inertia += metric === 'cosine' ? 2 * distance : distance ** 2;
  // Neither the tree of an agglomerative clustering nor a modularity knows of these merges.
  const { persistence, tree: _, modularity: __, ...kept } = found;
  return {
    found: {
      ...kept,
      ...clusters,
      ...(found.inertia !== undefined && { inertia }),
      // How clearly a cluster stands out is not known of one that was merged.
      ...(persistence && { persistence: persistenceNow(persistence, into, clusters.k) }),
    },
    history: { merges: merged.merges, into },
  };
}

function persistenceNow(before: Float64Array, into: Int32Array, k: number): Float64Array {
  const now = new Float64Array(k).fill(Number.NaN);
  const parts = new Int32Array(k);
  into.forEach((number, cluster) => {
    parts[number]!++;
    now[number] = parts[number] === 1 ? before[cluster]! : Number.NaN;
  });
  return now;
}

/** The rows of the output `merges`. */
export function historyRows({ merges, into }: History, numbers: readonly number[]): Row[] {
  const clusterOf = Array.from(into);
  return merges.map(({ left, right, height, size }, at) => {
    clusterOf.push(clusterOf[left]!);
    return {
      id: String(at + 1),
      left,
      right,
      node: into.length + at,
      similarity: significant(1 - height),
      size,
      cluster: numbers[clusterOf[left]!]!,
    };
  });
}
