import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { type ClusteringScores, moduleUrl as scoresUrl } from '../../numerics/clustering-metrics.ts';
import { type SilhouetteOptions, moduleUrl as silhouetteUrl } from '../../numerics/silhouette.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { readLabels } from './labels.ts';
import { classRows, contingencyRows } from './tables.ts';

/** Cells of the table of classes and clusters: half a gigabyte. */
const mostCells = 5e7;

export default defineStep({
  type: 'evaluate',
  summary: 'Scores a clustering against known classes',
  description: `\`clustering\` compares the clusters with the classes in the field \`truth\`. Definitions are scikit-learn's:

- \`homogeneity\` 1 − H(class|cluster)/H(class): each cluster holds one class only. \`completeness\`: each class lies in one cluster. \`v_measure\`: their harmonic mean (Rosenberg & Hirschberg 2007).
- \`nmi\` mutual information over the mean of the entropies; \`ami\` the same, adjusted for chance (Vinh, Epps & Bailey 2010); \`ari\` adjusted Rand index (Hubert & Arabie 1985).
- \`purity\`: share of rows in the largest class of their cluster; \`accuracy\`: share under the best one-to-one pairing of clusters and classes.
- \`silhouette\` (Rousseeuw 1987), if there are vectors: how much nearer rows are to their own cluster than to the next one. It needs no truth.

Rows without a class are left out, with a warning; the cluster −1 (noise) counts as a cluster.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['truth'],
    properties: {
      task: { enum: ['clustering'], default: 'clustering', description: 'What is scored.' },
      truth: { type: 'string', minLength: 1, description: 'The field with the known class of a row.' },
      prediction: {
        type: 'string',
        minLength: 1,
        default: 'cluster',
        description: 'The field with the cluster of a row.',
      },
      metric: {
        enum: ['cosine', 'euclidean'],
        default: 'cosine',
        description: 'The distance that the silhouette is made of.',
      },
      sample_size: {
        type: 'integer',
        minimum: 1,
        default: 10_000,
        description: 'Rows, at most, over which the silhouette is averaged; each is compared with all rows.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows with the fields `truth` and `prediction`.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'The vectors that were clustered, for the silhouette.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'A row for each class, largest first: `size`, `best_cluster` (the one that holds most of it), `share` of the class in it, `purity` (share of that cluster which is of the class), `f1` of the two, `clusters` (how many the class is spread over), `mixed_with` (the largest other class there).',
    },
    contingency: {
      kind: 'table',
      description:
        'A row for each class and cluster that have rows in common: `class`, `predicted`, `count`.',
    },
  },
  metrics: {
    v_measure: 'Harmonic mean of homogeneity and completeness, 0 to 1.',
    ari: 'Adjusted Rand index; 0 is chance.',
    ami: 'Adjusted mutual information; 0 is chance.',
    nmi: 'Normalised mutual information, 0 to 1.',
    homogeneity: 'Whether each cluster holds one class only, 0 to 1.',
    completeness: 'Whether each class lies in one cluster, 0 to 1.',
    purity: 'Share of rows in the largest class of their cluster.',
    accuracy: 'Share of rows right under the best pairing of clusters and classes.',
    silhouette: 'Mean silhouette, −1 to 1; with vectors only.',
    clusters: 'Number of clusters.',
    classes: 'Number of classes.',
    rows: 'Rows scored.',
    excluded: 'Rows left out, since they have no class or no cluster.',
  },
  example: `scores:
  use: evaluate
  from: topics
  with: { task: clustering, truth: label }`,
  seeded: true,

  async run({ parameters, inputs, outputs, context }) {
    const { truth, prediction } = parameters;
    requireFields(inputs.rows, [truth, prediction]);
    if (inputs.vectors) sameRows(inputs.rows, inputs.vectors);
    const labels = await readLabels(inputs.rows, truth, prediction);
    const scored = labels.rows.length;
    if (scored === 0) {
      throw new StepError(
        'nothing-to-score',
        inputs.rows.rows === 0
          ? 'there are no rows to score'
          : `none of the ${inputs.rows.rows} rows has both ${truth} and ${prediction}`,
        'a score of nothing would pass any check, so there is none',
      );
    }
    for (const [field, count] of [
      [truth, labels.withoutClass],
      [prediction, labels.withoutCluster],
    ] as const) {
      if (count > 0)
        context.warn(`${count} of ${inputs.rows.rows} rows have no ${field}; they are not scored`);
    }
    if (labels.classNames.length * labels.clusterNames.length > mostCells) {
      throw new StepError(
        'too-many-classes',
        `${truth} has ${labels.classNames.length} different values, ${prediction} ${labels.clusterNames.length}`,
        'classes and clusters are few: is this the right field?',
      );
    }
    const { classes, clusters } = labels;
    const scoring = context.pool.run<unknown, ClusteringScores>(scoresUrl, 'scoreLabels', {
      classes,
      clusters,
    });
    let silhouette = Number.NaN;
    if (inputs.vectors) {
      const matrix = await inputs.vectors.read();
      silhouette = await context.pool.run<SilhouetteOptions, number>(silhouetteUrl, 'silhouette', {
        vectors: scored === matrix.rows ? matrix : gatherRows(matrix, labels.rows),
        labels: clusters,
        metric: parameters.metric,
        sampleSize: parameters.sample_size,
        seed: context.random('silhouette').seed(),
      });
    }
    for (const row of classRows(labels)) await outputs.rows.write(row);
    for (const row of contingencyRows(labels)) await outputs.contingency.write(row);

    const scores = await scoring;
    return {
      metrics: {
        v_measure: significant(scores.vMeasure),
        ari: significant(scores.ari),
        ami: significant(scores.ami),
        nmi: significant(scores.nmi),
        homogeneity: significant(scores.homogeneity),
        completeness: significant(scores.completeness),
        purity: significant(scores.purity),
        ...(Number.isNaN(scores.accuracy) ? {} : { accuracy: significant(scores.accuracy) }),
        ...(Number.isNaN(silhouette) ? {} : { silhouette: significant(silhouette) }),
        clusters: labels.clusterNames.length,
        classes: labels.classNames.length,
        rows: scored,
        excluded: inputs.rows.rows - scored,
      },
    };
  },
});
