import { openProduct } from './matrix-product.ts';
import type { MetricSpace } from './metric-space.ts';
import type { Neighbours } from './neighbours.ts';
import { primTree } from './prim.ts';
import { UnionFind } from './union-find.ts';
import { gatherRows, squaredDistance } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

const queryRows = 256;
const pointRows = 1024;

export interface Edge {
  from: number;
  to: number;
  weight: number;
}

/** Edges of a tree over the points: n − 1 of them, lightest first. Weights are squared distances. */
export interface SpanningTree {
  from: Int32Array;
  to: Int32Array;
  weights: Float64Array;
}

/**
 * A minimum spanning tree of the mutual reachability graph, in which a pair weighs max(core(a), core(b), |a−b|²);
 * `cores` are squared core distances. Exact; of trees of equal weight the one that Prim's algorithm finds from row 0.
 *
 * Borůvka's algorithm (1926). Rounds first use the neighbours that are known: the lightest way out of a component
 * that they show is its lightest at all if it is no heavier than whatever they do not show. Only points whose
 * component stays undecided are compared with all others, by matrix products; what such a search finds holds until
 * the component swallows it. On real vectors that is a fraction of n² distances; at worst n² for each of log n rounds.
 */
export async function reachabilityTree(
  space: MetricSpace,
  cores: Float64Array,
  neighbours: Neighbours,
  workers: Workers,
): Promise<SpanningTree> {
  const search = new WayOut(cores, neighbours);
  while (search.sets.count > 1) {
    if (search.joinDecided()) continue;
    const rows = search.undecided();
    const shared = { space, cores, components: search.components(), rows };
    const parts = await inParts<Nearest>(workers, moduleUrl, 'nearestOutside', rows.length, (start, end) => ({
      ...shared,
      start,
      end,
    }));
    let at = 0;
    for (const { targets, weights } of parts)
      for (let index = 0; index < targets.length; index++)
        search.learn(rows[at++]!, targets[index]!, weights[index]!);
  }
  return primTree(cores, neighbours, search.edges);
}

/** Components of a growing forest, and what is known of the lightest edge that leaves each. */
class WayOut {
  readonly sets: UnionFind;
  readonly #cores: Float64Array;
  readonly #neighbours: Neighbours;
  readonly #size: number;
  /** No edge out of a point's component but those among its neighbours, or its `target`, is lighter than this. */
  readonly #bounds: Float64Array;
  /** Nearest point outside of the component, once searched for; −1 before. */
  readonly #targets: Int32Array;
  readonly edges: Edge[] = [];
  /** By the root of a component: the lightest edge known, and the least bound of its points. */
  #best: { from: Int32Array; to: Int32Array; weights: Float64Array; bounds: Float64Array };

