import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { scoreClassification } from './classification.ts';
import { scoreClustering } from './clustering.ts';

export default defineStep({
  type: 'evaluate',
  summary: 'Scores a clustering or a classification against known classes',
  description: `\`clustering\` (default) compares the clusters with the classes in the field \`truth\`. Definitions are scikit-learn's:

- \`homogeneity\` 1 − H(class|cluster)/H(class): each cluster holds one class only. \`completeness\`: each class lies in one cluster. \`v_measure\`: their harmonic mean (Rosenberg & Hirschberg 2007).
- \`nmi\` mutual information over the mean of the entropies; \`ami\` the same, adjusted for chance (Vinh, Epps & Bailey 2010); \`ari\` adjusted Rand index (Hubert & Arabie 1985).
- \`purity\`: share of rows in the largest class of their cluster; \`accuracy\`: share under the best one-to-one pairing of clusters and classes.
- \`silhouette\` (Rousseeuw 1987), if there are vectors: how much nearer rows are to their own cluster than to the next one. It needs no truth.

\`classification\` compares the field \`prediction\` with \`truth\`, as scikit-learn does:

- \`accuracy\`, \`balanced_accuracy\` (mean recall of the classes), \`mcc\` (Matthews' coefficient), \`kappa\` (Cohen's); \`precision\`, \`recall\` and \`f1\` as \`macro\` (mean over the classes that occur in either field), \`weighted\` (by rows of a class) and \`micro\` (over all rows).
- With \`out_of_scope_label\` rows of that class are not among them. \`auroc\` says how well the field \`score\` tells them from the others: the chance that one of them has a greater score than another row, ties by half.
- \`accuracy_low\` and \`accuracy_high\` (and so on) are the bounds of a percentile bootstrap: \`resamples\` times as many rows are drawn with replacement (Efron 1979).

Rows without a class or without a prediction are left out, with a warning; the cluster −1 (noise) counts as a cluster.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['truth'],
    properties: {
      task: {
        enum: ['clustering', 'classification'],
        default: 'clustering',
        description: 'What is scored.',
      },
      truth: { type: 'string', minLength: 1, description: 'The field with the known class of a row.' },
      prediction: {
        type: 'string',
        minLength: 1,
        description:
          'The field with the cluster or class that a row was given; `cluster` or `predicted` if not given.',
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
      out_of_scope_label: {
        type: 'string',
        minLength: 1,
        description: 'classification: the value of `truth` of rows that are of no class.',
      },
      score: {
        type: 'string',
        minLength: 1,
        default: 'out_of_scope_score',
        description: 'classification: the field with a number that is greater for rows of no class.',
      },
      resamples: {
        type: 'integer',
        minimum: 0,
        maximum: 100_000,
        default: 1000,
        description: 'classification: resamples of the bootstrap; 0 for no intervals.',
      },
      confidence_level: {
        type: 'number',
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.95,
        description: 'classification: share of the resamples within the bounds.',
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
        'A row for each class, largest first. clustering: `size`, `best_cluster` (the one that holds most of it), `share` of the class in it, `purity` (share of that cluster which is of the class), `f1` of the two, `clusters` (how many the class is spread over), `mixed_with` (the largest other class there). classification: `size`, `predicted` (rows given this class), `precision`, `recall`, `f1`, `mixed_with` (what its rows are most often taken for instead).',
    },
    contingency: {
      kind: 'table',
      description:
        'The confusion matrix: a row for each class and cluster (or predicted class) that have rows in common: `class`, `predicted`, `count`.',
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
    accuracy: 'Share of rows right; of clusters under their best pairing with classes.',
    silhouette: 'Mean silhouette, −1 to 1; with vectors only.',
    balanced_accuracy: 'Mean recall of the classes.',
    macro_f1: 'Mean F1 of the classes.',
    micro_f1: 'F1 over all rows.',
    weighted_f1: 'Mean F1 of the classes, by their rows.',
    macro_precision: 'Mean precision of the classes.',
    macro_recall: 'Mean recall of the classes, those never asked for included.',
    mcc: "Matthews' correlation coefficient, −1 to 1.",
    kappa: "Cohen's kappa, −1 to 1; 0 is chance.",
    auroc: 'How well the score tells rows of no class from the others: 0.5 is chance.',
    out_of_scope: 'Rows of no class.',
    out_of_scope_recall: 'Share of the rows of no class that were predicted to be so.',
    accuracy_low: 'Lower bound of the interval; so for macro_f1 and auroc.',
    accuracy_high: 'Upper bound of the interval; so for macro_f1 and auroc.',
    clusters: 'Number of clusters.',
    classes: 'Number of classes.',
    rows: 'Rows scored.',
    excluded: 'Rows left out, since they have no class or no prediction.',
  },
  example: `scores:
  use: evaluate
  from: topics
  with: { task: clustering, truth: label }`,
  seeded: true,
  check({ task, metric, sample_size: sampleSize, out_of_scope_label: outLabel }) {
    const idle =
      task === 'clustering'
        ? { out_of_scope_label: outLabel !== undefined }
        : { metric: metric !== 'cosine', sample_size: sampleSize !== 10_000 };
    return Object.entries(idle).flatMap(([parameter, isGiven]) =>
      isGiven ? [{ parameter, message: `${parameter} has no effect with task ${task}` }] : [],
    );
  },

  async run({ parameters, inputs, outputs, context }) {
    const { task, truth } = parameters;
    const prediction = parameters.prediction ?? (task === 'clustering' ? 'cluster' : 'predicted');
    requireFields(inputs.rows, [truth, prediction]);
    const score = task === 'clustering' ? scoreClustering : scoreClassification;
    return score({ parameters: { ...parameters, prediction }, inputs, outputs, context });
  },
});
