import type { MatrixView } from './matrix-product.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { dot, squaredDistance } from './vectors.ts';

export interface LloydOptions {
  /** Most rounds of assignment and update. */
  maxIterations: number;
  /** Ends when the sum of the squared lengths of the centres' moves is at most this. */
  tolerance: number;
  /** Keep the centres at length 1. */
  spherical: boolean;
}

export interface LloydResult {
  /** Nearest centre of each point. */
  labels: Int32Array;
  centres: MatrixView;
  /** Rows in each cluster; 0 only if fewer points differ than there are centres. */
  sizes: Int32Array;
  iterations: number;
  /** False if the centres still moved after `maxIterations`. */
  converged: boolean;
}

/**
 * Lloyd's iterations (1982) from given centres, at least one point: assign, move to the means, until no label
 * changes. Sums are float64; a cluster that loses all its points gets the one farthest from its centre.
 */
export async function lloyd(
  points: MatrixView,
  start: MatrixView,
  options: LloydOptions,
): Promise<LloydResult> {
  const centres = { ...start, data: start.data.slice() };
  const labels = new Int32Array(points.rows).fill(-1);
  const nearest = await openNearestCentre(points);
  const members = new Members(points, centres.rows);
  for (let iterations = 0, still = false; ; iterations++) {
    let changed = await nearest.assign(centres, labels);
    changed += fillEmpty(points, centres, labels);
    members.update(labels);
    // After centres that hardly moved, this assignment is the one that belongs to them.
    const converged = still || changed === 0;
    if (converged || iterations >= options.maxIterations)
      return { labels, centres, sizes: members.sizes, iterations, converged };
    still = members.moveCentres(centres, options.spherical) <= options.tolerance;
  }
}

/** Squared Euclidean distance of each row to its centre, in float64. */
export function distancesToCentres(
  points: MatrixView,
  centres: MatrixView,
  labels: Int32Array,
): Float64Array {
  const { data, rows, columns } = points;
  const distances = new Float64Array(rows);
  for (let row = 0; row < rows; row++)
    distances[row] = squaredDistance(data, row * columns, centres.data, labels[row]! * columns, columns);
  return distances;
}

/** Sums and sizes of the clusters, kept up to date with the labels: only rows that changed sides are added again. */
class Members {
  readonly sums: Float64Array;
  readonly sizes: Int32Array;
  readonly #points: MatrixView;
  readonly #labels: Int32Array;

  constructor(points: MatrixView, k: number) {
    this.#points = points;
    this.#labels = new Int32Array(points.rows).fill(-1);
    this.sums = new Float64Array(k * points.columns);
    this.sizes = new Int32Array(k);
  }

  update(labels: Int32Array): void {
    const { data, columns } = this.#points;
    for (let row = 0; row < labels.length; row++) {
      const from = this.#labels[row]!;
      const to = labels[row]!;
      if (from === to) continue;
      this.#labels[row] = to;
      const start = row * columns;
      if (from >= 0) {
        this.sizes[from]!--;
        const at = from * columns;
        for (let column = 0; column < columns; column++) this.sums[at + column]! -= data[start + column]!;
      }
      this.sizes[to]!++;
      const at = to * columns;
      for (let column = 0; column < columns; column++) this.sums[at + column]! += data[start + column]!;
    }
  }

  /** Puts the centres to the means of their rows and returns the sum of the squared lengths of their moves. */
  moveCentres(centres: MatrixView, spherical: boolean): number {
    const { data, rows, columns } = centres;
    let shift = 0;
    for (let cluster = 0; cluster < rows; cluster++) {
      const size = this.sizes[cluster]!;
      // Only a cluster that no row could fill: its centre is another one's twin and stays.
      if (size === 0) continue;
      const start = cluster * columns;
      let divisor = size;
      if (spherical) {
        divisor = Math.sqrt(dot(this.sums, start, this.sums, start, columns));
        if (divisor === 0) divisor = 1;
      }
      for (let at = start; at < start + columns; at++) {
        const value = Math.fround(this.sums[at]! / divisor);
        shift += (value - data[at]!) ** 2;
        data[at] = value;
      }
    }
    return shift;
  }
}

/**
 * Gives each empty cluster the row that lies farthest from its own centre (and is not the last of its cluster), as
 * scikit-learn does. Returns the number of rows moved.
 */
function fillEmpty(points: MatrixView, centres: MatrixView, labels: Int32Array): number {
  const { columns } = points;
  const sizes = new Int32Array(centres.rows);
  for (const label of labels) sizes[label]!++;
  const empty = [...sizes.keys()].filter((cluster) => sizes[cluster] === 0);
  if (empty.length === 0) return 0;
  const distances = distancesToCentres(points, centres, labels);
  const order = [...labels.keys()]
    .filter((row) => distances[row]! > 0)
    .sort((a, b) => distances[b]! - distances[a]! || a - b);
  let moved = 0;
  for (const row of order) {
    if (moved === empty.length) break;
    const from = labels[row]!;
    if (sizes[from] === 1) continue;
    const cluster = empty[moved++]!;
    sizes[from]!--;
    labels[row] = cluster;
    sizes[cluster] = 1;
    centres.data.set(points.data.subarray(row * columns, (row + 1) * columns), cluster * columns);
  }
  return moved;
}
