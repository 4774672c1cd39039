import { languageModel, sampling, template } from '../asking.ts';
import { domains } from './domain.ts';
import { encodings, measures } from './measure.ts';
import { preservable } from './protected-spans.ts';
import { ruleNames } from './rules.ts';

export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['extractive', 'rules', 'model'],
      default: 'extractive',
      description:
        '`extractive` leaves out words, `rules` empty phrases and white space, `model` asks one to write it shorter.',
    },
    text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
    field: {
      type: 'string',
      minLength: 1,
      default: 'compressed',
      description: 'The field for the compressed text.',
    },
    domain: {
      enum: ['auto', ...domains],
      default: 'auto',
      description:
        'What the texts are; `auto` looks at each. Of code and JSON only a model, or rules, leave anything out.',
    },
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Share of a text to keep (extractive, model); 0.5 if neither it nor `target` is given.',
    },
    target: {
      type: 'integer',
      minimum: 1,
      description: 'How much of each text to keep, instead of a share (extractive).',
    },
    measure: { enum: measures, default: 'words', description: 'What `rate` and `target` are counted in.' },
    tokenizer: {
      type: 'string',
      minLength: 1,
      'x-reprise': 'model',
      description:
        'The encoder whose tokens are counted; without it, and without `encoding`, four bytes are a token.',
    },
    encoding: {
      enum: encodings,
      description: "Counts the tokens of OpenAI's models: `o200k_base` since gpt-4o, `cl100k_base` before.",
    },
    level: {
      enum: ['word', 'phrase', 'sentence'],
      default: 'word',
      description: 'What is left out whole (extractive).',
    },
    informativeness: {
      enum: ['idf', 'self_information'],
      default: 'idf',
      description: 'What says how much a word says (extractive).',
    },
    preserve: {
      type: 'array',
      items: { enum: preservable },
      uniqueItems: true,
      description:
        'What survives byte for byte: all of it if not given; of the method model code, links, numbers and negations. A text by a model that lacks one of them, or has fewer negations, is rejected.',
    },
    force_tokens: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Texts that survive wherever they stand; one within a word stands for the word.',
    },
    rules: {
      type: 'array',
      items: { enum: ruleNames },
      uniqueItems: true,
      default: ['json', 'markdown', 'fillers', 'white_space'],
      description:
        'What is shortened (rules): JSON without white space, emphasis marks, phrases that say nothing (English, Russian), articles, lines of comments in code, white space.',
    },
    model: languageModel('The alias of the language model that writes shorter texts (method model).'),
    compress_nl: template(
      'The prompt for texts, over the fields of the row and `rate` in percent; the built-in one if not given.',
    ),
    compress_code: template('The prompt for code, in the same way.'),
    max_char_ratio: {
      type: 'number',
      exclusiveMinimum: 0,
      description:
        'A text with more of its characters left is rejected: 1 if not given; of texts by a model 0.95.',
    },
    max_token_ratio: {
      type: 'number',
      exclusiveMinimum: 0,
      description: 'The same, of its tokens.',
    },
    equivalence: {
      type: 'object',
      additionalProperties: false,
      required: ['models'],
      properties: {
        models: {
          type: 'array',
          items: languageModel(),
          minItems: 2,
          uniqueItems: true,
          description:
            'Aliases of the models that answer from both texts; the answers of each are compared by the next.',
        },
        threshold: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          default: 0.8,
          description: 'A text with a lower score is rejected.',
        },
        aggregate: {
          enum: ['min', 'mean'],
          default: 'min',
          description: 'The score of a row, from those of the models.',
        },
        question: {
          type: 'string',
          minLength: 1,
          description:
            'The field with what to ask about the text; without it the model does what the text asks, or lists what it states.',
        },
      },
      description: 'Checks with language models that the compressed text gives the same answers.',
    },
    ...sampling,
  },
} as const;
