import type { JsonObject } from '../json.ts';

/** Ids of steps, params, metrics and matrix axes. */
export const idPattern = '^[a-z][a-z0-9_]*$';
const envPattern = '^[A-Za-z_][A-Za-z0-9_]*$';

/** Keys that the interface promises and this version does not have. */
export const notAvailableKeys = {
  workflow: [],
  step: [],
} as const;

export const expression = { type: 'string', pattern: '\\$\\{\\{' };

const duration = {
  type: ['string', 'number'],
  pattern: '^\\s*(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)\\s*)+$',
  patternErrorMessage: 'a duration is written 500ms, 90s, 10m, 1h or 1h30m; a number counts seconds',
  exclusiveMinimum: 0,
};

/** What a step and the `defaults` of a file have in common. */
export const options: JsonObject = {
  retries: {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 0,
    description: 'How often a failed step is tried again, with a growing pause.',
  },
  timeout: {
    ...duration,
    description: 'The longest that an attempt may take: 90s, 10m, 1h30m, or a number of seconds.',
  },
  on_error: {
    enum: ['stop', 'continue'],
    default: 'stop',
    description: 'Whether the failure of this step stops the run, or only what hangs on the step.',
  },
  max_row_failures: {
    type: ['string', 'integer'],
    pattern: '^\\s*\\d+(\\.\\d+)?\\s*%\\s*$',
    patternErrorMessage: 'failed rows are a count (5) or a share of the rows (1%)',
    minimum: 0,
    default: 0,
    description: 'Rows that may fail before the step fails: a count (5) or a share (1%).',
  },
  cache: {
    type: 'boolean',
    default: true,
    description: 'Whether results are taken from the cache and kept in it.',
  },
  priority: {
    type: 'integer',
    minimum: -100,
    maximum: 100,
    default: 0,
    description:
      'Of steps that are ready, and of requests that wait for a language model, those with a higher number go first. It changes no result.',
  },
  if_skipped: {
    enum: ['skip', 'run'],
    default: 'skip',
    description: 'What becomes of this step when a step that it needs is skipped.',
  },
};

const scalar = { type: ['string', 'number', 'boolean'] };

export const env: JsonObject = {
  type: ['array', 'object'],
  description: 'Environment variables that steps may see: a list of names, or a map of names to values.',
  items: {
    type: 'string',
    pattern: envPattern,
    patternErrorMessage: 'the name of an environment variable has letters, digits and _',
  },
  additionalProperties: {
    type: ['string', 'number', 'boolean', 'object'],
    properties: {
      from: { type: 'string', pattern: envPattern, description: 'The variable of the process to take.' },
    },
    required: ['from'],
    additionalProperties: false,
  },
};

export const param: JsonObject = {
  type: 'object',
  description: 'A param: a typed value that the command line can set.',
  properties: {
    type: {
      enum: ['string', 'integer', 'number', 'boolean', 'array', 'object'],
      description: 'The type of the value; --param texts are read by it.',
    },
    default: { description: 'The value if none is given. A param without one must be given.' },
    description: { type: 'string', description: 'What it is for.' },
    enum: { type: 'array', minItems: 1, description: 'The values that it may have.' },
    minimum: { type: 'number', description: 'The least number.' },
    maximum: { type: 'number', description: 'The greatest number.' },
    min_length: { type: 'integer', minimum: 0, description: 'The least length of a text or list.' },
    max_length: { type: 'integer', minimum: 0, description: 'The greatest length of a text or list.' },
    pattern: { type: 'string', description: 'A regular expression that a text must match.' },
  },
  required: ['type'],
  additionalProperties: false,
};

/** What an entry of `include` may say. */
export const includeKeys: JsonObject = {
  properties: {
    file: { type: 'string', minLength: 1, description: 'The file.' },
    prefix: {
      type: 'string',
      pattern: idPattern,
      patternErrorMessage: 'a prefix has small letters, digits and _, and starts with a letter: en_',
      description: 'What stands before the ids of its steps, so that a file can be included more than once.',
    },
    params: { type: 'object', description: "Values for the file's own params." },
  },
  required: ['file'],
  additionalProperties: false,
};

export const include: JsonObject = { type: ['string', 'object'], minLength: 1, ...includeKeys };

export const hook: JsonObject = {
  type: 'object',
  description: 'Something to do when a run is over: a program to run, or a webhook to call.',
  properties: {
    run: {
      type: ['array', 'string'],
      items: { type: 'string' },
      minItems: 1,
      minLength: 1,
      description: 'A program and its arguments as a list, or one line for the shell.',
    },
    webhook: {
      type: 'string',
      minLength: 1,
      description: "A URL that gets the run's summary as JSON, by POST.",
    },
    when: { type: 'string', description: "A CEL condition: status == 'failed'." },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Headers of the call of a webhook.',
    },
    env: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description: 'Environment variables for a program, beside those of the process.',
    },
    timeout: { ...duration, default: '1m', description: 'The longest that it may take.' },
  },
  oneOf: [{ required: ['run'] }, { required: ['webhook'] }],
  additionalProperties: false,
};

/** The size of a pool: how many at once, or how many starts in a time. */
export const pools: JsonObject = {
  type: 'object',
  propertyNames: { pattern: idPattern },
  additionalProperties: {
    type: ['integer', 'string'],
    minimum: 1,
    pattern: '^[1-9]\\d* ?/ ?(s|min|h)$',
    patternErrorMessage:
      'a pool is a number of steps at once (1), or of starts in a time (20/min, 5/s, 100/h)',
  },
  description:
    'Groups of concurrency: how many of the steps that name a pool may run at once, or start in a time.',
};

export const profilePattern = '^[a-z][a-z0-9_-]*$';

export const profile: JsonObject = {
  type: 'object',
  description: 'What changes when the profile is chosen.',
  properties: {
    description: { type: 'string' },
    params: { type: 'object', description: 'Values of params.' },
    defaults: { $ref: '#/definitions/defaults' },
    models: { type: 'object', additionalProperties: { $ref: '#/definitions/model' } },
    pools,
  },
  additionalProperties: false,
};

export const matrix: JsonObject = {
  type: 'object',
  description: 'Axes and their values: the step runs once for each combination.',
  properties: {
    include: {
      type: 'array',
      items: { type: 'object', additionalProperties: scalar },
      description: 'Combinations to add, or values to add to the combinations that they fit.',
    },
    exclude: {
      type: 'array',
      items: { type: 'object', additionalProperties: scalar },
      description: 'Combinations to leave out; one axis is enough to name several.',
    },
  },
  propertyNames: { pattern: idPattern },
  additionalProperties: { if: expression, else: { type: 'array', items: scalar } },
};
