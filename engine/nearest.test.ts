import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest, suggestion } from './nearest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['form', 'from', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
    ['retires', 'retries', 1],
  ])('%s %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
  it('is a symmetric distance, and stops at its limit', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), fc.nat(5), (a, b, limit) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(Math.min(distance, limit + 1)).toBe(editDistance(a, b, limit));
      }),
    );
  });
});

describe('nearest', () => {
  const keys = ['use', 'from', 'after', 'with', 'when', 'max_row_failures', 'k', 'n'];
  it.each([
    ['form', 'from'],
    ['maxRowFailures', 'max_row_failures'],
    ['With', 'with'],
    ['x', undefined],
    ['something_else', undefined],
  ])('%s → %s', (word, name) => {
    expect(nearest(word, keys)).toBe(name);
  });
  it('lists what there is if nothing is near', () => {
    expect(suggestion('zzz', ['a', 'b'])).toBe('known: a, b');
    expect(suggestion('zzz', [])).toBeUndefined();
  });
});
