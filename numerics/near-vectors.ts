import { type MatrixView, openProduct } from './matrix-product.ts';
import { dot, gatherRows } from './vectors.ts';
import { inParts, type Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Rows of a product at a time. */
const blockRows = 512;

/** For each row the row that it repeats, or −1, and the cosine of the two. */
export interface Repeats {
  of: Int32Array;
  cosine: Float64Array;
}

export interface RepeatOptions {
  /** Rows of length 1 (or 0: such a row repeats nothing); in memory that threads share, see `normalized`. */
  unit: MatrixView;
  /** Least cosine of a repeat. */
  threshold: number;
}

/**
 * Rows that repeat one that came before them in `order` and is kept itself, with the most similar such row: the greedy
 * choice of SemHash, within each of the `clusters` (lists of rows) as in SemDeDup (Abbas et al. 2023). Every
 * repeat has a cosine of at least `threshold` with the row it is said to repeat, and no two kept rows of a cluster have.
 * Cosines near the threshold are computed in float64: the same rows on every machine, with any number of threads. Time is
 * Σ n·kept·d over the clusters.
 */
export async function repeatsInClusters(
  { unit, threshold }: RepeatOptions,
  clusters: readonly Int32Array[],
  workers: Workers,
): Promise<Repeats> {
  const found = noRepeats(unit.rows);
  const parts = await Promise.all(
    clusters.map((members) =>
      workers.run<ClusterTask, Repeats>(moduleUrl, 'repeatsOfCluster', { unit, threshold, members }),
    ),
  );
  parts.forEach((part, index) => {
    clusters[index]!.forEach((row, place) => {
      found.of[row] = part.of[place]!;
      found.cosine[row] = part.cosine[place]!;
    });
  });
  return found;
}

/** The row of `others` that is most similar to each row, where its cosine is at least the threshold. */
export async function repeatsOfOthers(
  { unit, threshold }: RepeatOptions,
  others: MatrixView,
  workers: Workers,
): Promise<Repeats> {
  const found = noRepeats(unit.rows);
  if (unit.rows === 0 || others.rows === 0) return found;
  const parts = await inParts<Repeats>(workers, moduleUrl, 'nearestOthers', unit.rows, (from, to) => ({
    unit,
    threshold,
    others,
    from,
    to,
  }));
  let at = 0;
  for (const part of parts) {
    found.of.set(part.of, at);
    found.cosine.set(part.cosine, at);
    at += part.of.length;
  }
  return found;
}

interface ClusterTask extends RepeatOptions {
  members: Int32Array;
}

/** The repeats within one cluster, each row by its place in `members`, for a worker thread: time members × kept members × columns. */
export async function repeatsOfCluster({ unit, threshold, members }: ClusterTask): Promise<Repeats> {
  const found = noRepeats(members.length);
  const compare = await openComparison(threshold, unit.columns);
  const kept: number[] = [];
  for (let start = 0; start < members.length; start += blockRows) {
    const block = members.subarray(start, start + blockRows);
    const rows = gatherRows(unit, block);
    // All rows kept before this block, block by block.
    for (let first = 0; first < kept.length; first += blockRows) {
      const earlier = kept.slice(first, first + blockRows);
      await compare(rows, gatherRows(unit, earlier), (row, other, cosine) =>
        note(found, start + row, earlier[other]!, cosine),
      );
    }
    // Then the rows of the block among themselves, in order: a row that repeats another is no model for a third.
    const pairs: [number, number, number][] = [];
    await compare(rows, rows, (row, other, cosine) => {
      if (other < row) pairs.push([row, other, cosine]);
    });
    for (const [row, other, cosine] of pairs)
      if (found.of[start + other] === -1) note(found, start + row, block[other]!, cosine);
    block.forEach((row, place) => {
      if (found.of[start + place] === -1) kept.push(row);
    });
  }
  return found;
}

/** For the rows `from` to `to` the nearest of other rows that are near enough, for a worker thread. */
export async function nearestOthers({
  unit,
  threshold,
  others,
  from,
  to,
}: RepeatOptions & { others: MatrixView; from: number; to: number }): Promise<Repeats> {
  const found = noRepeats(to - from);
  const compare = await openComparison(threshold, unit.columns);
  for (let start = from; start < to; start += blockRows) {
    const rows = viewOf(unit, start, Math.min(to, start + blockRows));
    for (let first = 0; first < others.rows; first += blockRows) {
      const chunk = viewOf(others, first, Math.min(others.rows, first + blockRows));
      await compare(rows, chunk, (row, other, cosine) =>
        note(found, start - from + row, first + other, cosine),
      );
    }
  }
  return found;
}

function viewOf({ data, columns }: MatrixView, from: number, to: number): MatrixView {
  return { data: data.subarray(from * columns, to * columns), rows: to - from, columns };
}

/** The most similar one is kept; of equals the first. */
function note(found: Repeats, place: number, other: number, cosine: number): void {
  if (found.of[place] !== -1 && cosine <= found.cosine[place]!) return;
  found.of[place] = other;
  found.cosine[place] = cosine;
}

/** Calls `hit` for the pairs with a cosine of at least the threshold, row by row. */
async function openComparison(threshold: number, columns: number) {
  const product = await openProduct({ transposeB: true });
  const scores = new Float32Array(blockRows * blockRows);
  // Above the error of a float32 product of two rows of length 1.
  const margin = (columns + 2) * 2 ** -23;
  return async (
    a: MatrixView,
    b: MatrixView,
    hit: (row: number, other: number, cosine: number) => void,
  ): Promise<void> => {
    const { data } = await product(a, b, scores);
    for (let row = 0, at = 0; row < a.rows; row++) {
      for (let other = 0; other < b.rows; other++, at++) {
        if (data[at]! < threshold - margin) continue;
        const cosine = Math.min(1, dot(a.data, row * columns, b.data, other * columns, columns));
        // Rows of length 1 are so to float32's precision.
        if (cosine >= threshold - 1e-6) hit(row, other, cosine);
      }
    }
  };
}

function noRepeats(rows: number): Repeats {
  return { of: new Int32Array(rows).fill(-1), cosine: new Float64Array(rows) };
}
