import { StepError } from '../../engine/problems.ts';
import type { Matrix, StepContext } from '../../engine/step.ts';
import { agglomerate, cutTree, mostRows } from '../../numerics/agglomerative.ts';
import type { Clusters } from '../../numerics/cluster-centres.ts';
import { type Communities, moduleUrl as communitiesUrl } from '../../numerics/communities.ts';
import { type HdbscanOptions, hdbscan } from '../../numerics/hdbscan.ts';
import { type KMeansResult, moduleUrl as kmeansUrl } from '../../numerics/kmeans.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { type MinibatchOptions, moduleUrl as minibatchUrl } from '../../numerics/minibatch-kmeans.ts';
import { nearestNeighbours } from '../../numerics/neighbours.ts';
import type { SpanningTree } from '../../numerics/spanning-tree.ts';
import { type Choice, chooseCut, chooseK } from './choose-k.ts';
import type { Parameters } from './parameters.ts';
import { bestOfRestarts } from './restarts.ts';
import { withCentres } from './with-centres.ts';

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
  /** `k: auto`: what was tried. */
  choice?: Choice;
  /** Leiden and Louvain. */
  modularity?: number;
  /** Agglomerative clustering: the merges of rows. */
  tree?: SpanningTree;
}

const usesK = new Set<Parameters['method']>(['kmeans', 'minibatch_kmeans', 'spherical_kmeans']);

type ByLinks = 'leiden' | 'louvain';

function isByLinks(method: Parameters['method']): method is ByLinks {
  return method === 'leiden' || method === 'louvain';
}

/** Parameters that a method needs and has not, or that mean nothing to it. */
export function checkParameters(given: Parameters): { parameter: string; message: string }[] {
  const { method, k, distance_threshold: threshold } = given;
  const problems: { parameter: string; message: string }[] = [];
  const say = (parameter: string, message: string) => void problems.push({ parameter, message });
  if (given.update !== undefined && given.update !== 'recluster' && given.merge !== undefined)
    say('merge', `update: ${given.update} leaves clusters as they are; to merge them take update: recluster`);
  if (given.update === 'predict' && method !== 'hdbscan')
    say('update', `predict goes by the density that hdbscan found; with ${method} take update: assign`);
  if (usesK.has(method) && k === undefined && given.update === undefined)
    say('k', `${method} needs the number of clusters`);
  if (method === 'hdbscan' && k !== undefined)
    say('k', 'hdbscan finds the number of clusters itself: say min_cluster_size');
  if (isByLinks(method) && k !== undefined)
    say('k', `${method} finds the number of communities itself: say resolution`);
  if (method !== 'hdbscan' && given.reduce_outliers !== undefined)
    say('reduce_outliers', `${method} has no noise`);
  if (method === 'agglomerative') {
    if (k === undefined && threshold === undefined && given.update !== 'assign')
      say('k', 'agglomerative needs k or distance_threshold');
    if (k !== undefined && threshold !== undefined)
      say('distance_threshold', 'agglomerative takes k or distance_threshold, not both');
    if (given.linkage === 'ward' && given.metric === 'cosine')
      say('metric', 'ward takes euclidean distances; for cosine take average, complete or single');
  } else if (threshold !== undefined) say('distance_threshold', `${method} has no distance_threshold`);
  if (k === 'auto') {
    if (method === 'agglomerative' && given.k_criterion === 'gap')
      say(
        'k_criterion',
        'gap clusters random rows again and again by k-means: agglomerative takes silhouette or elbow',
      );
    if (given.k_max !== undefined && given.k_max < given.k_min)
      say('k_max', `k_max is at least k_min; ${given.k_max} is below ${given.k_min}`);
  }
  return problems;
}

/** How a method compares rows. */
export function metricOf({ method, spherical, metric }: Parameters): Metric {
  if (usesK.has(method)) return spherical || method === 'spherical_kmeans' ? 'cosine' : 'euclidean';
  return metric;
}

/**
 * Clusters the rows of a matrix of finite numbers. Warns where there are fewer clusters than asked for. With as many `earlier`
 * centres as clusters are wanted (or as nobody says), k-means starts from these.
 */
