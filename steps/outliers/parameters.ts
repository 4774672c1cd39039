/** What `with` of an `outliers` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['knn', 'lof', 'isolation_forest', 'length'],
      default: 'knn',
      description:
        'How far out a row lies: by its neighbours, their density, random cuts, or the length of its text.',
    },
    fields: {
      type: ['array', 'null'],
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      uniqueItems: true,
      default: null,
      description: 'Numeric fields to go by, instead of vectors. Rows without a number in each get no score.',
    },
    scaling: {
      enum: ['robust', 'standard', 'none'],
      default: 'robust',
      description:
        'How `fields` are made alike: median and interquartile range, which outliers do not move; mean and deviation; not at all (numbers then keep seven digits).',
    },
    text: { type: 'string', minLength: 1, default: 'text', description: 'length: the field with the text.' },
    metric: {
      enum: ['cosine', 'euclidean'],
      description: 'knn, lof: default cosine for vectors, euclidean for fields.',
    },
    n_neighbors: {
      type: 'integer',
      minimum: 1,
      default: 20,
      description: 'knn, lof: neighbours that are looked at.',
    },
    n_estimators: { type: 'integer', minimum: 1, default: 100, description: 'isolation_forest: trees.' },
    max_samples: {
      type: 'integer',
      minimum: 2,
      default: 256,
      description: 'isolation_forest: rows that a tree is made of.',
    },
    by: {
      type: ['string', 'null'],
      minLength: 1,
      default: null,
      description: 'A field (`cluster`, say): each row is compared with the rows of its group only.',
    },
    contamination: {
      anyOf: [{ enum: ['auto'] }, { type: 'number', minimum: 0, maximum: 1 }],
      default: 'auto',
      description: 'The share of the rows that are outliers; auto: those above the bound of the method.',
    },
  },
} as const;
