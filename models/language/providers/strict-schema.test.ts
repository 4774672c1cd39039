import { describe, expect, it } from 'vitest';
import { isStrict } from './strict-schema.ts';

const text = { type: 'string' };
const closed = (properties: object, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

describe('what OpenAI can be held to', () => {
  it.each<[string, object, boolean]>([
    ['all members required, no others', closed({ a: text }), true],
    ['a member that may be missing', closed({ a: text, b: text }, ['a']), false],
    ['others may be', { type: 'object', properties: { a: text }, required: ['a'] }, false],
    ['an object without properties', { type: 'object' }, false],
    ['such an object within', closed({ a: { type: 'object' } }), false],
    ['an object or null', closed({ a: { type: ['object', 'null'] } }), false],
    ['an empty object that is closed', closed({}), true],
    ['members called as words of schemas', closed({ properties: text, type: text, default: text }), true],
    [
      'in lists, alternatives and definitions',
      closed({ a: { type: 'array', items: { anyOf: [closed({ b: text }), { $ref: '#/$defs/x' }] } } }),
      true,
    ],
    ['not so in an alternative', closed({ a: { anyOf: [{ type: 'object' }] } }), false],
    ['a word that strict mode does not know', closed({ a: { ...text, default: 'x' } }), false],
    ['any value', closed({ a: {} }), true],
    ['items of any kind', closed({ a: { type: 'array', items: true } }), false],
  ])('%s', (_, schema, strict) => expect(isStrict(schema)).toBe(strict));
});