export async function findClusters(
  matrix: Matrix,
  parameters: Parameters,
  context: StepContext,
  earlier?: Matrix,
): Promise<Found> {
  const { method } = parameters;
  if (method === 'hdbscan') return byDensity(matrix, parameters, context);
  if (method === 'agglomerative') return byMerging(matrix, parameters, context);
  if (isByLinks(method)) return byCommunities(matrix, { ...parameters, method }, context);
  const spherical = parameters.spherical || method === 'spherical_kmeans';
  const choice =
    parameters.k === 'auto' ? await chooseK(matrix, { ...parameters, spherical }, context) : undefined;
  // No rows: k-means takes any number of clusters.
  const k = Math.max(1, choice?.k ?? Number(parameters.k ?? earlier?.rows));
  if (earlier && earlier.rows === k && method !== 'minibatch_kmeans' && matrix.rows > 0)
    return {
      ...(await context.pool.run<unknown, KMeansResult>(kmeansUrl, 'kmeansFromEarlier', {
        matrix,
        spherical,
        centres: earlier,
        maxIterations: parameters.max_iter,
        tolerance: parameters.tol,
      })),
      ...(choice && { choice }),
    };
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
          reassignmentRatio: parameters.reassignment_ratio,
          seed: context.random('start', 0).seed(),
        })
      : await bestOfRestarts(matrix, { ...parameters, k, spherical }, context);
  if (found.k < k && matrix.rows > 0) {
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
  return { ...found, ...(choice && { choice }) };
}

/** What HDBSCAN is told, in the words of `numerics`. */
export function densityOptions(matrix: Matrix, parameters: Parameters): HdbscanOptions {
  const { metric, min_cluster_size: minClusterSize } = parameters;
  return {
    matrix,
    metric,
    minClusterSize,
    minSamples: parameters.min_samples ?? minClusterSize,
    selection: {
      method: parameters.cluster_selection_method,
      epsilon: parameters.cluster_selection_epsilon,
      allowSingleCluster: parameters.allow_single_cluster,
    },
  };
}

async function byDensity(matrix: Matrix, parameters: Parameters, context: StepContext): Promise<Found> {
  const { metric } = parameters;
  const found = await hdbscan(densityOptions(matrix, parameters), context.pool);
  const { probabilities, outlierScores } = found;
  const clusters = await withCentres(
    { matrix, labels: found.labels, k: found.selected.length, metric },
    context,
  );
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
  const wanted = typeof k === 'number' ? k : 1;
  const until = distance === undefined ? { clusters: wanted } : { distance };
  const found = await agglomerate({ matrix, linkage, metric, until }, context.pool);
  if (typeof k === 'number' && found.clusters < k && matrix.rows > 0)
    context.warn(`there are ${found.clusters} clusters instead of ${k}: there are no more rows`);
  const { tree } = found;
  if (k !== 'auto')
    return {
      ...(await withCentres({ matrix, labels: found.labels, k: found.clusters, metric }, context)),
      tree,
    };
  const choice = await chooseCut(matrix, found, parameters, context);
  const { labels, clusters } = cutTree(tree, matrix.rows, { clusters: choice.k });
  return { ...(await withCentres({ matrix, labels, k: clusters, metric }, context)), choice, tree };
}

async function byCommunities(
  matrix: Matrix,
  parameters: Parameters & { method: ByLinks },
  context: StepContext,
): Promise<Found> {
  const { method, metric, n_neighbors: wanted, resolution } = parameters;
  const { indices, count } = await nearestNeighbours({ matrix, metric, count: wanted }, context.pool);
  const found = await context.pool.run<unknown, Communities>(communitiesUrl, 'neighbourCommunities', {
    indices,
    rows: matrix.rows,
    count,
    method,
    resolution,
    seed: context.random('communities').seed(),
  });
  const clusters = await withCentres({ matrix, labels: found.labels, k: found.count, metric }, context);
  return { ...clusters, modularity: found.modularity };
}
