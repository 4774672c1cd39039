import type { Row } from '../../engine/artefacts.ts';
import type { Matrix, StepContext } from '../../engine/step.ts';
import { agglomerate, mostRows } from '../../numerics/agglomerative.ts';
import { type assignRows, moduleUrl as assignUrl } from '../../numerics/assign-rows.ts';
import { type Evolution, evolution } from '../../numerics/cluster-evolution.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { Earlier } from './earlier.ts';
import type { Found } from './methods.ts';
import type { Parameters } from './parameters.ts';
import { predictByDensity } from './predict.ts';
import { assignByDensity } from './update-density.ts';
import { withCentres } from './with-centres.ts';

/** Share of a cluster's earlier rows that lie within its radius. */
const radiusQuantile = 0.95;
/** A cluster with fewer rows has no radius of its own. */
const leastForRadius = 5;

/**
 * Keeps earlier rows where they were and gives new ones to the nearest cluster. Those outside its radius, and earlier noise,
 * are pooled: where many are close together they make new clusters; the others go to the nearest cluster after all. By HDBSCAN
 * density says where they go, or that they are noise.
 */
export async function assignToEarlier(
  matrix: Matrix,
  earlier: Earlier,
  { parameters, metric }: { parameters: Parameters; metric: Metric },
  context: StepContext,
): Promise<Found> {
  if (parameters.update === 'predict') return predictByDensity(matrix, earlier, parameters, context);
  if (parameters.method === 'hdbscan') return assignByDensity(matrix, earlier, parameters, context);
  const labels = earlier.labels.slice();
  const k = earlier.numbers.length;
  const added = rowsWhere(labels, (label) => label === -2);
  const pool = rowsWhere(labels, (label) => label === -1);
  if (k > 0 && added.length > 0) {
    const found = await nearest(matrix, added, earlier.centres, metric, context);
    const radii = radiiOf(earlier);
    added.forEach((row, index) => {
      const label = found.labels[index]!;
      if (found.distances[index]! <= radii[label]!) labels[row] = label;
      else pool.push(row);
    });
  } else pool.push(...added);
  pool.sort((a, b) => a - b);
  const clusters = k + (await addDense(matrix, labels, pool, earlier, { parameters, metric }, context));
  const left = pool.filter((row) => labels[row]! < 0);
  for (const row of left) labels[row] = -1;
  if (left.length > 0 && matrix.rows > 0) {
    const now = await withCentres({ matrix, labels, k: clusters, metric }, context);
    // Without any centre to go to all are one cluster.
    const centres = now.k > 0 ? now.centres : earlier.centres;
    const found = centres.rows > 0 ? await nearest(matrix, left, centres, metric, context) : undefined;
    left.forEach((row, index) => {
      const place = found?.labels[index] ?? 0;
      labels[row] = now.k > 0 ? now.order[place]! : place;
    });
  }
  return withCentres({ matrix, labels, k: Math.max(clusters, 1), metric }, context);
}

/**
 * Labels groups of the pool as new clusters, from the number of earlier ones on, and says how many there are: groups by
 * average linkage that are as close as the rows of a usual earlier cluster are to each other, large enough, at least half of new
 * rows, and no fringe of an earlier cluster, whose radius does not reach their centre.
 */
