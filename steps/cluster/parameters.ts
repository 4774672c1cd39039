import type { FromSchema } from '../../engine/schema-type.ts';

/** Parameters of `cluster`. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: [
        'kmeans',
        'minibatch_kmeans',
        'spherical_kmeans',
        'hdbscan',
        'agglomerative',
        'leiden',
        'louvain',
      ],
      default: 'kmeans',
      description: 'The algorithm.',
    },
    k: {
      anyOf: [{ type: 'integer', minimum: 1 }, { const: 'auto' }],
      description:
        'Number of clusters, or `auto`: needed by k-means of all kinds; `agglomerative` takes it or `distance_threshold`.',
    },
    k_criterion: {
      enum: ['silhouette', 'elbow', 'gap'],
      default: 'silhouette',
      description:
        '`k: auto`: the greatest silhouette, the bend in the curve of inertia, or the gap statistic.',
    },
    k_min: { type: 'integer', minimum: 1, default: 2, description: '`k: auto`: fewest clusters tried.' },
    k_max: {
      type: 'integer',
      minimum: 2,
      description: '`k: auto`: most clusters tried. Default: the root of the number of rows, at most 100.',
    },
    init: {
      enum: ['ward', 'k-means++'],
      default: 'ward',
      description: 'k-means: how the first centres are chosen.',
    },
    n_init: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 2,
      description:
        'k-means: number of starts with different seeds; the result with the least inertia is kept.',
    },
    max_iter: {
      type: 'integer',
      minimum: 1,
      default: 300,
      description: 'k-means: most iterations of one start; `minibatch_kmeans`: most passes over the rows.',
    },
    tol: {
      type: 'number',
      minimum: 0,
      default: 1e-4,
      description:
        "k-means: ends a start when the centres' moves, as a sum of squares, are at most this share of the mean variance of the columns.",
    },
    spherical: {
      type: 'boolean',
      default: false,
      description: 'k-means: scale vectors and centres to length 1, to cluster by cosine.',
    },
    batch_size: {
      type: 'integer',
      minimum: 1,
      default: 1024,
      description: '`minibatch_kmeans`: rows in a batch.',
    },
    max_no_improvement: {
      type: 'integer',
      minimum: 0,
      default: 10,
      description:
        '`minibatch_kmeans`: ends after so many batches in a row without a better smoothed inertia; 0 never does.',
    },
    reassignment_ratio: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.01,
      description:
        '`minibatch_kmeans`: a centre that has seen less than this share of the rows that the most seen one has is put onto a random row; 0 never does.',
    },
    metric: {
      enum: ['euclidean', 'cosine'],
      default: 'euclidean',
      description:
        '`hdbscan`, `agglomerative`, `leiden`, `louvain`: the distance of two rows; `cosine` is 1 − cos.',
    },
    min_cluster_size: {
      type: 'integer',
      minimum: 2,
      default: 5,
      description: '`hdbscan` and `update: assign`: rows that make a cluster.',
    },
    min_samples: {
      type: 'integer',
      minimum: 1,
      description:
        '`hdbscan`: how dense it is round a row is told by the distance to its so-many-th neighbour; more makes more noise. Default: `min_cluster_size`.',
    },
    cluster_selection_method: {
      enum: ['eom', 'leaf'],
      default: 'eom',
      description:
        '`hdbscan`: the clusters that last longest (excess of mass), or the finest ones, which are more alike in size.',
    },
    cluster_selection_epsilon: {
      type: 'number',
      minimum: 0,
      default: 0,
      description: '`hdbscan`: clusters nearer to each other than this are one.',
    },
    allow_single_cluster: {
      type: 'boolean',
      default: false,
      description: '`hdbscan`: all rows may be one cluster.',
    },
    reduce_outliers: {
      type: 'number',
      minimum: -1,
      maximum: 1,
      description:
        '`hdbscan`: noise goes to the cluster whose centre has the greatest cosine with it, if that is at least this. Default: noise stays noise.',
    },
    linkage: {
      enum: ['ward', 'average', 'complete', 'single'],
      default: 'ward',
      description:
        '`agglomerative`: how far apart two clusters are: by what merging them adds to Σ|x − c|², or by the mean, largest or smallest distance of their rows.',
    },
    distance_threshold: {
      type: 'number',
      minimum: 0,
      description: '`agglomerative`: clusters that are this far apart are not merged.',
    },
    n_neighbors: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 15,
      description: '`leiden`, `louvain`: nearest rows that each row is linked to.',
    },
    resolution: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: '`leiden`, `louvain`: greater ones make more and smaller communities.',
    },
    merge: {
      anyOf: [{ type: 'number', minimum: -1, maximum: 1 }, { const: 'auto' }],
      description:
        'Merge clusters afterwards: those whose centres have this cosine or more, the most alike first; or `auto`, as far as the mean silhouette grows.',
    },
    hierarchy: {
      anyOf: [{ type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1 }, { const: 'auto' }],
      description:
        'Group the clusters, and the groups: the number of groups of each level, or `auto`: a third of the clusters, a third of that, and so on down to three.',
    },
    update: {
      enum: ['assign', 'predict', 'recluster'],
      description:
        'Go on from an earlier run: `assign` touches new rows only; `predict` (of `hdbscan`) does, and makes no new clusters of them; `recluster` clusters all rows again. Numbers stay with their clusters. Needs the inputs `earlier…`.',
    },
    representatives: {
      type: 'integer',
      minimum: 0,
      maximum: 1000,
      default: 5,
      description: 'Rows of each cluster that are marked as representative.',
    },
    representative_selection: {
      enum: ['nearest', 'mmr', 'k_centre'],
      default: 'nearest',
      description:
        'Which rows stand for a cluster: those nearest its centre; near it and unlike each other (maximal marginal relevance); or such that each row of the cluster has one near it, its edges included. The first is always the row nearest the centre.',
    },
    diversity: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: '`mmr`: 0 takes the nearest, 1 looks at the unlikeness only.',
    },
    anomalies: {
      type: 'integer',
      minimum: 0,
      maximum: 1000,
      default: 0,
      description:
        'Rows of each cluster with the greatest `outlier_score` that are listed as anomalies; with 0 only `hdbscan` gives scores.',
    },
  },
} as const;

export type Parameters = FromSchema<typeof parameters>;
