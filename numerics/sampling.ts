import type { MatrixView } from './matrix-product.ts';
import { uniform } from './random.ts';
import { dot, normalized } from './vectors.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

/**
 * Puts items in random order, in place (Fisher & Yates; Durstenfeld 1964), and returns them.
 *
 * @param random a seed, or what gives uniform numbers in [0, 1)
 */
export function shuffle<List extends unknown[] | Int32Array>(
  items: List,
  random: number | (() => number),
): List {
  const next = typeof random === 'number' ? uniform(random) : random;
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

/**
 * How many to take of each group, `total` together, so that the mean of a quantity is estimated with the least variance: in
 * proportion to size · standard deviation (Neyman 1934). Never more than a group has, and at least one row of each group if
 * `total` allows. Groups without any deviation come last; if no group has one, it is in proportion to the sizes.
 */
export function neymanShares(
  sizes: readonly number[],
  deviations: readonly number[],
  total: number,
): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const wanted = Math.min(total, all);
  const most = Math.max(...deviations, 0);
  const weights = sizes.map((size, group) => size * (most > 0 ? deviations[group]! / most + 1e-9 : 1));
  const least = wanted >= sizes.filter((size) => size > 0).length ? 1 : 0;
  const share = (group: number, scale: number) =>
    Math.min(sizes[group]!, Math.max(least, scale * weights[group]!));
  const sum = (scale: number) => sizes.reduce((whole, _, group) => whole + share(group, scale), 0);
  // The scale at which the shares, as far as the groups reach, add up to what is wanted: they grow with it.
  let [low, high] = [0, 1];
  while (sum(high) < wanted) high *= 2;
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (sum(middle) < wanted) low = middle;
    else high = middle;
  }
  const exact = sizes.map((_, group) => share(group, high));
  const shares = exact.map((value) => Math.floor(value + 1e-6));
  let left = wanted - shares.reduce((whole, value) => whole + value, 0);
  const remainder = (group: number) => exact[group]! - shares[group]!;
  const order = [...sizes.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const group of order) {
    if (left === 0) break;
    if (shares[group]! >= sizes[group]!) continue;
    shares[group]!++;
    left--;
  }
  return shares;
}

/**
 * `size` different indices, ascending, drawn one after another with probabilities in proportion to their weights (Efraimidis &
 * Spirakis 2006, algorithm A-ES: the greatest u^(1/w)). Weights are at least 0; what weighs nothing is never drawn.
 */
export function weightedIndices(weights: ArrayLike<number>, size: number, seed: number): Int32Array {
  const next = uniform(seed);
  const keys = new Float64Array(weights.length);
  const open: number[] = [];
  for (let index = 0; index < weights.length; index++) {
    // The logarithm of the key: the key itself would underflow for small weights.
    const draw = Math.log(1 - next());
    if (weights[index]! <= 0) continue;
    keys[index] = draw / weights[index]!;
    open.push(index);
  }
  open.sort((a, b) => keys[b]! - keys[a]! || a - b);
  return Int32Array.from(open.slice(0, size)).sort();
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
