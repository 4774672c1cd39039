import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, type Json } from '../engine/json.ts';
import { valueName } from './value-name.ts';

it('names values, and no two alike', () => {
  for (const text of ['billing', '2026-10', '-', '1.', 'nullable', '', 'a "b"'])
    expect(valueName(text)).toBe(text);
  expect(
    ['1', '-1.5e3', 'null', '"1"', '[1]', 1, null, [1]].map((value) => valueName(value as Json)),
  ).toEqual(['"1"', '"-1.5e3"', '"null"', '"\\"1\\""', '"[1]"', '1', 'null', '[1]']);
  const value = fc.oneof(
    fc.jsonValue(),
    fc.jsonValue().map((json) => JSON.stringify(json)),
  );
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [one, other] = [a as Json, b as Json];
      expect(valueName(one) === valueName(other)).toBe(canonicalJson(one) === canonicalJson(other));
    }),
  );
});
