import type { Normalization } from './normalize.ts';

export const normalizationDefaults = {
  unicode: 'NFC',
  lowercase: true,
  whitespace: true,
  punctuation: false,
  diacritics: false,
  numbers: false,
} as const satisfies Normalization;

/** What `threshold` is if it is not given. */
export const defaultThresholds = { minhash: 0.8, fuzzy: 0.9, semantic: 0.9 } as const;

/** What `with` of a `dedupe` step may say. Null stands for a default that depends on the method. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['exact', 'normalized', 'minhash', 'fuzzy', 'semantic'],
      default: 'exact',
      description: 'How rows are compared.',
    },
    fields: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      uniqueItems: true,
      default: ['text'],
      description: 'The fields that are compared, together. semantic compares the vectors instead.',
    },
    keep: {
      enum: ['first', 'last', 'longest', 'newest', 'best'],
      default: 'first',
      description:
        'Which row of a group stays: the first or last (of the table, or in the order of the field `by`: with `by: id` the same one stays whatever the order of the rows), the one with the longest `fields`, or the one with the latest date (newest) or the highest number (best) in the field `by`. Of equals the first; a row without a value in `by` only where no other has one.',
    },
    by: {
      type: ['string', 'null'],
      minLength: 1,
      default: null,
      description:
        'The field that `keep: newest` or `keep: best` looks at; with `first` or `last` the field that orders the rows, numbers before texts. A date is a text in ISO 8601 (of UTC where it names no zone) or a number of seconds or milliseconds since 1970.',
    },
    threshold: {
      type: ['number', 'null'],
      exclusiveMinimum: 0,
      maximum: 1,
      default: null,
      description: `Least similarity of duplicates. Default: ${defaultThresholds.minhash} for minhash, ${defaultThresholds.fuzzy} for fuzzy and semantic.`,
    },
    ngram: {
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 100,
      default: null,
      description: 'minhash: characters or words in a shingle, 5 by default.',
    },
    shingles: {
      enum: ['char', 'word', null],
      default: null,
      description: 'minhash: what a shingle is made of. Default: char, which suits short texts as well.',
    },
    num_perm: {
      type: ['integer', 'null'],
      minimum: 8,
      maximum: 4096,
      default: null,
      description:
        'minhash, fuzzy: values in a signature at most, 128 by default. More of them miss fewer pairs.',
    },
    n_clusters: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description:
        'semantic: k-means clusters within which rows are compared. Default: 1 up to 10,000 rows, else √rows.',
    },
    random_state: {
      type: 'integer',
      minimum: 0,
      maximum: 4294967295,
      default: 42,
      description: 'Seed of the permutations and of k-means.',
    },
    normalize: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'What does not count when texts are compared; for all methods but exact and semantic.',
      properties: {
        unicode: {
          enum: ['none', 'NFC', 'NFKC'],
          default: normalizationDefaults.unicode,
          description:
            'Unicode form: NFC makes composed and decomposed letters equal, NFKC also compatible characters (ﬁ and fi).',
        },
        lowercase: {
          type: 'boolean',
          default: normalizationDefaults.lowercase,
          description: 'Ignore case.',
        },
        whitespace: {
          type: 'boolean',
          default: normalizationDefaults.whitespace,
          description: 'A run of white space is one space, and none at the ends.',
        },
        punctuation: {
          type: 'boolean',
          default: normalizationDefaults.punctuation,
          description: 'Punctuation is white space.',
        },
        diacritics: {
          type: 'boolean',
          default: normalizationDefaults.diacritics,
          description: 'Ignore accents.',
        },
        numbers: {
          type: 'boolean',
          default: normalizationDefaults.numbers,
          description: 'All numbers are the same.',
        },
      },
    },
  },
} as const;

/** Parameters that count for some methods only. */
const methodsOf = {
  threshold: ['minhash', 'fuzzy', 'semantic'],
  ngram: ['minhash'],
  shingles: ['minhash'],
  num_perm: ['minhash', 'fuzzy'],
  n_clusters: ['semantic'],
} as const;

export interface Parameters {
  method: 'exact' | 'normalized' | 'minhash' | 'fuzzy' | 'semantic';
  fields: string[];
  keep: 'first' | 'last' | 'longest' | 'newest' | 'best';
  by: string | null;
  threshold: number | null;
  ngram: number | null;
  shingles: 'char' | 'word' | null;
  num_perm: number | null;
  n_clusters: number | null;
  random_state: number;
  normalize: Normalization;
}

/** Parameters that would have no effect, or that another one needs. */
export function checkParameters(given: Parameters): { parameter: string; message: string }[] {
  const { method, keep, by } = given;
  const problems: { parameter: string; message: string }[] = [];
  for (const [parameter, methods] of Object.entries(methodsOf) as [
    keyof typeof methodsOf,
    readonly string[],
  ][]) {
    if (given[parameter] === null || methods.includes(method)) continue;
    problems.push({
      parameter,
      message: `${parameter} has no effect with method ${method}; write method: ${methods.join(' or ')}`,
    });
  }
  if (method === 'exact' || method === 'semantic') {
    const idle = Object.entries(given.normalize).find(
      ([option, value]) => value !== normalizationDefaults[option as keyof Normalization],
    );
    if (idle)
      problems.push({
        parameter: `normalize.${idle[0]}`,
        message: `normalize.${idle[0]} has no effect with method ${method}; write method: normalized`,
      });
  }
  const byField = keep === 'newest' || keep === 'best';
  if (byField && by === null)
    problems.push({
      parameter: 'by',
      message: `keep: ${keep} needs by: the field with the ${keep === 'newest' ? 'date' : 'number'}`,
    });
  if (keep === 'longest' && by !== null)
    problems.push({
      parameter: 'by',
      message: `by has no effect with keep: ${keep}; write keep: first, last, newest or best`,
    });
  return problems;
}
