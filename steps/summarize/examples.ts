import type { Matrix } from '../../engine/step.ts';
import { gatherRows, squaredDistance } from '../../numerics/vectors.ts';
import type { ClusteredTexts } from './read-clusters.ts';

/** Up to `count` different texts of each cluster, nearest the centre first; as indices of the clustered rows. */
export function nearestTexts(found: ClusteredTexts, count: number): number[][] {
  const members: number[][] = found.numbers.map(() => []);
  found.clusters.forEach((cluster, index) => {
    members[cluster]!.push(index);
  });
  return members.map((rows) => {
    const { places } = found;
    if (places) rows.sort((a, b) => places[a]! - places[b]! || a - b);
    const seen = new Set<string>();
    const chosen: number[] = [];
    for (const row of rows) {
      if (chosen.length === count) break;
      const key = found.texts[row]!.trim().toLowerCase();
      if (key === '' || seen.has(key)) continue;
      seen.add(key);
      chosen.push(row);
    }
    return chosen;
  });
}

/** Squared distance of each clustered row from the mean of its cluster's vectors. */
export function distancesFromMeans(vectors: Matrix, found: ClusteredTexts): Float64Array {
  const { data, rows, columns } = gatherRows(vectors, found.rows);
  const means = new Float64Array(found.numbers.length * columns);
  const sizes = new Int32Array(found.numbers.length);
  for (let row = 0, at = 0; row < rows; row++) {
    const cluster = found.clusters[row]!;
    sizes[cluster]!++;
    for (let column = 0; column < columns; column++, at++) means[cluster * columns + column]! += data[at]!;
  }
  for (let at = 0; at < means.length; at++) means[at]! /= sizes[Math.floor(at / columns)]!;
  return Float64Array.from(found.clusters, (cluster, row) =>
    squaredDistance(data, row * columns, means, cluster * columns, columns),
  );
}
