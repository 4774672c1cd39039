import type { MatrixView } from './matrix-product.ts';
import { dot, normalized } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/**
 * `size` rows that are near to a point and unlike each other, by maximal marginal relevance (Carbonell & Goldstein 1998):
 * each time the row with the greatest (1 − diversity)·cos(row, point) − diversity·max cos(row, rows taken). In the order in
 * which they were taken, the first of equals first; it begins with `first`, or the row with the greatest cosine. O(size · rows · columns).
 */
export function marginalRelevance(options: {
  vectors: MatrixView;
  point: ArrayLike<number>;
  size: number;
  /** 0 takes the nearest, 1 looks at the unlikeness only. */
  diversity: number;
  first?: number;
}): number[] {
  const { data, rows, columns } = normalized(options.vectors);
  const { diversity, first } = options;
  const length = Math.sqrt(dot(options.point, 0, options.point, 0, columns)) || 1;
  const relevance = Float64Array.from(
    { length: rows },
    (_, row) => dot(data, row * columns, options.point, 0, columns) / length,
  );
  const likeness = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const taken = new Uint8Array(rows);
  const chosen: number[] = [];
  while (chosen.length < Math.min(options.size, rows)) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      if (taken[row] === 1) continue;
      if (chosen.length === 0 && row === first) {
        best = row;
        break;
      }
      const score =
        chosen.length === 0
          ? relevance[row]!
          : (1 - diversity) * relevance[row]! - diversity * likeness[row]!;
      if (score > most) {
        most = score;
        best = row;
      }
    }
    taken[best] = 1;
    chosen.push(best);
    for (let row = 0; row < rows; row++)
      if (taken[row] === 0)
        likeness[row] = Math.max(likeness[row]!, dot(data, row * columns, data, best * columns, columns));
  }
  return chosen;
}
