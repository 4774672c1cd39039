import { centreDendrogram, cosine, cutDendrogram, type Groups, type Merge } from './dendrogram.ts';
import type { MatrixView } from './matrix-product.ts';
import { distanceTotals, silhouetteOf } from './silhouette.ts';
import { dot } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Rows whose silhouette says how far to merge. */
const sampleSize = 2000;

export interface Merged {
  /** New cluster of each old one, from 0 in order of the first old one. */
  groups: Int32Array;
  /** What was merged, in order; `height` is 1 − the cosine of the two centres. */
  merges: Merge[];
}

/**
 * Merges the two clusters whose centres have the greatest cosine, as long as this is at least `threshold`. The centre of a
 * merged cluster is the mean of its rows. O(k²) each merge.
 */
export function mergeSimilar({ centres, sizes, threshold }: Groups & { threshold: number }): Merged {
  const { rows: k, columns } = centres;
  const data = Float64Array.from(centres.data);
  const nodes = Array.from({ length: k }, (_, cluster) => cluster);
  const counts = Array.from(sizes);
  const groups = Int32Array.from(nodes);
  const alive = new Set(nodes);
  const similarities = new Float64Array(k * k);
  const compare = (a: number, b: number) => {
    const length = (cluster: number) =>
      Math.sqrt(dot(data, cluster * columns, data, cluster * columns, columns));
    const value = cosine(dot(data, a * columns, data, b * columns, columns), length(a), length(b));
    similarities[a * k + b] = value;
    similarities[b * k + a] = value;
  };
  for (let a = 0; a < k; a++) for (let b = 0; b < a; b++) compare(a, b);
  const merges: Merge[] = [];
  for (;;) {
    let [left, right] = [-1, -1];
    let most = threshold;
    for (const a of alive)
      for (const b of alive) {
        const similarity = similarities[a * k + b]!;
        if (a < b && (similarity > most || (similarity === most && left < 0))) {
          most = similarity;
          [left, right] = [a, b];
        }
      }
    if (left < 0) break;
    const size = counts[left]! + counts[right]!;
    for (let column = 0; column < columns; column++)
      data[left * columns + column] =
        (data[left * columns + column]! * counts[left]! + data[right * columns + column]! * counts[right]!) /
        size;
    const [low, high] = [nodes[left]!, nodes[right]!].sort((x, y) => x - y) as [number, number];
    merges.push({ left: low, right: high, height: 1 - most, size });
    nodes[left] = k + merges.length - 1;
    counts[left] = size;
    alive.delete(right);
    groups.forEach((group, cluster) => {
      if (group === right) groups[cluster] = left;
    });
    for (const other of alive) if (other !== left) compare(left, other);
  }
  const numbers = [...alive].sort((a, b) => a - b);
  return { groups: groups.map((group) => numbers.indexOf(group)), merges };
}

/**
 * Merges clusters up the dendrogram of their centres, as far as the mean silhouette is greatest; not at all if that is how
 * they are. At least two are left. `labels`: the cluster of each row, no noise.
 */
export async function mergeBySilhouette(
  options: Groups & { vectors: MatrixView; labels: Int32Array; seed: number },
): Promise<Merged> {
  const { centres, vectors, labels, metric, seed } = options;
  const k = centres.rows;
  const none = { groups: Int32Array.from({ length: k }, (_, cluster) => cluster), merges: [] };
  if (k < 3) return none;
  const merges = centreDendrogram(options);
  const { sample, totals } = await distanceTotals({ vectors, labels, metric, sampleSize, seed, k });
  let best: Merged & { score: number } = { ...none, score: Number.NEGATIVE_INFINITY };
  for (let count = k; count >= 2; count--) {
    const groups = cutDendrogram(merges, count);
    const sizes = new Float64Array(count);
    for (let cluster = 0; cluster < k; cluster++) sizes[groups[cluster]!]! += options.sizes[cluster]!;
    const distances = new Float64Array(count);
    let score = 0;
    for (let index = 0; index < sample.length; index++) {
      distances.fill(0);
      for (let cluster = 0; cluster < k; cluster++)
        distances[groups[cluster]!]! += totals[index * k + cluster]!;
      score += silhouetteOf(distances, groups[labels[sample[index]!]!]!, sizes);
    }
    if (score > best.score) best = { groups, merges: merges.slice(0, k - count), score };
  }
  return { groups: best.groups, merges: withCosines(options, best.merges) };
}

/** The merges with 1 − the cosine of the two centres in the place of their heights. */
function withCosines({ centres, sizes }: Groups, merges: readonly Merge[]): Merge[] {
  const { data, rows: k, columns } = centres;
  const sums = Array.from({ length: k }, (_, cluster) =>
    Float64Array.from(
      data.subarray(cluster * columns, (cluster + 1) * columns),
      (value) => value * sizes[cluster]!,
    ),
  );
  return merges.map((merge) => {
    const [left, right] = [sums[merge.left]!, sums[merge.right]!];
    sums.push(left.map((value, column) => value + right[column]!));
    const length = (sum: Float64Array) => Math.sqrt(dot(sum, 0, sum, 0, columns));
    return { ...merge, height: 1 - cosine(dot(left, 0, right, 0, columns), length(left), length(right)) };
  });
}
