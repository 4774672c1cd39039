import type { MatrixView } from './matrix-product.ts';
import { uniform } from './random.ts';
import { dot, normalized } from './vectors.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/** Puts items in random order, in place (Fisher & Yates; Durstenfeld 1964), and returns them. */
export function shuffle<T>(items: T[], seed: number): T[] {
  const next = uniform(seed);
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}

/**
 * `size` different indices below `n`, ascending, in one pass that need not know `n` (Vitter 1985, algorithm R): rows
 * that are appended later change few of them.
 */
export function reservoirIndices(n: number, size: number, seed: number): Int32Array {
  const next = uniform(seed);
  const kept = new Int32Array(Math.min(n, size));
  for (let index = 0; index < n && kept.length > 0; index++) {
    const slot = index < kept.length ? index : Math.floor(next() * (index + 1));
    if (slot < kept.length) kept[slot] = index;
  }
  return kept.sort();
}

/**
 * How many to take of each group, `total` together: in proportion to the sizes, by largest remainders (the larger
 * group, then the first, wins a tie). Never more than a group has.
 */
export function proportionalShares(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (all === 0) return sizes.map(() => 0);
  const exact = sizes.map((size) => (size * Math.min(total, all)) / all);
  const shares = exact.map(Math.floor);
  let left = Math.min(total, all) - shares.reduce((sum, share) => sum + share, 0);
  const remainder = (group: number) => exact[group]! - shares[group]!;
  const order = [...sizes.keys()].sort(
    (a, b) => remainder(b) - remainder(a) || sizes[b]! - sizes[a]! || a - b,
  );
  for (const group of order) {
    if (left === 0) break;
    if (shares[group]! === sizes[group]!) continue;
    shares[group]!++;
    left--;
  }
  return shares;
}

/** How many to take of each group, `total` together: as equal as the sizes allow; what is left over goes to the first ones. */
export function equalShares(sizes: readonly number[], total: number): number[] {
  const shares = sizes.map(() => 0);
  let left = Math.min(
    total,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  let open = [...sizes.keys()].filter((group) => sizes[group]! > 0);
  while (left > 0) {
    const each = Math.floor(left / open.length);
    if (each === 0) {
      for (const group of open.slice(0, left)) shares[group]!++;
      break;
    }
    for (const group of open) {
      const more = Math.min(each, sizes[group]! - shares[group]!);
      shares[group]! += more;
      left -= more;
    }
    open = open.filter((group) => shares[group]! < sizes[group]!);
  }
  return shares;
}

export interface KCentreOptions {
  vectors: MatrixView;
  size: number;
  seed: number;
  /** The row to begin with; one at random if not given. */
  first?: number;
}

/**
 * `size` rows that cover all others: the first given or at random, then always the row whose cosine distance to the rows taken
 * is greatest (Gonzalez 1985; at most twice the radius of the best cover). O(rows · size · columns), in float64; the first
 * of equals wins. In the order in which they were taken. Rows of zeros are at distance 1 from all others.
 */
export function kCentre({ vectors, size, seed, first }: KCentreOptions): Int32Array {
  const { data, rows, columns } = normalized(vectors);
  const chosen = new Int32Array(Math.min(size, rows));
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let current = first ?? (rows > 0 ? Math.floor(uniform(seed)() * rows) : 0);
  for (let count = 0; count < chosen.length; count++) {
    chosen[count] = current;
    nearest[current] = Number.NEGATIVE_INFINITY;
    let farthest = 0;
    let distance = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const known = nearest[row]!;
      if (known === Number.NEGATIVE_INFINITY) continue;
      const own = Math.min(known, 1 - dot(data, current * columns, data, row * columns, columns));
      nearest[row] = own;
      if (own > distance) {
        distance = own;
        farthest = row;
      }
    }
    current = farthest;
  }
  return chosen;
}
