import { operators, rowExpectations, tableExpectations, valueTypes } from './expectation.ts';

const name = (description: string) => ({ type: 'string', minLength: 1, description }) as const;
const names = (description: string) =>
  ({
    type: 'array',
    items: { type: 'string', minLength: 1 },
    minItems: 1,
    uniqueItems: true,
    description,
  }) as const;

/** What `with` of a `validate` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['expectations'],
  properties: {
    expectations: {
      type: 'array',
      minItems: 1,
      description: 'What is expected of the rows and of the table.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['expect'],
        properties: {
          expect: { enum: [...rowExpectations, ...tableExpectations], description: 'The kind: see above.' },
          name: name('What reports call it. Default: the kind and its fields.'),
          severity: {
            enum: ['fail', 'warn'],
            default: 'fail',
            description:
              'fail: rows that do not fit are quarantined, and the step fails. warn: a warning only.',
          },
          field: name('The field.'),
          fields: names('unique: fields that together are unique. columns: fields that the table has.'),
          mostly: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            default: 1,
            description: 'The share of the rows with a value that must fit.',
          },
          value_set: {
            type: 'array',
            items: { type: ['string', 'number', 'boolean'] },
            minItems: 1,
            description: 'in_set, not_in_set: the values.',
          },
          regex: name(
            'regex, not_regex: an expression of JavaScript, with the flag u; ^ and $ for the whole text.',
          ),
          min_value: { type: ['number', 'string'], description: 'The least that is allowed.' },
          max_value: {
            type: ['number', 'string'],
            description: 'The most that is allowed. Default for psi 0.25, for js_distance and ks 0.1.',
          },
          type: { enum: valueTypes, description: 'type: the type.' },
          operator: { enum: operators, description: 'compare: how `field` stands to `other`.' },
          other: name('compare: the other field.'),
          direction: {
            enum: ['increasing', 'decreasing'],
            default: 'increasing',
            description: 'monotonic: where the values go.',
          },
          strictly: { type: 'boolean', default: false, description: 'monotonic: no two are equal.' },
          exact: { type: 'boolean', default: false, description: 'columns: there are no other fields.' },
          q: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            default: 0.5,
            description: 'quantile: which; 0.5 is the median.',
          },
          bins: {
            type: 'integer',
            minimum: 2,
            maximum: 1000,
            default: 10,
            description: 'psi, js_distance: parts of the range of numbers, by quantiles of the reference.',
          },
          reference_field: name(
            'foreign_key, psi, js_distance, ks: the field of `reference`. Default: `field`.',
          ),
        },
      },
    },
    on_fail: {
      enum: ['fail', 'quarantine'],
      default: 'fail',
      description:
        'fail: the step fails if an expectation does not hold. quarantine: rows that do not fit are only set apart; what does not hold of the table fails the step all the same.',
    },
  },
} as const;
