import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleIndices, uniform } from './random.ts';

describe('uniform', () => {
  it('repeats for a seed, differs between close seeds, and is even', () => {
    const draw = (seed: number, count: number) => {
      const next = uniform(seed);
      return Array.from({ length: count }, next);
    };
    expect(draw(1, 5)).toEqual(draw(1, 5));
    expect(draw(1, 5)).not.toEqual(draw(2, 5));
    const many = draw(7, 20_000);
    expect(many.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = new Array<number>(10).fill(0);
    for (const value of many) tenths[Math.floor(value * 10)]!++;
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });
});

describe('sampleIndices', () => {
  it('draws different indices, ascending', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(250), fc.nat(), (n, size, seed) => {
        const indices = [...sampleIndices(n, size, seed)];
        expect(indices).toHaveLength(Math.min(n, size));
        expect(new Set(indices).size).toBe(indices.length);
        expect(indices).toEqual(indices.toSorted((a, b) => a - b));
        for (const index of indices) expect(index >= 0 && index < n).toBe(true);
      }),
    );
  });
});
