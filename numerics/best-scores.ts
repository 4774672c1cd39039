/**
 * Of each of some rows the `kept` items with the greatest scores, out of many that are put one by one: a heap for each row,
 * whose root is the least of those kept. Of equal scores any may be dropped. Time O(log kept) for an item that stays.
 */
export class BestScores {
  readonly #kept: number;
  /** [rows, kept]. */
  readonly #items: Int32Array;
  readonly #scores: Float64Array;
  readonly #sizes: Int32Array;

  constructor(rows: number, kept: number) {
    this.#kept = kept;
    this.#items = new Int32Array(rows * kept);
    this.#scores = new Float64Array(rows * kept);
    this.#sizes = new Int32Array(rows);
  }

  clear(): void {
    this.#sizes.fill(0);
  }

  /** What an item must be above in order to be kept: -∞ as long as there is room. */
  least(row: number): number {
    return this.#sizes[row] === this.#kept ? this.#scores[row * this.#kept]! : Number.NEGATIVE_INFINITY;
  }

  /** Keeps an item whose score is above `least`; gives the new `least`. */
  put(row: number, item: number, score: number): number {
    const base = row * this.#kept;
    const scores = this.#scores;
    const items = this.#items;
    const size = this.#sizes[row]!;
    if (size < this.#kept) {
      let at = size;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (scores[base + parent]! <= score) break;
        scores[base + at] = scores[base + parent]!;
        items[base + at] = items[base + parent]!;
        at = parent;
      }
      scores[base + at] = score;
      items[base + at] = item;
      this.#sizes[row] = size + 1;
      return this.least(row);
    }
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && scores[base + child + 1]! < scores[base + child]!) child++;
      if (score <= scores[base + child]!) break;
      scores[base + at] = scores[base + child]!;
      items[base + at] = items[base + child]!;
      at = child;
    }
    scores[base + at] = score;
    items[base + at] = item;
    return scores[base]!;
  }

  /** The `place`-th greatest score of a row, from 1; -∞ if it has not so many. */
  nth(row: number, place: number): number {
    const base = row * this.#kept;
    const size = this.#sizes[row]!;
    if (place > size) return Number.NEGATIVE_INFINITY;
    return this.#scores.slice(base, base + size).sort()[size - place]!;
  }

  /** Items of a row with a score of at least `limit`, in no order. */
  itemsFrom(row: number, limit: number): Int32Array {
    const base = row * this.#kept;
    return this.#items
      .subarray(base, base + this.#sizes[row]!)
      .filter((_, place) => this.#scores[base + place]! >= limit);
  }
}
