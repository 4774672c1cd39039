import { analysedLanguages } from '../../numerics/analyser.ts';

/** The parameters of `search`. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    mode: {
      enum: ['keyword', 'semantic', 'hybrid'],
      default: 'keyword',
      description: 'What fits.',
    },
    top_k: { type: 'integer', minimum: 1, default: 10, description: 'Documents for each query, at most.' },
    query_text: {
      type: 'string',
      minLength: 1,
      default: 'text',
      description: 'The field with the words of a query.',
    },
    text: { type: 'string', minLength: 1, default: 'text', description: 'The field that is searched.' },
    index: {
      enum: ['auto', 'exact', 'ivf'],
      default: 'auto',
      description:
        '`semantic`, `hybrid`: compare all documents, or those of the nearest lists of an inverted file, which pays for very many queries. `auto` takes it from 50,000 documents and 1,000,000,000 comparisons on.',
    },
    n_probe: {
      type: 'integer',
      minimum: 1,
      description:
        '`ivf`: lists that are looked through for each query, of 2·√documents. Without it as many as `recall` takes.',
    },
    recall: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.96,
      description: '`ivf`: the share of the exact hits that up to 200 of the queries must find.',
    },
    expand: {
      type: 'object',
      additionalProperties: false,
      properties: {
        terms: {
          type: 'integer',
          minimum: 0,
          default: 10,
          description: 'Words that are added to a query, at most.',
        },
        documents: {
          type: 'integer',
          minimum: 1,
          default: 10,
          description: 'Documents taken for relevant: the first so many hits.',
        },
        alpha: { type: 'number', minimum: 0, default: 1, description: 'What the query itself counts.' },
        beta: { type: 'number', minimum: 0, default: 0.75, description: 'What those documents count.' },
      },
      description:
        'Search twice: the second time with words (and the mean vector) of the first hits added to the query (pseudo-relevance feedback; Rocchio 1971). `expand: {}` takes the defaults.',
    },
    where: {
      type: 'string',
      minLength: 1,
      'x-reprise': 'cel',
      description:
        'Search only documents for which this holds: `row.language == "de" && row.date >= "2026"`. A document without the field fails the step: ask `has(row.date)` first.',
    },
    language: {
      enum: analysedLanguages,
      default: 'auto',
      description:
        'Whose stems and stop words; `auto`: Russian for Cyrillic letters, English for others. Stop words of en, ru, de, fr, es, it, pt and nl are known.',
    },
    min_score: {
      type: 'number',
      description:
        '`keyword`, `semantic`: only hits with at least this score: `min_score: 0.9` with `semantic` finds the near duplicates of a text.',
    },
    stem: { type: 'boolean', default: true, description: 'Compare the stems of words.' },
    stop_words: {
      type: 'boolean',
      default: true,
      description: 'Leave words without a topic out of queries that have others.',
    },
    k1: {
      type: 'number',
      minimum: 0,
      default: 1.2,
      description: 'How soon more of a word stops counting.',
    },
    b: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.75,
      description: 'How much long documents lose.',
    },
    fusion: {
      enum: ['rrf', 'weighted'],
      default: 'rrf',
      description:
        'hybrid: by the ranks in both lists, or by `1 − alpha` times the score by words plus `alpha` times that by meaning, both brought to 0 to 1.',
    },
    alpha: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: '`fusion: weighted`: what meaning counts.',
    },
    rrf_k: {
      type: 'number',
      minimum: 0,
      default: 60,
      description: 'hybrid: the greater, the less the first ranks count.',
    },
    depth: {
      type: 'integer',
      minimum: 1,
      default: 100,
      description: 'hybrid: documents that each of the two lists has.',
    },
  },
} as const;
