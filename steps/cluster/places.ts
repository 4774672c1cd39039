import type { Row } from '../../engine/artefacts.ts';
import type { Matrix } from '../../engine/step.ts';
import type { Clusters } from '../../numerics/cluster-centres.ts';
import { dot, squaredDistance } from '../../numerics/vectors.ts';
import { significant } from '../significant.ts';
import type { Found } from './methods.ts';

/** The rows of each cluster, nearest its centre first; equal ones in their order. */
export function rankedMembers({ labels, distances, k }: Clusters): number[][] {
  const members: number[][] = Array.from({ length: k }, () => []);
  labels.forEach((cluster, row) => {
    if (cluster >= 0) members[cluster]!.push(row);
  });
  for (const rows of members) rows.sort((a, b) => distances[a]! - distances[b]! || a - b);
  return members;
}

/** Where each row stands in its cluster: from 1, nearest the centre; 0 for noise. */
export function rowRanks(members: readonly (readonly number[])[], rows: number): Int32Array {
  const ranks = new Int32Array(rows);
  for (const ranked of members)
    ranked.forEach((row, index) => {
      ranks[row] = index + 1;
    });
  return ranks;
}

/** Ids of rows that stand for a cluster, or are odd in it. */
export interface NamedRows {
  representatives: string[];
  anomalies?: string[];
  next_number?: number;
}

/** The rows of the output `clusters`. `numbers`: what each is called. */
export function describeClusters(
  vectors: Matrix,
  found: Found,
  numbers: readonly number[],
  named: readonly NamedRows[],
): Row[] {
  const { k, labels, centres, distances, sizes } = found;
  const { columns } = centres;
  const cosines = new Float64Array(k);
  const totals = new Float64Array(k);
  const length = (data: Float32Array, row: number) =>
    Math.sqrt(dot(data, row * columns, data, row * columns, columns));
  const centreLengths = Array.from({ length: k }, (_, cluster) => length(centres.data, cluster));
  labels.forEach((cluster, row) => {
    if (cluster < 0) return;
    totals[cluster]! += distances[row]!;
    const lengths = length(vectors.data, row) * centreLengths[cluster]!;
    if (lengths > 0)
      cosines[cluster]! +=
        dot(vectors.data, row * columns, centres.data, cluster * columns, columns) / lengths;
  });
  return Array.from({ length: k }, (_, cluster) => {
    const size = sizes[cluster]!;
    return {
      id: String(numbers[cluster]!),
      cluster: numbers[cluster]!,
      size,
      share: significant(size / labels.length),
      cohesion: significant(cosines[cluster]! / size),
      mean_distance: significant(totals[cluster]! / size),
      ...(found.persistence &&
        !Number.isNaN(found.persistence[cluster]!) && {
          persistence: significant(found.persistence[cluster]!),
        }),
      nearest_cluster: numbers[nearestOther(centres, cluster)] ?? null,
      ...named[cluster]!,
    };
  });
}

/** The cluster whose centre is nearest to a cluster's; −1 if there is no other. */
function nearestOther({ data, rows, columns }: Matrix, cluster: number): number {
  let nearest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let other = 0; other < rows; other++) {
    if (other === cluster) continue;
    const distance = squaredDistance(data, cluster * columns, data, other * columns, columns);
    if (distance < least) {
      least = distance;
      nearest = other;
    }
  }
  return nearest;
}
