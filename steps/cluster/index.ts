import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { type SilhouetteOptions, moduleUrl as silhouetteUrl } from '../../numerics/silhouette.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { checkParameters, findClusters, type Parameters } from './methods.ts';
import { describeClusters, rowRanks } from './places.ts';

/** Rows whose silhouette is averaged: enough for two digits. */
const silhouetteSample = 5000;

export default defineStep({
  type: 'cluster',
  summary: 'Groups rows by their vectors',
  description: `\`kmeans\` puts every row into the cluster with the nearest centre and moves the centres to the means of their rows until nothing changes
(Lloyd 1982), so that Σ|x − c|² is small. It starts from \`init\`:

- \`ward\` (default): about 4·k small clusters, merged by Ward's method. Ends lower than k-means++, and much more alike from seed to seed.
- \`k-means++\`: rows drawn far from each other, as scikit-learn's \`KMeans\` does it (greedy, 2 + ⌊ln k⌋ candidates).

The best of \`n_init\` starts is kept. A cluster that loses all its rows gets the row farthest from its centre; if fewer than \`k\` rows
differ there are fewer clusters, with a warning. \`spherical_kmeans\` is \`kmeans\` with \`spherical: true\`: it compares directions only
(cosine) and keeps the centres at length 1. \`minibatch_kmeans\` moves the centres by random batches (Sculley 2010): for very many rows.

\`hdbscan\` (Campello et al. 2015) finds dense places of any shape; how many there are follows from the data. A row in a sparse place is
noise: \`cluster\` is −1, \`distance\` and \`rank\` are null. \`probability\` says how firmly a row belongs to its cluster, \`outlier_score\`
(GLOSH) how far out it lies. It is exact, and gives what the Python package hdbscan gives (whose \`min_samples\` does not count the row
itself; scikit-learn's does) but for the order of equal distances. Time grows with the square of the rows: 13,000 take some seconds.

\`agglomerative\` merges the two nearest clusters again and again, until \`k\` are left or the next two are \`distance_threshold\` apart.
It keeps all distances: 4·n² bytes, 16,000 rows at most (\`linkage: single\` needs no such memory and has no such limit).

The same vectors and seed give the same clusters on every machine, whatever the number of threads. Clusters are numbered by size, 0 is the largest.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: {
        enum: ['kmeans', 'minibatch_kmeans', 'spherical_kmeans', 'hdbscan', 'agglomerative'],
        default: 'kmeans',
        description: 'The algorithm.',
      },
      k: {
        type: 'integer',
        minimum: 1,
        description:
          'Number of clusters: needed by k-means of all kinds; `agglomerative` takes it or `distance_threshold`.',
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
      metric: {
        enum: ['euclidean', 'cosine'],
        default: 'euclidean',
        description: '`hdbscan` and `agglomerative`: the distance of two rows; `cosine` is 1 − cos.',
      },
      min_cluster_size: {
        type: 'integer',
        minimum: 2,
        default: 5,
        description: '`hdbscan`: rows that make a cluster.',
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
      representatives: {
        type: 'integer',
        minimum: 0,
        maximum: 1000,
        default: 5,
        description: 'Rows of each cluster, nearest its centre first, that are marked as representative.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows to group.' },
    vectors: { kind: 'matrix', description: 'A vector for each of the rows.' },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'The rows with `cluster` (−1 is noise), `distance` (to its centre: Euclidean, or 1 − cosine if spherical), `rank` (1 is nearest the centre) and `is_representative`; by `hdbscan` also `probability` and `outlier_score`.',
    },
    clusters: {
      kind: 'table',
      description:
        'A row for each cluster: `cluster`, `size`, `share`, `cohesion` (mean cosine of its rows with its centre), `mean_distance`, `nearest_cluster` and the ids of its `representatives`; by `hdbscan` also `persistence` (0 to 1: how clearly it stands out).',
    },
    centers: { kind: 'matrix', description: 'The centre of each cluster; ids are those of `clusters`.' },
    vectors: { kind: 'matrix', description: 'The vectors as they came, for the steps that follow.' },
  },
  metrics: {
    k: 'Number of clusters.',
    silhouette: `Mean silhouette by cosine, of at most ${silhouetteSample} rows, noise left out; −1 to 1.`,
    noise: 'Rows in no cluster; by `hdbscan` only.',
    inertia: 'Sum of the squared distances of the rows to their centres; by k-means only.',
    iterations: 'Iterations of the start that was kept; by k-means only.',
    smallest: 'Rows in the smallest cluster.',
    largest: 'Rows in the largest cluster.',
  },
  example: `topics:
  use: cluster
  from: { rows: unique, vectors: vectors }
  with: { method: kmeans, k: 77 }`,
  seeded: true,
  check: (given) => checkParameters(given as Parameters),

  async run({ parameters, inputs, outputs, context }) {
    sameRows(inputs.rows, inputs.vectors);
    const matrix = await inputs.vectors.read();
    const broken = matrix.data.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) {
      throw new StepError(
        'bad-vector',
        `the vector of row ${Math.floor(broken / matrix.columns) + 1} holds ${matrix.data[broken]}`,
        'clustering needs finite numbers: look at the step that makes the vectors',
      );
    }
    const found = await findClusters(matrix, parameters as Parameters, context);
    const members = [...found.labels.keys()].filter((row) => found.labels[row]! >= 0);
    const noise = matrix.rows - members.length;
    const silhouette = await context.pool.run<SilhouetteOptions, number>(silhouetteUrl, 'silhouette', {
      vectors: noise === 0 ? matrix : gatherRows(matrix, members),
      labels: noise === 0 ? found.labels : Int32Array.from(members, (row) => found.labels[row]!),
      metric: 'cosine',
      sampleSize: silhouetteSample,
      seed: context.random('silhouette').seed(),
    });

    const ranks = rowRanks(found);
    const representatives: string[][] = Array.from({ length: found.k }, () => []);
    let index = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const cluster = found.labels[index]!;
        const rank = ranks[index]!;
        const isRepresentative = rank > 0 && rank <= parameters.representatives;
        if (isRepresentative) representatives[cluster]![rank - 1] = row.id;
        const pending = outputs.rows.write({
          ...row,
          cluster,
          distance: cluster < 0 ? null : significant(found.distances[index]!),
          rank: cluster < 0 ? null : rank,
          is_representative: isRepresentative,
          ...(found.probabilities && { probability: significant(found.probabilities[index]!) }),
          ...(found.outlierScores && { outlier_score: significant(found.outlierScores[index]!) }),
        });
        if (pending) await pending;
        index++;
      }
      context.signal.throwIfAborted();
    }
    const clusters = describeClusters(matrix, found, representatives);
    for (const row of clusters) await outputs.clusters.write(row);
    await outputs.centers.write(
      found.centres,
      clusters.map((row) => row.id),
    );
    await outputs.vectors.write(matrix, inputs.rows);

    return {
      metrics: {
        k: found.k,
        ...(Number.isNaN(silhouette) ? {} : { silhouette: significant(silhouette) }),
        ...(found.inertia === undefined ? {} : { inertia: significant(found.inertia) }),
        ...(found.iterations === undefined ? {} : { iterations: found.iterations }),
        ...(found.probabilities ? { noise } : {}),
        smallest: found.sizes.at(-1) ?? 0,
        largest: found.sizes[0] ?? 0,
      },
    };
  },
});
