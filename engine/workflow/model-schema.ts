import type { JsonObject } from '../json.ts';
import { ggufFile } from '../language-model.ts';

const number = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'number',
  minimum: 0,
  description,
  ...more,
});
const count = (description: string, least = 1): JsonObject => ({
  type: 'integer',
  minimum: least,
  description,
});
const text = (description: string): JsonObject => ({ type: 'string', minLength: 1, description });

const encoder: JsonObject = {
  path: {
    ...text(
      'The folder of an encoder, the GGUF file of a language model, or the file of recorded answers (replay).',
    ),
    'x-reprise': 'path',
  },
  description: { type: 'string' },
};

/** How answers are drawn; steps may say otherwise. It counts in what results are filed under. */
const sampling: JsonObject = {
  temperature: number('0: always the likeliest word; higher: more varied.', { maximum: 2 }),
  top_p: number('Only words among the likeliest that have this share together.', { maximum: 1 }),
  max_tokens: count('The longest answer. One that reaches it is a failed row.'),
  stop: {
    type: 'array',
    items: { type: 'string', minLength: 1 },
    maxItems: 4,
    description: 'Texts that end an answer.',
  },
  seed: { type: 'integer', description: 'For providers that can draw the same answer again.' },
};

/** How hard a model may be pressed. None of it changes a result, so none of it counts. */
const pressure: JsonObject = {
  concurrency: count('Requests at once, at most; without it, what the server bears is found out.'),
  requests_per_minute: count('Requests in a minute, at most.'),
  tokens_per_minute: count('Tokens in a minute, at most.'),
  request_timeout: number('Seconds that one try may take.', { default: 120, exclusiveMinimum: 0 }),
  stream: {
    type: 'boolean',
    default: false,
    description: 'The answer comes in pieces, and the events of the run tell it as it is written.',
  },
  batch: {
    type: ['boolean', 'object'],
    default: false,
    properties: {
      poll: number('Seconds between two looks at a batch.', { default: 60, exclusiveMinimum: 0 }),
      max_requests: count('Requests of one batch, at most; what the provider takes if not given.'),
    },
    additionalProperties: false,
    description:
      'Requests are gathered and given to the provider as a batch: half the price, and answers within 24 hours.',
  },
  retries: { ...count('Tries after the first, of a request that may pass.', 0), default: 4 },
};

/** Of a language model in a file. */
const onThisMachine: JsonObject = {
  template: {
    ...text('Of `local`: a Jinja chat template instead of the one in the file.'),
    'x-reprise': 'path',
  },
  device: {
    enum: ['auto', 'cpu', 'gpu'],
    default: 'auto',
    description:
      'Of `local`: auto is a graphics card if the installed build and the machine have one, gpu fails without.',
  },
  url: text('Of `local`: where the file may be had; `reprise models pull` downloads it.'),
  sha256: {
    type: 'string',
    pattern: '^[0-9a-fA-F]{64}$',
    description: 'Of `local`: what a downloaded file must come to.',
  },
  threads: count('Of `local`: threads on the processor; as many as it has cores if not given.'),
};

const answering: JsonObject = {
  model: text(
    'The model, as the provider calls it. For a command, whatever it makes of the name. Of a replay whose file has answers of several models, the one that counts.',
  ),
  base_url: text("Where a server of one's own, or of another provider, speaks the same format."),
  api_key_env: text(
    "The environment variable (or line of .env) with the key, if it is not OPENAI_API_KEY, ANTHROPIC_API_KEY or OPENROUTER_API_KEY, which are sent to these providers' own servers only. Another server is asked without a key if this is not given, and a program finds none in its environment.",
  ),
  api_key: {
    ...text('The key, as `${{ secrets.NAME }}`: it comes from the environment or .env, and is kept nowhere.'),
  },
  api: {
    enum: ['chat', 'responses'],
    default: 'chat',
    description:
      'How OpenAI is asked: by chat completions, which other servers speak as well, or by responses.',
  },
  json: {
    enum: ['schema', 'object', 'prompt'],
    default: 'schema',
    description: 'How the server is asked for JSON: by its schema, by JSON mode, or in words only.',
  },
  price: {
    type: 'object',
    properties: {
      input: number('Of input.'),
      output: number('Of output.'),
      cached: number("Of input read from the provider's cache."),
      written: number("Of input written to the provider's cache."),
      batch: {
        type: 'object',
        properties: { input: number('Of input.'), output: number('Of output.') },
        required: ['input', 'output'],
        additionalProperties: false,
        description: 'What is asked in batches; half of the price if not given.',
      },
    },
    required: ['input', 'output'],
    additionalProperties: false,
    description: 'US dollars for a million tokens, where the list of prices has none or another.',
  },
  context: count(
    'Tokens that a request and its answer may have together, where the list of models does not know it: longer texts are asked about in parts.',
  ),
  languages: {
    type: 'array',
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', pattern: '^[a-z]{2,3}$' },
    description: 'Languages that the model is good at (ISO codes): `models select` leaves it out for others.',
  },
  tokenizer: {
    ...text('The tokenizer.json of a model: its tokens are counted by it.'),
    'x-reprise': 'path',
  },
  revision: text('Counts in what answers are filed under: change it to be asked anew.'),
  command: {
    type: ['array', 'string'],
    items: { type: 'string' },
    minItems: 1,
    minLength: 1,
    description:
      'A program that answers, JSON in, JSON out: it and its arguments as a list, or one line for the shell.',
  },
  ...sampling,
  ...pressure,
};

