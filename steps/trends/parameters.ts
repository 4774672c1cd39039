import { units } from './slices.ts';

/** Parameters of `trends`. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['time'],
  properties: {
    time: { type: 'string', minLength: 1, description: 'The field with the time of a row.' },
    slice: {
      anyOf: [{ enum: ['auto', ...units] }, { type: 'integer', minimum: 2, maximum: 1000 }],
      default: 'auto',
      description: 'How long a slice is, or how many equal ones there are (of a millisecond at least).',
    },
    cluster: {
      type: 'string',
      minLength: 1,
      default: 'cluster',
      description: 'The field with the number of the cluster.',
    },
    text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
    alpha: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.05,
      description:
        'The share of what is told that may be wrong: trends and bursts with a `q_value` of at most this.',
    },
    min_burst_rows: {
      type: 'integer',
      minimum: 1,
      default: 3,
      description: 'Rows of a burst, at least.',
    },
    keywords: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 5,
      description: 'Keywords of each cluster in each slice; with 0 no text is read.',
    },
    max_ngram: {
      type: 'integer',
      minimum: 1,
      maximum: 4,
      default: 2,
      description: 'Words in a keyword, at most.',
    },
    stop_words: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Words that say nothing here, besides the usual ones.',
    },
    evolution_tuning: {
      type: 'boolean',
      default: true,
      description: 'Average the weights of words with those of the slice before.',
    },
    global_tuning: {
      type: 'boolean',
      default: true,
      description: 'Average the weights of words with those of the cluster as a whole.',
    },
  },
} as const;
