import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from './json.ts';

it('is JSON with sorted keys: the same value, and the same text whatever the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
  expect(canonicalJson({ b: 1, a: undefined, c: [undefined, 'x"\\\u2028\ud800é\u0000'] })).toBe(
    `{"b":1,"c":[null,${JSON.stringify('x"\\\u2028\ud800é\u0000')}]}`,
  );
});

it('quotes every character as JSON does', () => {
  for (let code = 0; code < 0x10000; code++) {
    const text = String.fromCharCode(code);
    if (canonicalJson(text) !== JSON.stringify(text)) throw new Error(`\\u${code.toString(16)}`);
  }
});

it('refuses what JSON has not', () => {
  expect(() => canonicalJson(Number.NaN)).toThrow('JSON has no number NaN');
  expect(() => canonicalJson(() => 1)).toThrow('function');
});
