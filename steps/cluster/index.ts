import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { type SilhouetteOptions, moduleUrl as silhouetteUrl } from '../../numerics/silhouette.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { describeClusters, rowPlaces } from './places.ts';
import { bestOfRestarts } from './restarts.ts';

/** Rows whose silhouette is averaged: enough for two digits. */
const silhouetteSample = 5000;

export default defineStep({
  type: 'cluster',
  summary: 'Groups rows by their vectors',
  description: `\`kmeans\` puts every row into the cluster with the nearest centre and moves the centres to the means of their rows until nothing changes
(Lloyd 1982), so that Σ|x − c|² is small. It starts from \`init\`:

- \`ward\` (default): about 4·k small clusters, merged by Ward's method. Ends lower than k-means++, and much more alike from seed to seed.
- \`k-means++\`: rows drawn far from each other, as scikit-learn's \`KMeans\` does it (greedy, 2 + ⌊ln k⌋ candidates).

The best of \`n_init\` starts is kept. \`spherical\` compares directions only (cosine) and keeps the centres at length 1. The same vectors and seed give the
same clusters on every machine, whatever the number of threads. Clusters are numbered by size, 0 is the largest. A cluster that
loses all its rows gets the row farthest from its centre; if fewer than \`k\` rows differ there are fewer clusters, with a warning.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['k'],
    properties: {
      method: { enum: ['kmeans'], default: 'kmeans', description: 'The algorithm.' },
      k: { type: 'integer', minimum: 1, description: 'Number of clusters.' },
      init: {
        enum: ['ward', 'k-means++'],
        default: 'ward',
        description: 'How the first centres are chosen.',
      },
      n_init: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        default: 2,
        description: 'Number of starts with different seeds; the result with the least inertia is kept.',
      },
      max_iter: {
        type: 'integer',
        minimum: 1,
        default: 300,
        description: 'Most iterations of one start.',
      },
      tol: {
        type: 'number',
        minimum: 0,
        default: 1e-4,
        description:
          "Ends a start when the centres' moves, as a sum of squares, are at most this share of the mean variance of the columns.",
      },
      spherical: {
        type: 'boolean',
        default: false,
        description: 'Scale vectors and centres to length 1: clusters by cosine.',
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
        'The rows with `cluster`, `distance` (to its centre: Euclidean, or 1 − cosine if spherical), `rank` (1 is nearest the centre) and `is_representative`.',
    },
    clusters: {
      kind: 'table',
      description:
        'A row for each cluster: `cluster`, `size`, `share`, `cohesion` (mean cosine of its rows with its centre), `mean_distance`, `nearest_cluster` and the ids of its `representatives`.',
    },
    centers: { kind: 'matrix', description: 'The centre of each cluster; ids are those of `clusters`.' },
    vectors: { kind: 'matrix', description: 'The vectors as they came, for the steps that follow.' },
  },
  metrics: {
    k: 'Number of clusters.',
    silhouette: `Mean silhouette by cosine, of at most ${silhouetteSample} rows; −1 to 1.`,
    inertia: 'Sum of the squared distances of the rows to their centres.',
    iterations: 'Iterations of the start that was kept.',
    smallest: 'Rows in the smallest cluster.',
    largest: 'Rows in the largest cluster.',
  },
  example: `topics:
  use: cluster
  from: { rows: unique, vectors: vectors }
  with: { method: kmeans, k: 77 }`,
  seeded: true,

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
    const found = await bestOfRestarts(matrix, parameters, context);
    if (found.k < parameters.k) {
      context.warn(
        `there are ${found.k} clusters instead of ${parameters.k}: only ${found.k} of the ${matrix.rows} vectors differ`,
      );
    }
    if (!found.converged) {
      context.warn(`k-means still moved after ${found.iterations} iterations: raise max_iter or tol`);
    }
    const silhouette = await context.pool.run<SilhouetteOptions, number>(silhouetteUrl, 'silhouette', {
      vectors: matrix,
      labels: found.labels,
      metric: 'cosine',
      sampleSize: silhouetteSample,
      seed: context.random('silhouette').seed(),
    });

    const { ranks, members } = rowPlaces(found);
    const representatives: string[][] = members.map(() => []);
    let index = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const cluster = found.labels[index]!;
        const rank = ranks[index]!;
        if (rank <= parameters.representatives) representatives[cluster]![rank - 1] = row.id;
        const pending = outputs.rows.write({
          ...row,
          cluster,
          distance: significant(found.distances[index]!),
          rank,
          is_representative: rank <= parameters.representatives,
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
        inertia: significant(found.inertia),
        iterations: found.iterations,
        smallest: found.sizes.at(-1) ?? 0,
        largest: found.sizes[0] ?? 0,
      },
    };
  },
});
