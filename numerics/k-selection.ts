import { type Init, kmeansRestart, prepareRows } from './kmeans.ts';
import type { MatrixView } from './matrix-product.ts';
import { type PcaOptions, pca, project } from './pca.ts';
import { uniform } from './random.ts';
import { silhouette } from './silhouette.ts';
import { sharedFloats } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export type Criterion = 'silhouette' | 'elbow' | 'gap';

/** What is known of one number of clusters. */
export interface Candidate {
  k: number;
  /** Sum of squared distances to the centres. */
  inertia: number;
  /** Mean silhouette; NaN for one cluster, and where it was not asked for. */
  silhouette: number;
  /** Gap statistic, and its standard error; NaN where it was not asked for. */
  gap: number;
  gapError: number;
}

/** Whole numbers from `least` to `most`, rising: all of them, or `count` whose ratios are as even as can be. */
export function spacedCounts(least: number, most: number, count: number): number[] {
  const all = Math.max(0, most - least + 1);
  if (all <= count) return Array.from({ length: all }, (_, at) => least + at);
  const counts: number[] = [];
  for (let at = 0; at < count; at++) {
    const even = Math.round(least * (most / least) ** (at / (count - 1)));
    counts.push(Math.min(most - (count - 1 - at), Math.max(even, (counts.at(-1) ?? least - 1) + 1)));
  }
  return counts;
}

/** Reference sets of the gap statistic. */
export const gapReferences = 10;

export interface CandidateOptions {
  matrix: MatrixView;
  /** Sets without clusters, from `referenceSets`; for the gap statistic only. */
  references?: readonly MatrixView[];
  spherical: boolean;
  k: number;
  init: Init;
  maxIterations: number;
  tolerance: number;
  withSilhouette: boolean;
  seed: number;
}

/** Rows whose silhouette is averaged for a candidate. */
export const silhouetteSample = 1000;

/** Clusters by k-means from one start, and says how good `k` clusters are; at least one row. */
export async function kmeansCandidate(options: CandidateOptions): Promise<Candidate> {
  const { matrix, spherical, k, seed, references = [] } = options;
  const found = await kmeansRestart({ ...options, rows: prepareRows({ matrix, spherical }) });
  const logs: number[] = [];
  for (const reference of references) {
    const rows = prepareRows({ matrix: reference, spherical });
    logs.push(Math.log((await kmeansRestart({ ...options, rows })).inertia));
  }
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length;
  return {
    k,
    inertia: found.inertia,
    silhouette: options.withSilhouette
      ? await silhouette({
          vectors: matrix,
          labels: found.labels,
          metric: spherical ? 'cosine' : 'euclidean',
          sampleSize: silhouetteSample,
          seed,
        })
      : Number.NaN,
    gap: mean - Math.log(found.inertia),
    gapError: Math.sqrt(variance * (1 + 1 / logs.length)),
  };
}

/**
 * Rows in the coordinates of their principal components, and `gapReferences` sets of as many rows that are uniform in the
 * box round them (Tibshirani, Walther & Hastie 2001, section 3, b).
 */
export function referenceSets({ matrix, seed }: { matrix: MatrixView; seed: number }) {
  const options: PcaOptions = { matrix, count: Math.min(matrix.columns, Math.max(1, matrix.rows - 1)) };
  const found = pca(options);
  const { rows } = matrix;
  const coordinates = project(matrix, found);
  const columns = rows > 0 ? coordinates.length / rows : 0;
  const least = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  coordinates.forEach((value, at) => {
    least[at % columns] = Math.min(least[at % columns]!, value);
    most[at % columns] = Math.max(most[at % columns]!, value);
  });
  const next = uniform(seed);
  const shared = (fill: (at: number) => number): MatrixView => {
    const data = sharedFloats(rows * columns);
    for (let at = 0; at < data.length; at++) data[at] = fill(at);
    return { data, rows, columns };
  };
  return {
    matrix: shared((at) => coordinates[at]!),
    references: Array.from({ length: gapReferences }, () =>
      shared((at) => least[at % columns]! + (most[at % columns]! - least[at % columns]!) * next()),
    ),
  };
}

/**
 * The best of candidates, in order of `k`, by one criterion; undefined if none can be told.
 *
 * - `silhouette`: the greatest (Kaufman & Rousseeuw 1990).
 * - `elbow`: the point of the falling curve of inertia that is farthest below the line between its ends, both axes scaled
 *   to 0…1 (Satopää et al. 2011).
 * - `gap`: the first whose gap is at least the next one's less its standard error (Tibshirani et al. 2001); the
 *   greatest gap if there is none.
 *
 * The first of equals wins.
 */
export function bestCandidate(candidates: readonly Candidate[], criterion: Criterion): Candidate | undefined {
  if (criterion === 'silhouette') return greatest(candidates, ({ silhouette }) => silhouette);
  if (criterion === 'gap') {
    const first = candidates.find((candidate, at) => {
      const next = candidates[at + 1];
      return next !== undefined && candidate.gap >= next.gap - next.gapError;
    });
    return first ?? greatest(candidates, ({ gap }) => gap);
  }
  const [first, last] = [candidates[0], candidates.at(-1)];
  if (!first || !last) return undefined;
  const width = last.k - first.k;
  const height = first.inertia - last.inertia;
  if (width === 0) return first.inertia > 0 ? first : undefined;
  if (height <= 0) return undefined;
  return greatest(
    candidates,
    ({ k, inertia }) => 1 - (k - first.k) / width - (inertia - last.inertia) / height,
  );
}

function greatest(candidates: readonly Candidate[], scoreOf: (candidate: Candidate) => number) {
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    const score = scoreOf(candidate);
    if (!Number.isNaN(score) && (!best || score > scoreOf(best))) best = candidate;
  }
  return best;
}

/** What is known of given clusterings, each with labels from 0 to `k` − 1; without the gap statistic. */
export async function cutCandidates(options: {
  matrix: MatrixView;
  cuts: readonly { k: number; labels: Int32Array }[];
  metric: 'cosine' | 'euclidean';
  seed: number;
}): Promise<Candidate[]> {
  const { matrix, cuts, metric, seed } = options;
  const found: Candidate[] = [];
  for (const { k, labels } of cuts)
    found.push({
      k,
      inertia: withinSquares(matrix, labels, k),
      silhouette: await silhouette({ vectors: matrix, labels, metric, sampleSize: silhouetteSample, seed }),
      gap: Number.NaN,
      gapError: Number.NaN,
    });
  return found;
}

/** Sum of the squared distances of the rows to the means of their clusters. */
function withinSquares({ data, rows, columns }: MatrixView, labels: Int32Array, k: number): number {
  const sums = new Float64Array(k * columns);
  const sizes = new Float64Array(k);
  for (let row = 0, at = 0; row < rows; row++) {
    sizes[labels[row]!]!++;
    for (let column = 0; column < columns; column++, at++)
      sums[labels[row]! * columns + column]! += data[at]!;
  }
  let total = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    const cluster = labels[row]!;
    for (let column = 0; column < columns; column++, at++)
      total += (data[at]! - sums[cluster * columns + column]! / sizes[cluster]!) ** 2;
  }
  return total;
}
