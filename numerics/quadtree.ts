/** θ² of Barnes & Hut: a cell this much smaller than its distance counts as one point. */
const openingSquare = 0.25;
/** Points at one place share a leaf at this depth. */
const deepest = 40;

/** A tree of square cells over points of the plane (Barnes & Hut 1986), for the sums that t-SNE needs. */
export class Quadtree {
  #nodes = 0;
  #children: Int32Array;
  #masses: Float64Array;
  #xs: Float64Array;
  #ys: Float64Array;
  #widths: Float64Array;
  readonly #points: number;

  constructor(points: number) {
    this.#points = points;
    const size = 4 * points + 64;
    this.#children = new Int32Array(4 * size);
    this.#masses = new Float64Array(size);
    this.#xs = new Float64Array(size);
    this.#ys = new Float64Array(size);
    this.#widths = new Float64Array(size);
  }

  /** Builds the tree over points `[x, y, x, y, …]`. */
  build(points: Float64Array): void {
    let [left, right, low, high] = [points[0]!, points[0]!, points[1]!, points[1]!];
    for (let at = 0; at < this.#points * 2; at += 2) {
      left = Math.min(left, points[at]!);
      right = Math.max(right, points[at]!);
      low = Math.min(low, points[at + 1]!);
      high = Math.max(high, points[at + 1]!);
    }
    const width = Math.max(right - left, high - low) || 1;
    this.#nodes = 0;
    const root = this.#add(width);
    for (let at = 0; at < this.#points * 2; at += 2)
      this.#insert(root, points[at]!, points[at + 1]!, (left + right) / 2, (low + high) / 2, width);
  }

  #add(width: number): number {
    if (this.#nodes === this.#masses.length) this.#grow();
    const node = this.#nodes++;
    this.#children.fill(-1, node * 4, node * 4 + 4);
    this.#masses[node] = 0;
    this.#xs[node] = 0;
    this.#ys[node] = 0;
    this.#widths[node] = width;
    return node;
  }

  #grow(): void {
    const size = this.#masses.length * 2;
    const copy = (from: Float64Array) => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    const children = new Int32Array(size * 4);
    children.set(this.#children);
    this.#children = children;
    this.#masses = copy(this.#masses);
    this.#xs = copy(this.#xs);
    this.#ys = copy(this.#ys);
    this.#widths = copy(this.#widths);
  }

  /** Adds a point below a cell with the middle (`cx`, `cy`). A cell with one point is a leaf until the next one comes. */
  #insert(from: number, x: number, y: number, middleX: number, middleY: number, side: number): void {
    let [node, cx, cy, width] = [from, middleX, middleY, side];
    for (let depth = 0; ; depth++) {
      const mass = this.#masses[node]!;
      const [oldX, oldY] = [this.#xs[node]!, this.#ys[node]!];
      this.#masses[node] = mass + 1;
      this.#xs[node] = oldX + (x - oldX) / (mass + 1);
      this.#ys[node] = oldY + (y - oldY) / (mass + 1);
      if (mass === 0 || depth === deepest) return;
      // A leaf's point moves down before the new one does. Equal points stay in one leaf.
      if (this.#isLeaf(node)) {
        if (oldX === x && oldY === y) return;
        const child = this.#childAt(node, oldX, oldY, cx, cy, width);
        this.#masses[child] = mass;
        this.#xs[child] = oldX;
        this.#ys[child] = oldY;
      }
      const next = this.#childAt(node, x, y, cx, cy, width);
      width /= 2;
      cx += x >= cx ? width / 2 : -width / 2;
      cy += y >= cy ? width / 2 : -width / 2;
      node = next;
    }
  }

  #isLeaf(node: number): boolean {
    const at = node * 4;
    const children = this.#children;
    return children[at]! < 0 && children[at + 1]! < 0 && children[at + 2]! < 0 && children[at + 3]! < 0;
  }

  #childAt(node: number, x: number, y: number, cx: number, cy: number, width: number): number {
    const at = node * 4 + (x >= cx ? 1 : 0) + (y >= cy ? 2 : 0);
    const known = this.#children[at]!;
    if (known >= 0) return known;
    const child = this.#add(width / 2);
    this.#children[at] = child;
    return child;
  }

  /**
   * Writes Σⱼ (1 + |i−j|²)⁻²·(i − j) for each point i to `into`, and gives Σᵢⱼ (1 + |i−j|²)⁻¹ over i ≠ j.
   */
  repulsion(points: Float64Array, into: Float64Array): number {
    const [children, masses, xs, ys, widths] = [
      this.#children,
      this.#masses,
      this.#xs,
      this.#ys,
      this.#widths,
    ];
    const stack = new Int32Array(4 * (deepest + 2));
    let total = 0;
    for (let at = 0; at < this.#points * 2; at += 2) {
      const [x, y] = [points[at]!, points[at + 1]!];
      let [pushX, pushY] = [0, 0];
      let top = 0;
      stack[top++] = 0;
      while (top > 0) {
        const node = stack[--top]!;
        const dx = x - xs[node]!;
        const dy = y - ys[node]!;
        const square = dx * dx + dy * dy;
        const width = widths[node]!;
        const first = node * 4;
        const leaf =
          children[first]! < 0 &&
          children[first + 1]! < 0 &&
          children[first + 2]! < 0 &&
          children[first + 3]! < 0;
        if (leaf || width * width < openingSquare * square) {
          // A leaf at the point's own place holds the point itself.
          const mass = masses[node]! - (leaf && square === 0 ? 1 : 0);
          const near = 1 / (1 + square);
          total += mass * near;
          const push = mass * near * near;
          pushX += push * dx;
          pushY += push * dy;
          continue;
        }
        for (let child = first; child < first + 4; child++)
          if (children[child]! >= 0) stack[top++] = children[child]!;
      }
      into[at] = pushX;
      into[at + 1] = pushY;
    }
    return total;
  }
}
