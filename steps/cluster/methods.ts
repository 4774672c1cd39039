import { StepError } from '../../engine/problems.ts';
import type { Matrix, StepContext } from '../../engine/step.ts';
import { agglomerate, type Linkage, mostRows } from '../../numerics/agglomerative.ts';
import { type Clusters, moduleUrl as centresUrl } from '../../numerics/cluster-centres.ts';
import { hdbscan } from '../../numerics/hdbscan.ts';
import type { Init, KMeansResult } from '../../numerics/kmeans.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { type MinibatchOptions, moduleUrl as minibatchUrl } from '../../numerics/minibatch-kmeans.ts';
import { bestOfRestarts } from './restarts.ts';

export interface Parameters {
  method: 'kmeans' | 'minibatch_kmeans' | 'spherical_kmeans' | 'hdbscan' | 'agglomerative';
  k?: number;
  init: Init;
  n_init: number;
  max_iter: number;
  tol: number;
  spherical: boolean;
  batch_size: number;
  max_no_improvement: number;
  metric: Metric;
  min_cluster_size: number;
  min_samples?: number;
  cluster_selection_method: 'eom' | 'leaf';
  cluster_selection_epsilon: number;
  allow_single_cluster: boolean;
  linkage: Linkage;
  distance_threshold?: number;
}

/** Clusters with what only some methods know. */
export interface Found extends Clusters {
  /** k-means: sum of squared distances, and iterations of the start that was kept. */
  inertia?: number;
  iterations?: number;
  /** HDBSCAN, by row. */
  probabilities?: Float64Array;
  outlierScores?: Float64Array;
  /** HDBSCAN, by cluster. */
  persistence?: Float64Array;
}

const usesK = new Set<Parameters['method']>(['kmeans', 'minibatch_kmeans', 'spherical_kmeans']);

/** Parameters that a method needs and has not, or that mean nothing to it. */
export function checkParameters(given: Parameters): { parameter: string; message: string }[] {
  const { method, k, distance_threshold: threshold } = given;
  const problems: { parameter: string; message: string }[] = [];
  const say = (parameter: string, message: string) => void problems.push({ parameter, message });
  if (usesK.has(method) && k === undefined) say('k', `${method} needs the number of clusters`);
  if (method === 'hdbscan' && k !== undefined)
    say('k', 'hdbscan finds the number of clusters itself: say min_cluster_size');
  if (method === 'agglomerative') {
    if (k === undefined && threshold === undefined) say('k', 'agglomerative needs k or distance_threshold');
    if (k !== undefined && threshold !== undefined)
      say('distance_threshold', 'agglomerative takes k or distance_threshold, not both');
    if (given.linkage === 'ward' && given.metric === 'cosine')
      say('metric', 'ward takes euclidean distances; for cosine take average, complete or single');
  } else if (threshold !== undefined) say('distance_threshold', `${method} has no distance_threshold`);
  return problems;
}

/** Clusters the rows of a matrix of finite numbers. Warns where there are fewer clusters than asked for. */
export async function findClusters(
  matrix: Matrix,
  parameters: Parameters,
  context: StepContext,
): Promise<Found> {
  const { method } = parameters;
  if (method === 'hdbscan') return byDensity(matrix, parameters, context);
  if (method === 'agglomerative') return byMerging(matrix, parameters, context);
  const k = parameters.k!;
  const spherical = parameters.spherical || method === 'spherical_kmeans';
  const found =
    method === 'minibatch_kmeans'
      ? await context.pool.run<MinibatchOptions, KMeansResult>(minibatchUrl, 'minibatchKMeans', {
          matrix,
          spherical,
          k,
          init: parameters.init,
          batchSize: parameters.batch_size,
          maxIterations: parameters.max_iter,
          maxNoImprovement: parameters.max_no_improvement,
          seed: context.random('start', 0).seed(),
        })
      : await bestOfRestarts(matrix, { ...parameters, k, spherical }, context);
  if (found.k < k) {
    context.warn(
      `there are ${found.k} clusters instead of ${k}: ${
        method === 'minibatch_kmeans'
          ? 'no row is nearest to the others'
          : `only ${found.k} of the ${matrix.rows} vectors differ`
      }`,
    );
  }
  if (!found.converged) {
    context.warn(`k-means still moved after ${found.iterations} iterations: raise max_iter or tol`);
  }
  return found;
}

async function byDensity(matrix: Matrix, parameters: Parameters, context: StepContext): Promise<Found> {
  const { metric, min_cluster_size: minClusterSize } = parameters;
  const found = await hdbscan(
    {
      matrix,
      metric,
      minClusterSize,
      minSamples: parameters.min_samples ?? minClusterSize,
      selection: {
        method: parameters.cluster_selection_method,
        epsilon: parameters.cluster_selection_epsilon,
        allowSingleCluster: parameters.allow_single_cluster,
      },
    },
    context.pool,
  );
  const { probabilities, outlierScores } = found;
  const clusters = await placed(matrix, found.labels, found.selected.length, metric, context);
  if (clusters.k === 0 && matrix.rows > 0)
    context.warn(
      `all ${matrix.rows} rows are noise: lower min_cluster_size or min_samples, or set allow_single_cluster`,
    );
  const persistence = Float64Array.from(clusters.order, (cluster) => found.persistence[cluster]!);
  return { ...clusters, probabilities, outlierScores, persistence };
}

async function byMerging(matrix: Matrix, parameters: Parameters, context: StepContext): Promise<Found> {
  const { linkage, metric, k, distance_threshold: distance } = parameters;
  if (linkage !== 'single' && matrix.rows > mostRows) {
    throw new StepError(
      'too-many-pairs',
      `${linkage} linkage keeps the distances of all pairs of rows: ${matrix.rows} rows are more than ${mostRows}`,
      'cluster a sample, or take linkage: single, or the method kmeans or hdbscan',
    );
  }
  const until = distance === undefined ? { clusters: k! } : { distance };
  const found = await agglomerate({ matrix, linkage, metric, until }, context.pool);
  if (k !== undefined && found.clusters < k)
    context.warn(`there are ${found.clusters} clusters instead of ${k}: there are no more rows`);
  return placed(matrix, found.labels, found.clusters, metric, context);
}

function placed(matrix: Matrix, labels: Int32Array, k: number, metric: Metric, context: StepContext) {
  return context.pool.run<unknown, Clusters & { order: number[] }>(centresUrl, 'withCentres', {
    matrix,
    labels,
    k,
    metric,
  });
}
