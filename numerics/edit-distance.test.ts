import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from './edit-distance.ts';

const units = (text: string) => Uint16Array.from(text, (_, index) => text.charCodeAt(index));

/** The table of Wagner and Fischer. */
function slow(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

describe('editDistance', () => {
  it('is that of the table, within a block and over several', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 130 }).map((list) => list.join(''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(editDistance(units(a), units(b))).toBe(slow(a, b));
      }),
      { numRuns: 300 },
    );
    expect(editDistance(units('kitten'), units('sitting'))).toBe(3);
  });
});