  constructor(cores: Float64Array, neighbours: Neighbours) {
    const size = cores.length;
    this.#size = size;
    this.#cores = cores;
    this.#neighbours = neighbours;
    this.sets = new UnionFind(size);
    this.#targets = new Int32Array(size).fill(-1);
    const { count, distances } = neighbours;
    this.#bounds = Float64Array.from({ length: size }, (_, point) =>
      // With all other points among the neighbours there is nothing else.
      count >= size - 1
        ? Number.POSITIVE_INFINITY
        : Math.max(cores[point]!, count > 0 ? distances[(point + 1) * count - 1]! : 0),
    );
    this.#best = {
      from: new Int32Array(size),
      to: new Int32Array(size),
      weights: new Float64Array(size),
      bounds: new Float64Array(size),
    };
  }

  /** Takes the lightest edges out of all components that are decided; false if none is. */
  joinDecided(): boolean {
    this.#look();
    const { from, to, weights, bounds } = this.#best;
    const before = this.sets.count;
    const roots: number[] = [];
    for (let point = 0; point < this.#size; point++)
      if (this.sets.find(point) === point && weights[point]! <= bounds[point]!) roots.push(point);
    for (const root of roots) {
      const weight = weights[root]!;
      if (weight < Number.POSITIVE_INFINITY && this.sets.union(from[root]!, to[root]!))
        this.edges.push({ from: from[root]!, to: to[root]!, weight });
    }
    return this.sets.count < before;
  }

  /**
   * Points that could have a lighter way out than is known of their component. Not those of the largest component:
   * all others will join something without it.
   */
  undecided(): Int32Array {
    const { sets } = this;
    let largest = 0;
    for (let point = 0; point < this.#size; point++)
      if (sets.sizeOf(point) > sets.sizeOf(largest)) largest = point;
    const skipped = sets.find(largest);
    const rows: number[] = [];
    for (let point = 0; point < this.#size; point++) {
      const root = sets.find(point);
      if (root !== skipped && this.#bounds[point]! < this.#best.weights[root]!) rows.push(point);
    }
    return Int32Array.from(rows);
  }

  learn(point: number, target: number, weight: number): void {
    this.#targets[point] = target;
    this.#bounds[point] = weight;
  }

  components(): Int32Array {
    return Int32Array.from({ length: this.#size }, (_, point) => this.sets.find(point));
  }

  #look(): void {
    const { count, indices, distances } = this.#neighbours;
    const best = this.#best;
    best.weights.fill(Number.POSITIVE_INFINITY);
    best.bounds.fill(Number.POSITIVE_INFINITY);
    const offer = (root: number, from: number, to: number, weight: number) => {
      if (weight >= best.weights[root]!) return;
      best.weights[root] = weight;
      best.from[root] = from;
      best.to[root] = to;
    };
    for (let point = 0; point < this.#size; point++) {
      const root = this.sets.find(point);
      const core = this.#cores[point]!;
      best.bounds[root] = Math.min(best.bounds[root]!, this.#bounds[point]!);
      for (let at = point * count; at < (point + 1) * count; at++) {
        const other = indices[at]!;
        const outside = this.sets.find(other);
        if (outside === root) continue;
        const weight = Math.max(core, this.#cores[other]!, distances[at]!);
        offer(root, point, other, weight);
        offer(outside, other, point, weight);
      }
      const target = this.#targets[point]!;
      if (target >= 0 && this.sets.find(target) !== root) {
        offer(root, point, target, this.#bounds[point]!);
        offer(this.sets.find(target), target, point, this.#bounds[point]!);
      }
    }
  }
}

interface Nearest {
  targets: Int32Array;
  weights: Float64Array;
}

interface Outside {
  space: MetricSpace;
  cores: Float64Array;
  components: Int32Array;
  rows: Int32Array;
  start: number;
  end: number;
}

/** The lightest edge from each of the rows to a point of another component; the first of equal ones. */
export async function nearestOutside(options: Outside): Promise<Nearest> {
  const { space, cores, components, start, end } = options;
  const { centred, points, squares, margin } = space;
  const { rows, columns } = centred;
  const product = await openProduct({ transposeB: true });
  const products = new Float32Array(queryRows * pointRows);
  const targets = new Int32Array(end - start).fill(-1);
  const weights = new Float64Array(end - start).fill(Number.POSITIVE_INFINITY);
  for (let from = start; from < end; from += queryRows) {
    const chosen = options.rows.subarray(from, Math.min(end, from + queryRows));
    const chunk = gatherRows(centred, chosen);
    for (let first = 0; first < rows; first += pointRows) {
      const size = Math.min(pointRows, rows - first);
      const data = centred.data.subarray(first * columns, (first + size) * columns);
      const { data: scores } = await product(chunk, { data, rows: size, columns }, products);
      for (let query = 0, at = 0; query < chosen.length; query++) {
        const row = chosen[query]!;
        const place = from - start + query;
        const component = components[row]!;
        const core = cores[row]!;
        const square = squares[row]! - margin;
        let least = weights[place]!;
        for (let point = first; point < first + size; point++, at++) {
          // What the pair weighs at least; nearly always enough to leave it.
          if (square + squares[point]! - 2 * scores[at]! >= least) continue;
          if (cores[point]! >= least || components[point] === component) continue;
          const exact = squaredDistance(points.data, row * columns, points.data, point * columns, columns);
          const weight = Math.max(core, cores[point]!, exact);
          if (weight >= least) continue;
          least = weight;
          targets[place] = point;
          // Nothing weighs less than the row's own core distance.
          if (least === core) {
            at += first + size - point;
            break;
          }
        }
        weights[place] = least;
      }
    }
  }
  return { targets, weights };
}
