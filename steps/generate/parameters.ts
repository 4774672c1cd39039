const template = (description: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    properties: {
      text: { type: 'string', minLength: 1, 'x-reprise': 'template', description: 'The text itself.' },
      file: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'template-file',
        description: 'A file with the text.',
      },
    },
    minProperties: 1,
    maxProperties: 1,
    description,
  }) as const;

export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['model', 'prompt'],
  properties: {
    model: {
      type: 'string',
      minLength: 1,
      'x-reprise': 'language-model',
      description: 'The alias of a language model, from `models`.',
    },
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
    samples: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Answers for each row.' },
    field: { type: 'string', minLength: 1, default: 'answer', description: 'The field for the answer.' },
    unpack: {
      type: 'boolean',
      default: false,
      description: "With `schema`: the members of the answer become the row's own fields.",
    },
    temperature: { type: 'number', minimum: 0, maximum: 2, description: 'See `models`; over the alias.' },
    top_p: { type: 'number', minimum: 0, maximum: 1, description: 'See `models`; over the alias.' },
    max_tokens: { type: 'integer', minimum: 1, description: 'The longest answer.' },
    stop: {
      type: 'array',
      maxItems: 4,
      items: { type: 'string', minLength: 1 },
      description: 'Texts that end an answer.',
    },
    seed: { type: 'integer', description: 'For providers that can draw the same answer again.' },
  },
} as const;
