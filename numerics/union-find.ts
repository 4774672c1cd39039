/** Disjoint sets of the numbers below `size` (Tarjan 1975): union by smaller number, with path halving. */
export class UnionFind {
  readonly #parent: Int32Array;
  readonly #sizes: Int32Array;
  /** Sets that are left. */
  count: number;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, index) => index);
    this.#sizes = new Int32Array(size).fill(1);
    this.count = size;
  }

  /** The smallest number of the set: the same however the set was put together. */
  find(item: number): number {
    const parent = this.#parent;
    let root = item;
    while (parent[root] !== root) {
      parent[root] = parent[parent[root]!]!;
      root = parent[root]!;
    }
    return root;
  }

  /** Numbers in the set of `item`. */
  sizeOf(item: number): number {
    return this.#sizes[this.find(item)]!;
  }

  /** Joins the sets of two numbers; false if they were in one set already. */
  union(a: number, b: number): boolean {
    const [left, right] = [this.find(a), this.find(b)];
    if (left === right) return false;
    const [root, other] = left < right ? [left, right] : [right, left];
    this.#parent[other] = root;
    this.#sizes[root]! += this.#sizes[other]!;
    this.count--;
    return true;
  }
}
