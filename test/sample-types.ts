import { join } from 'node:path';
import type { ModelResolver, StepRegistry, StepSource } from '../engine/registry.ts';
import { type AnyStepType, anyInputs, defineRowStep, defineStep } from '../engine/step.ts';

const table = { kind: 'table', description: 'Rows.' } as const;
const matrix = { kind: 'matrix', description: 'Vectors.' } as const;

/** Step types for tests of the front end: each kind of input, output and parameter, and no work. */
export const sampleTypes: AnyStepType[] = [
  defineStep({
    type: 'load',
    summary: 'Rows from files',
    parameters: {
      type: 'object',
      properties: {
        path: { type: 'string', minLength: 1, description: 'File or glob.', 'x-reprise': 'input-path' },
        format: { enum: ['jsonl', 'csv', 'parquet'], description: 'Format; from the suffix if not given.' },
        limit: { type: 'integer', minimum: 1, description: 'Rows, at most.' },
        purpose: {
          enum: ['any', 'eval_only'],
          default: 'any',
          description: 'What the data may be used for.',
        },
        rename: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'New names of fields.',
        },
        columns: { type: 'array', items: { type: 'string' }, description: 'Fields to keep.' },
      },
      required: ['path'],
      additionalProperties: false,
    },
    inputs: {},
    outputs: { rows: table, rejected: table },
    metrics: { rows: 'Rows read.', rejected: 'Rows set aside.' },
    example: 'use: load',
    async run() {},
  }),
  defineStep({
    type: 'filter',
    summary: 'Keeps the rows for which a condition holds',
    parameters: {
      type: 'object',
      properties: { where: { type: 'string', description: 'The condition.', 'x-reprise': 'cel' } },
      required: ['where'],
      additionalProperties: false,
    },
    inputs: { rows: table },
    outputs: { rows: table, rejected: table },
    example: 'use: filter',
    async run() {},
  }),
  defineRowStep({
    type: 'embed',
    summary: 'A vector for each row',
    parameters: {
      type: 'object',
      properties: {
        model: {
          type: 'string',
          default: 'mini',
          description: 'The encoder.',
          'x-reprise': 'embedding-model',
        },
        batch_size: { type: 'integer', minimum: 1, default: 32, description: 'Rows in a batch.' },
        normalize: { type: 'boolean', default: true, description: 'Whether vectors have length 1.' },
      },
      additionalProperties: false,
    },
    inputs: { rows: table },
    outputs: { vectors: matrix },
    example: 'use: embed',
    fields: () => ['text'],
    async open() {
      return { identity: null, batchSize: 1, concurrency: 1, compute: async () => [] as Float32Array[] };
    },
    async emit() {},
  }),
  defineStep({
    type: 'cluster',
    summary: 'Groups vectors',
    parameters: {
      type: 'object',
      properties: {
        method: { enum: ['kmeans', 'hdbscan'], default: 'kmeans', description: 'The algorithm.' },
        k: { type: 'integer', minimum: 2, description: 'Clusters.' },
      },
      required: ['k'],
      additionalProperties: false,
    },
    inputs: { rows: table, vectors: matrix },
    outputs: { rows: table, centres: matrix, vectors: matrix },
    metrics: { k: 'Clusters.', inertia: 'Sum of squared distances.' },
    seeded: true,
    example: 'use: cluster',
    check: ({ method, k }) =>
      method === 'hdbscan' && k > 100 ? [{ parameter: 'k', message: 'hdbscan finds the number itself' }] : [],
    async run() {},
  }),
  defineStep({
    type: 'evaluate',
    summary: 'Scores',
    parameters: {
      type: 'object',
      properties: {
        task: { enum: ['clustering', 'classification'], description: 'What is scored.' },
        truth: { type: 'string', default: 'label', description: 'The field with the truth.' },
      },
      required: ['task'],
      additionalProperties: false,
    },
    inputs: { rows: table, vectors: { ...matrix, optional: true } },
    outputs: { scores: table },
    metrics: { v_measure: 'Harmonic mean.', accuracy: 'Share of hits.' },
    example: 'use: evaluate',
    async run() {},
  }),
  defineRowStep({
    type: 'answer',
    summary: 'A text for each row',
    parameters: {
      type: 'object',
      properties: {
        style: { type: 'string', default: 'plain', description: 'How to answer.' },
        temperature: { type: 'number', minimum: 0, maximum: 2, default: 0, description: 'Randomness.' },
        prompt: {
          description: 'The prompt.',
          oneOf: [
            {
              type: 'object',
              properties: { text: { type: 'string', 'x-reprise': 'template' } },
              required: ['text'],
              additionalProperties: false,
            },
            {
              type: 'object',
              properties: { file: { type: 'string', 'x-reprise': 'input-path' } },
              required: ['file'],
              additionalProperties: false,
            },
          ],
        },
      },
      additionalProperties: false,
    },
    inputs: { rows: table },
    outputs: { rows: table },
    example: 'use: answer',
    fields: () => ['text'],
    async open() {
      return { identity: null, batchSize: 1, concurrency: 1, compute: async () => [] as string[] };
    },
    async emit() {},
  }),
  defineStep({
    type: 'train',
    summary: 'Learns from rows',
    parameters: {
      type: 'object',
      properties: {
        seeds: { type: 'array', items: { type: 'integer' }, minItems: 1, description: 'Seeds.' },
      },
      additionalProperties: false,
    },
    inputs: { rows: table },
    outputs: { model: { kind: 'files', description: 'The model.' } },
    example: 'use: train',
    async run() {},
  }),
  defineStep({
    type: 'exec',
    summary: 'Runs a program',
    parameters: {
      type: 'object',
      properties: {
        run: { type: ['string', 'array'], items: { type: 'string' }, description: 'The program.' },
        deps: {
          type: 'array',
          items: { type: 'string', 'x-reprise': 'input-path' },
          description: 'Files it reads.',
        },
        outputs: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'Files it writes.',
        },
      },
      required: ['run'],
      additionalProperties: false,
    },
    inputs: anyInputs,
    outputs: {},
    outputsOf: ({ outputs }) =>
      Object.fromEntries(
        Object.entries(outputs ?? {}).map(([name, file]) => [
          name,
          String(file).endsWith('.npy')
            ? matrix
            : String(file).endsWith('/')
              ? { kind: 'files', description: '' }
              : table,
        ]),
      ),
    example: 'use: exec',
    async run() {},
  }),
  defineStep({
    type: 'report',
    summary: 'A page',
    parameters: {
      type: 'object',
      properties: { title: { type: 'string', description: 'The title.' } },
      additionalProperties: false,
    },
    inputs: anyInputs,
    outputs: { page: { kind: 'files', description: 'The page.' } },
    example: 'use: report',
    async run() {},
  }),
];

/** A registry of the sample types; step files are looked for in `files`, by their path from the root. */
export function sampleRegistry(files: { [path: string]: () => Promise<AnyStepType> } = {}): StepRegistry {
  const types = new Map(sampleTypes.map((type) => [type.type, type]));
  return {
    names: [...types.keys()].sort(),
    find(use): StepSource | undefined {
      const type = types.get(use);
      const module = join(import.meta.dirname, 'sample-types.ts');
      if (type !== undefined) return { use, module, load: async () => type };
      const load = files[use];
      return load === undefined ? undefined : { use, module, load };
    },
  };
}

export const sampleModels: ModelResolver = {
  names: ['mini', 'multilingual'],
  find: (name) =>
    ['mini', 'multilingual'].includes(name) ? { folder: `/models/${name}`, files: [] } : undefined,
};
