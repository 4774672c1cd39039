import { longTextMethods } from '../../models/language/long-text.ts';
import { languageModel, sampling, template } from '../asking.ts';
import { choices } from './few-shot.ts';

export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['model', 'prompt'],
  properties: {
    model: languageModel(),
    prompt: template("What to ask, over the row's fields: `{ text: … }` or `{ file: ./prompts/label.hbs }`."),
    system: template('What the model is told before: its task, its tone.'),
    schema: {
      type: 'object',
      description: 'JSON Schema (`type: object`) that each answer must fit; without it answers are text.',
    },
    examples: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['input', 'output'],
        properties: {
          input: {
            type: ['string', 'object'],
            description: 'Fields for the prompt, or the question as it stands.',
          },
          output: { type: ['string', 'object'], description: 'The answer to it.' },
        },
      },
      description: 'Questions with their answers, shown to the model before each row.',
    },
    few_shot: {
      type: 'object',
      additionalProperties: false,
      required: ['output'],
      properties: {
        output: {
          type: 'string',
          minLength: 1,
          description: 'The field of the input `examples` with the answer.',
        },
        by: {
          enum: choices,
          default: 'similarity',
          description:
            "`similarity`: those most like the row's question (TF-IDF cosine), the likest last; `mmr`: like it and unlike each other; `balanced`: of each answer in turns the likest; `diversity`: the same for all rows, as unlike each other as can be; `random`: the same for all rows, drawn by `seed`.",
        },
        count: { type: 'integer', minimum: 1, maximum: 100, default: 4, description: 'Examples for a row.' },
        seed: { type: 'integer', default: 42, description: 'Of `random`: another number draws others.' },
      },
      description: 'Examples that are chosen among the rows of the input `examples`, after the fixed ones.',
    },
    long_input: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        method: {
          enum: [...longTextMethods, 'fail'],
          default: 'map_reduce',
          description:
            '`map_reduce`: each part is asked about by itself, and the answers are put together; `refine`: each part is asked about with the answer so far; `fail`: the row fails.',
        },
        field: {
          type: 'string',
          minLength: 1,
          description: 'The field whose text is cut; without it the longest text of the prompt.',
        },
        combine: template(
          'How answers are put together, over `request` and the list `answers`; the step has a text of its own.',
        ),
      },
      description: "What to do where a question is longer than 80 % of the model's context.",
    },
    images: {
      type: 'string',
      minLength: 1,
      description:
        'A field with pictures that go with the question: a data URL (`data:image/png;base64,…`), or a list of them.',
    },
    samples: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Answers for each row.' },
    field: { type: 'string', minLength: 1, default: 'answer', description: 'The field for the answer.' },
    unpack: {
      type: 'boolean',
      default: false,
      description: "With `schema`: the members of the answer become the row's own fields.",
    },
    temperature: sampling.temperature,
    top_p: sampling.top_p,
    max_tokens: sampling.max_tokens,
    stop: {
      type: 'array',
      maxItems: 4,
      items: { type: 'string', minLength: 1 },
      description: 'Texts that end an answer.',
    },
    seed: sampling.seed,
  },
} as const;
