import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newNotes } from './found.ts';
import { findJsonMistake } from './json-mistake.ts';
import { parseJson } from './json-text.ts';

const jsonText = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      'true',
      'null',
      ' ',
      '\\',
      '\\u',
      'd800',
      '\n',
      'NaN',
      "'",
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

describe('parseJson', () => {
  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const notes = newNotes();
        const parsed = parseJson(text, notes);
        if (notes.exactNumbers === 0) expect(parsed).toMatchObject({ value: JSON.parse(text) });
        expect(notes.duplicateKeys).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('finds a mistake in everything that JSON.parse refuses, and in nothing else', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const parsed = parseJson(text, newNotes());
        expect('value' in parsed).toBe(valid);
        if (valid) return;
        const { offset, message } = findJsonMistake(text);
        expect(message).not.toBe('it cannot be parsed');
        expect(offset).toBeLessThanOrEqual(text.length);
        // What stands before the mistake can be the beginning of something valid.
        expect(findJsonMistake(text.slice(0, offset)).offset).toBe(offset);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['{"a":1,"a":2}', 1],
    ['[{"a":{"b":1,"b":2,"b":3}},{"a":":"}]', 2],
    ['{"a":"\\":\\"","b":"{:}"}', 0],
    ['{"__proto__":1,"__proto__":2}', 1],
  ])('counts repeated keys of %s', (text, count) => {
    const notes = newNotes();
    parseJson(text, notes);
    expect(notes.duplicateKeys).toBe(count);
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['100000000000000000000', 1e20],
    ['123456789012345680000', 123456789012345680000],
    ['123456789012345678901', '123456789012345678901'],
    ['-9007199254740993', '-9007199254740993'],
    ['1e400', '1e400'],
    ['-1E+999', '-1E+999'],
    ['1e-400', '1e-400'],
    ['0e-400', 0],
    ['1e22', 1e22],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['0.1000000000000000055511151231257827', 0.1],
    ['-0', -0],
  ])('reads %s as %s', (text, value) => {
    expect(parseJson(`{"n":${text}}`, newNotes())).toMatchObject({ value: { n: value } });
  });

  it.each([
    ['', 1, 'it is empty'],
    ['{"a":1,}', 8, 'a comma before }'],
    ['[1,]', 4, 'a comma before ]'],
    ['{"a" 1}', 6, ': expected after the key, found 1'],
    ['{a:1}', 2, 'a key in double quotes expected, found a'],
    ["{'a':1}", 2, "a key in double quotes expected, found '"],
    ['{"a":Infinity}', 6, 'Infinity is not JSON; write null'],
    ['{"a":True}', 6, 'JSON has true and false in lower case'],
    ['{"a":"x\ny"}', 8, 'a control character (U+000a) in a text; write \\u000a'],
    ['{"a":"\\x41"}', 7, '\\x is no escape'],
    ['{"a":01}', 6, 'no number of JSON: 01'],
    ['{"a":1} {"b":2}', 9, 'text after the end of the value: {'],
    ['{"a":"open', 11, 'it ends inside a text'],
    ['[1 2]', 4, ', or ] expected, found 2'],
  ])('says where %j is wrong', (text, column, message) => {
    const parsed = parseJson(text, newNotes());
    expect(parsed).toMatchObject({ flaw: { code: 'invalid_json', column, reason: `not JSON: ${message}` } });
  });

  it('refuses what is nested too deep, whatever its size', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(parseJson(nested(200), newNotes())).toMatchObject({ value: expect.anything() });
    expect(parseJson(nested(201), newNotes())).toMatchObject({ flaw: { code: 'too_deep' } });
    expect(parseJson(nested(1_000_000), newNotes())).toMatchObject({ flaw: { code: 'too_deep' } });
    expect(parseJson('{"a":'.repeat(1_000_000), newNotes())).toMatchObject({ flaw: { code: 'too_deep' } });
  });
});
