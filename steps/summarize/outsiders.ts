import type { Matrix } from '../../engine/step.ts';
import { squaredDistance } from '../../numerics/vectors.ts';
import type { FoundClusters } from './clusters.ts';
import { nearestTexts } from './examples.ts';

/** Texts of other clusters that are candidates for contrast, of each cluster. */
const candidatesEach = 20;

/**
 * Up to `count` texts that do not belong to each cluster and are nearest to it: by vectors those nearest to the mean of the
 * cluster's, among the innermost of the other clusters; else the innermost ones of the others, the largest cluster first.
 * As indices of the clustered rows.
 */
export function nearestOutsiders(found: FoundClusters, vectors: Matrix | null, count: number): number[][] {
  if (count === 0) return found.numbers.map(() => []);
  const innermost = nearestTexts(found, candidatesEach);
  if (vectors === null) {
    const order = [...found.numbers.keys()].sort((a, b) => found.sizes[b]! - found.sizes[a]! || a - b);
    return found.numbers.map((_, cluster) => {
      const chosen: number[] = [];
      for (let depth = 0; depth < candidatesEach && chosen.length < count; depth++)
        for (const other of order) {
          const text = other === cluster ? undefined : innermost[other]![depth];
          if (text !== undefined && chosen.length < count) chosen.push(text);
        }
      return chosen;
    });
  }
  const means = meansOf(found, vectors);
  const { columns, data } = vectors;
  return found.numbers.map((_, cluster) =>
    innermost
      .flatMap((texts, other) => (other === cluster ? [] : texts))
      .map((text) => ({
        text,
        distance: squaredDistance(data, found.rows[text]! * columns, means, cluster * columns, columns),
      }))
      .sort((a, b) => a.distance - b.distance || a.text - b.text)
      .slice(0, count)
      .map(({ text }) => text),
  );
}

function meansOf(found: FoundClusters, { data, columns }: Matrix): Float64Array {
  const means = new Float64Array(found.numbers.length * columns);
  for (const [index, row] of found.rows.entries()) {
    const start = found.clusters[index]! * columns;
    for (let column = 0; column < columns; column++) means[start + column]! += data[row * columns + column]!;
  }
  for (let at = 0; at < means.length; at++) means[at]! /= found.sizes[Math.floor(at / columns)]!;
  return means;
}