async function addDense(
  matrix: Matrix,
  labels: Int32Array,
  pool: number[],
  earlier: Earlier,
  { parameters, metric }: { parameters: Parameters; metric: Metric },
  context: StepContext,
): Promise<number> {
  const k = earlier.numbers.length;
  if (pool.length < parameters.min_cluster_size) return 0;
  if (k === 0 || pool.length > mostRows) {
    context.warn(
      k === 0
        ? 'there were no clusters to assign rows to: take update: recluster'
        : `${pool.length} new rows belong to no earlier cluster, too many to look for new ones: take update: recluster`,
    );
    return 0;
  }
  const radii = radiiOf(earlier);
  const usual = radii.toSorted((a, b) => a - b)[k >> 1]!;
  const pooled = gatherRows(matrix, pool);
  // Two rows at a distance r from their mean are √2·r apart; 1 − cos, a square of it, doubles.
  const distance = usual * (metric === 'cosine' ? 2 : Math.SQRT2);
  const groups = await agglomerate(
    { matrix: pooled, linkage: 'average', metric, until: { distance } },
    context.pool,
  );
  const found = await withCentres(
    { matrix: pooled, labels: groups.labels, k: groups.clusters, metric },
    context,
  );
  const centres = [...found.sizes.keys()];
  const near = await nearest(found.centres, centres, earlier.centres, metric, context);
  const added = new Int32Array(found.k);
  pool.forEach((row, index) => {
    if (earlier.labels[row] === -2) added[found.labels[index]!]!++;
  });
  const accepted = centres.filter(
    (cluster) =>
      found.sizes[cluster]! >= parameters.min_cluster_size &&
      2 * added[cluster]! >= found.sizes[cluster]! &&
      near.distances[cluster]! > radii[near.labels[cluster]!]!,
  );
  const places = new Map(accepted.map((cluster, place) => [cluster, k + place]));
  pool.forEach((row, index) => {
    const place = places.get(found.labels[index]!);
    if (place !== undefined) labels[row] = place;
  });
  return accepted.length;
}

function rowsWhere(labels: Int32Array, holds: (label: number) => boolean): number[] {
  return [...labels.keys()].filter((row) => holds(labels[row]!));
}

function nearest(matrix: Matrix, rows: number[], centres: Matrix, metric: Metric, context: StepContext) {
  return context.pool.run<unknown, Awaited<ReturnType<typeof assignRows>>>(assignUrl, 'assignRows', {
    matrix: gatherRows(matrix, rows),
    centres,
    metric,
  });
}

/** How far from its centre a cluster reaches; of a small one, as far as the median of the others. */
function radiiOf({ distances }: Earlier): number[] {
  const own = distances.map((values) =>
    values.length < leastForRadius
      ? Number.NaN
      : values[Math.min(values.length - 1, Math.ceil(radiusQuantile * values.length) - 1)]!,
  );
  const known = own.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const median = known[known.length >> 1] ?? Number.POSITIVE_INFINITY;
  return own.map((value) => (Number.isNaN(value) ? median : value));
}

/** The clusters' numbers through time, and what became of those there were. */
export interface Lineage {
  numbers: number[];
  nextNumber: number;
  evolution: Evolution;
}

/** Gives clusters the numbers of those that they continue, and new ones to the others, the largest first. */
export function lineageOf(found: Found, earlier: Earlier): Lineage {
  const shared = rowsWhere(earlier.labels, (label) => label > -2);
  const traced = evolution({
    before: shared.map((row) => earlier.labels[row]!),
    after: shared.map((row) => found.labels[row]!),
    sizesBefore: earlier.sizes,
    sizesAfter: found.sizes,
  });
  let { nextNumber } = earlier;
  const numbers = Array.from(traced.continues, (place) =>
    place >= 0 ? earlier.numbers[place]! : nextNumber++,
  );
  return { numbers, nextNumber, evolution: traced };
}

/** The rows of the output `evolution`. */
export function evolutionRows(
  { numbers, evolution: traced }: Lineage,
  found: Found,
  earlier: Earlier,
): Row[] {
  return traced.changes.map(({ status, before, after, kept, from, into }) => {
    const cluster = after >= 0 ? numbers[after]! : earlier.numbers[before]!;
    return {
      id: String(cluster),
      cluster,
      status,
      size_before: before >= 0 ? earlier.sizes[before]! : null,
      size: after >= 0 ? found.sizes[after]! : 0,
      kept,
      came: after >= 0 ? found.sizes[after]! - kept : 0,
      left: before >= 0 ? earlier.sizes[before]! - kept : 0,
      from: from.map((place) => earlier.numbers[place]!),
      into: into.map((place) => numbers[place]!),
    };
  });
}
