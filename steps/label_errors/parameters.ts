import { labelErrorFilters, labelQualities } from '../../numerics/confident-learning.ts';

/** What `with` of a `label_errors` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    label: {
      type: 'string',
      minLength: 1,
      default: 'label',
      description: 'The field with the label. Rows without one are left as they are, with a warning.',
    },
    filter: {
      enum: labelErrorFilters,
      default: 'prune_by_noise_rate',
      description: 'Which rows are taken for label errors.',
    },
    rank_by: {
      enum: labelQualities,
      default: 'self_confidence',
      description:
        'The score `label_quality`: the probability of the label, its margin over the best other class, or the entropy weighted by it.',
    },
    frac_noise: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 1,
      description: 'The share of the estimated errors that the first three filters take.',
    },
    min_examples_per_class: {
      type: 'integer',
      minimum: 0,
      default: 1,
      description: 'Rows of a class that the first three filters leave.',
    },
    labels: {
      type: ['array', 'null'],
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      uniqueItems: true,
      default: null,
      description:
        'The labels of the columns of `probabilities`. Default: all labels in the order of their characters.',
    },
    C: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 10,
      description: 'Inverse of the strength of the penalty of the head.',
    },
    folds: { type: 'integer', minimum: 2, default: 5, description: 'Parts of the cross-validation.' },
    class_weight: {
      enum: ['none', 'balanced'],
      default: 'none',
      description: 'Whether small classes count as much as large ones.',
    },
    max_iter: { type: 'integer', minimum: 1, default: 1000, description: 'Most iterations of a fit.' },
    tol: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1e-4,
      description: 'A fit ends when no part of the gradient of the mean loss is larger.',
    },
  },
} as const;
