const number = (description: string) => ({ type: 'number', description }) as const;
const range = (description: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: { min: number('At least.'), max: number('At most.') },
    description,
  }) as const;

/** What kinds of checks there are: each check has exactly one of these members. */
export const checkKinds = [
  'json',
  'schema',
  'regex',
  'not_regex',
  'contains',
  'not_contains',
  'equals',
  'one_of',
  'characters',
  'words',
  'range',
  'duration',
  'timestamps',
  'grounded',
  'where',
] as const;

export const checksSchema = {
  type: 'array',
  default: [],
  items: {
    type: 'object',
    additionalProperties: false,
    properties: {
      name: {
        type: 'string',
        pattern: '^[a-z][a-z0-9_]*$',
        description: 'A name for it; that of its kind if not given.',
      },
      field: {
        type: 'string',
        minLength: 1,
        description: 'The field that is checked; `answer` if not given.',
      },
      at: {
        type: 'string',
        minLength: 1,
        description: 'Where in the JSON of the field: `result.steps.0.name`.',
      },
      json: { const: true, description: 'It is JSON.' },
      schema: { type: 'object', description: 'It is JSON that fits this JSON Schema.' },
      regex: { type: 'string', minLength: 1, description: 'It matches this regular expression somewhere.' },
      not_regex: { type: 'string', minLength: 1, description: 'It matches this nowhere.' },
      contains: { type: 'string', minLength: 1, description: 'This text stands in it.' },
      not_contains: { type: 'string', minLength: 1, description: 'This text does not.' },
      equals: {
        type: 'string',
        minLength: 1,
        description: 'It is the same as this field, but for space at the ends.',
      },
      one_of: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description: 'It is one of these, but for space at the ends.',
      },
      characters: range('Its length in characters.'),
      words: range('Its length in words.'),
      range: range('It is a number within these bounds.'),
      duration: range(
        'It is a duration within these bounds, in seconds: `PT1M30S`, `1:30`, `90 s`, or a number.',
      ),
      timestamps: {
        type: 'object',
        additionalProperties: false,
        properties: {
          min: number('None is before, in seconds.'),
          max: number('None is after, in seconds.'),
          rising: { type: 'boolean', default: true, description: 'Each is later than the one before.' },
          count: { type: 'integer', minimum: 1, description: 'There are at least so many.' },
        },
        description: 'Its times of day or of a recording (`00:01:30`, `1:30.5`) are possible ones.',
      },
      grounded: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', minLength: 1 },
        description:
          'Its quotations, times and numbers stand in these fields of the row; of JSON all its texts and numbers.',
      },
      where: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'cel',
        description: 'A condition in CEL over `row`: `row.answer.size() > 10`.',
      },
    },
  },
  description:
    'Programmatic checks, made without a model: a list, each with one of the members below and perhaps `field` and `at`. A row passes if all hold.',
} as const;