const names = Object.keys(answering);
const allowed = (keys: readonly string[]): JsonObject =>
  Object.fromEntries(['provider', 'description', ...keys].map((key) => [key, true]));
const hosted = names.filter((key) => key !== 'command');
const unbatched = (keys: readonly string[]) => keys.filter((key) => key !== 'batch');
/** What each provider takes, and what it must be told. */
const providers: { [name: string]: { keys: readonly string[]; required: readonly string[] } } = {
  local: {
    keys: [
      ...Object.keys(onThisMachine),
      'path',
      'model',
      'json',
      'context',
      'languages',
      'request_timeout',
      'retries',
      ...Object.keys(sampling),
    ],
    required: ['path'],
  },
  openai: { keys: hosted, required: ['model'] },
  anthropic: { keys: hosted.filter((key) => !['api', 'json', 'seed'].includes(key)), required: ['model'] },
  openrouter: { keys: unbatched(hosted).filter((key) => key !== 'api'), required: ['model'] },
  command: {
    keys: unbatched(names).filter((key) => !['api', 'base_url', 'json', 'stream'].includes(key)),
    required: ['command'],
  },
  replay: { keys: ['path', 'model', ...Object.keys(sampling)], required: ['path'] },
};

const cases = (more: readonly string[]): JsonObject[] =>
  Object.entries(providers).map(([name, { keys, required }]) => ({
    if: {
      properties: {
        provider: { const: name },
        ...(name === 'local' && { path: { pattern: ggufFile.source } }),
      },
      required: name === 'local' ? ['provider', 'path'] : ['provider'],
    },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    then: {
      properties: allowed([...keys, ...more]),
      required: ['provider', ...required],
      additionalProperties: false,
    },
  }));

const fallback: JsonObject = {
  type: 'object',
  properties: {
    provider: { enum: Object.keys(providers), description: 'Who answers.' },
    ...encoder,
    ...onThisMachine,
    ...answering,
  },
  required: ['provider'],
  allOf: [
    ...cases([]),
    {
      if: { properties: { provider: { const: 'local' } }, required: ['provider'] },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
      then: { properties: { path: { pattern: ggufFile.source } }, required: ['path'] },
    },
  ],
};

const alias = (description: string): JsonObject => ({
  type: 'string',
  pattern: '^[a-z][a-z0-9_]*$',
  description,
});

/** Numbers of the models of a route. */
const measured = (description: string): JsonObject => ({
  type: ['object', 'string'],
  additionalProperties: { type: ['number', 'string'] },
  description: `${description} \`run:<run>/step.metric\` for all is that of the step of a matrix with the model as a value.`,
});

const route: JsonObject = {
  type: 'object',
  properties: {
    among: {
      type: 'array',
      minItems: 2,
      uniqueItems: true,
      items: alias('Another model of the workflow.'),
      description:
        'The models to choose from. If the one that is chosen has no answer, the next best is asked.',
    },
    by: {
      enum: ['cost', 'quality', 'latency', 'fallback', 'rules'],
      default: 'cost',
      description:
        'cost: the cheapest for the request; quality: the best by `quality`; latency: the fastest by `latency`, else so far; fallback: as written; rules: the first rule that holds.',
    },
    quality: measured(
      'Scores of the models, greater for better ones, measured by an evaluation: a number for each, or the metric of an earlier run that has it.',
    ),
    latency: measured(
      'Of `by: latency`: milliseconds that the models take, measured before: then the choice does not hang on this run.',
    ),
    min_quality: { type: 'number', description: 'Models that score lower, or have no score, are not asked.' },
    rules: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          when: {
            ...text(
              'CEL over `tokens` (about), `json`, `images`, `text` (the question) and fields of the row (`row.probability > 0.4`); without it the rule holds.',
            ),
          },
          use: alias('The model that is asked then.'),
        },
        required: ['use'],
        additionalProperties: false,
      },
      description: 'Of `by: rules`: the first that holds says which model is asked.',
    },
  },
  required: ['among'],
  additionalProperties: false,
  description: 'Sends each request to one of several models.',
};

/** An entry of `models`: an encoder in a folder (`local`), a language model, or a route to several. */
export const model: JsonObject = {
  type: 'object',
  description: 'A model under a name of its own.',
  properties: {
    provider: {
      enum: Object.keys(providers),
      description:
        'Who computes: local (an ONNX encoder in a folder, or a language model in a GGUF file), openai or any server that speaks its format (base_url), anthropic, openrouter, command (a program), replay (recorded answers).',
    },
    ...encoder,
    ...onThisMachine,
    ...answering,
    fallback: {
      type: 'array',
      items: fallback,
      description: 'Models that are asked, in this order, when this one cannot answer.',
    },
    route,
  },
  if: { required: ['route'] },
  // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
  then: { properties: { route: true, description: true }, additionalProperties: false },
  else: { required: ['provider'] },
  allOf: [
    {
      if: {
        properties: { provider: { const: 'local' }, path: { not: { pattern: ggufFile.source } } },
        required: ['provider'],
      },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
      then: {
        properties: { provider: true, path: true, description: true },
        required: ['provider', 'path'],
        additionalProperties: false,
      },
    },
    ...cases(['fallback']),
  ],
};
