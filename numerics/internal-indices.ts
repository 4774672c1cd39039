import type { MatrixView } from './matrix-product.ts';
import { squaredDistance } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface InternalIndices {
  /** Mean over clusters of the greatest (σᵢ + σⱼ)/dᵢⱼ, σ the mean distance to the centre (Davies & Bouldin 1979): smaller is better. */
  daviesBouldin: number;
  /** Spread of the centres over that of the rows round them, each by its degrees of freedom (Caliński & Harabasz 1974): greater is better. */
  calinskiHarabasz: number;
}

/**
 * How compact and how far apart clusters are, by Euclidean distances, as scikit-learn has them. `labels`: from 0 up, −1 leaves a row out. NaN of
 * fewer than two clusters, or of as many as rows.
 */
export function internalIndices({
  vectors,
  labels,
}: {
  vectors: MatrixView;
  labels: Int32Array;
}): InternalIndices {
  const { data, columns } = vectors;
  const k = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const sizes = new Float64Array(k);
  const centres = new Float64Array(k * columns);
  const whole = new Float64Array(columns);
  let rows = 0;
  labels.forEach((label, row) => {
    if (label < 0) return;
    rows++;
    sizes[label]!++;
    for (let at = 0; at < columns; at++) {
      centres[label * columns + at]! += data[row * columns + at]!;
      whole[at]! += data[row * columns + at]!;
    }
  });
  const used = [...sizes.keys()].filter((cluster) => sizes[cluster]! > 0);
  if (used.length < 2 || used.length >= rows)
    return { daviesBouldin: Number.NaN, calinskiHarabasz: Number.NaN };
  for (let at = 0; at < centres.length; at++) centres[at]! /= sizes[Math.floor(at / columns)]! || 1;
  for (let at = 0; at < columns; at++) whole[at]! /= rows;
  const spreads = new Float64Array(k);
  let within = 0;
  labels.forEach((label, row) => {
    if (label < 0) return;
    const square = squaredDistance(data, row * columns, centres, label * columns, columns);
    within += square;
    spreads[label]! += Math.sqrt(square) / sizes[label]!;
  });
  let between = 0;
  let ratios = 0;
  for (const a of used) {
    between += sizes[a]! * squaredDistance(centres, a * columns, whole, 0, columns);
    let most = 0;
    for (const b of used) {
      if (a === b) continue;
      const apart = Math.sqrt(squaredDistance(centres, a * columns, centres, b * columns, columns));
      if (apart > 0) most = Math.max(most, (spreads[a]! + spreads[b]!) / apart);
    }
    ratios += most;
  }
  return {
    daviesBouldin: ratios / used.length,
    // Rows on their centres: scikit-learn says 1.
    calinskiHarabasz: within === 0 ? 1 : (between * (rows - used.length)) / (within * (used.length - 1)),
  };
}
