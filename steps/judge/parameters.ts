import { languageModel, sampling, template } from '../asking.ts';
import { checksSchema } from './checks-schema.ts';
import { rubricNames } from './rubrics.ts';

const pattern = (description: string) => ({ type: 'string', minLength: 1, description }) as const;

const patterns = {
  type: 'object',
  additionalProperties: false,
  properties: {
    first: pattern('pairwise: says that the answer shown first is better; `\\[\\[A\\]\\]` if not given.'),
    second: pattern('pairwise: the answer shown second; `\\[\\[B\\]\\]`.'),
    tie: pattern('pairwise: neither; `\\[\\[C\\]\\]`.'),
    score: pattern('score: its first group is the score; `\\[\\[(\\d+(?:\\.\\d+)?)\\]\\]`.'),
  },
  description:
    'text: regular expressions. The first one that is found counts, in the order `first`, `second`, `tie`; of a text that answers the prompt that comes along, if none are given, the last verdict.',
} as const;

export const scales = ['1-5', '1-10', '0-100', '0-1'] as const;
export const combinations = ['mean', 'vote', 'weighted', 'minimum'] as const;

export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    mode: {
      enum: ['score', 'pairwise'],
      default: 'score',
      description: 'Whether an answer gets a score, or is compared with another one.',
    },
    judges: {
      type: 'array',
      uniqueItems: true,
      default: [],
      items: languageModel(),
      description: 'Who judges; each judge sees every row. Without any, only `checks` are made.',
    },
    question: { type: 'string', minLength: 1, description: 'The field with what was asked.' },
    answer: {
      type: 'string',
      minLength: 1,
      default: 'answer',
      description: 'score: the field with the answer that is judged.',
    },
    answers: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      uniqueItems: true,
      items: { type: 'string', minLength: 1 },
      description: 'pairwise: the fields with the two answers.',
    },
    reference: { type: 'string', minLength: 1, description: 'The field with an answer that is right.' },
    criteria: {
      type: 'array',
      maxItems: 20,
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', pattern: '^[a-z][a-z0-9_]*$', description: 'A name for it.' },
          description: { type: 'string', minLength: 1, description: 'What to look at.' },
          weight: {
            type: 'number',
            exclusiveMinimum: 0,
            default: 1,
            description: 'How much it counts in the score.',
          },
        },
      },
      description: 'score: what is scored, each by itself; without any, the answer as a whole.',
    },
    rubric: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...template('').properties,
        name: { enum: rubricNames, description: 'One of those that come along.' },
      },
      minProperties: 1,
      maxProperties: 1,
      description:
        'What a good answer is: `{ text: … }`, `{ file: ./rubrics/tone.md }`, or a built-in one, `{ name: correctness }`.',
    },
    scale: { enum: scales, default: '1-5', description: 'score: the lowest and the highest score.' },
    score_from: {
      enum: ['answer', 'logprobs'],
      default: 'answer',
      description:
        'score: whether the score counts that a judge says, or, on the scale 1-5, the one to expect by the probabilities of all scores.',
    },
    threshold: { type: 'number', description: 'score: the least score with which a row passes.' },
    ties: {
      type: 'boolean',
      default: true,
      description:
        'pairwise: a judge may say that neither is better. If not, one whose orders differ has no vote among several.',
    },
    orders: {
      enum: ['both', 'given', 'swapped'],
      default: 'both',
      description:
        'pairwise: the orders in which each judge sees the answers. With both, an answer wins only if it does in both.',
    },
    second_look: {
      type: 'object',
      additionalProperties: false,
      properties: {
        prompt: template(
          'What is asked then, instead of the prompt that comes along; `reason_a` and `reason_b` are the reasons for either answer.',
        ),
        system: template('What the judge is told before.'),
        patterns,
      },
      description:
        'pairwise, both orders: a judge whose orders differ is shown its reasons for both answers and asked again, in both orders; `{}` with the prompt that comes along.',
    },
    labels: {
      type: 'array',
      minItems: 3,
      maxItems: 3,
      uniqueItems: true,
      items: { type: ['string', 'number'] },
      description:
        'pairwise: what `winner` says if the first, the second, or neither wins; the names of the fields, and `tie`, if not given.',
    },
    prompt: template(
      "What a judge is asked, over the row's fields and the names below, instead of the prompt that comes along.",
    ),
    system: template('What a judge is told before: its task, its tone.'),
    format: {
      enum: ['json', 'text'],
      default: 'json',
      description: 'Whether judges answer with JSON, or with a text in which `patterns` find the verdict.',
    },
    patterns: {
      ...patterns,
      default: {},
    },
    repairs: {
      type: 'integer',
      minimum: 0,
      maximum: 3,
      default: 1,
      description: 'text: how often a judge whose answer has no verdict is asked for one.',
    },
    samples: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 1,
      description: 'How often each judge is asked; the mean score counts, or the verdict given most often.',
    },
    combine: {
      enum: combinations,
      description:
        'What several judges come to: `mean`, `vote` (of equally many, the lower score, or a tie), `weighted` (mean or vote), `minimum`. mean if not given, of pairwise verdicts vote.',
    },
    weights: {
      type: 'object',
      additionalProperties: { type: 'number', exclusiveMinimum: 0 },
      description: 'weighted: of each judge, by alias; 1 if not given.',
    },
    quorum: {
      type: 'integer',
      minimum: 1,
      description:
        'Judges whose verdict is needed; all, if not given. With fewer the row fails; with as many it is done, and the others are not asked again. One that does not answer at all (its server is down) still fails the row: run again, or `reprise retry`, asks only what is missing.',
    },
    min_consistency: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description:
        'Several judges: one that answers a smaller share of questions alike, in both orders or asked several times (`samples`), has no vote.',
    },
    checks: checksSchema,
    field: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description:
        'The field for the result, and the first part of the names of the others; without it they are `score` (or `winner`), `reason`, `passed` and so on.',
    },
    ...sampling,
  },
} as const;
