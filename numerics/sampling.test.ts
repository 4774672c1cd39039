import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  equalShares,
  kCentre,
  neymanShares,
  proportionalShares,
  reservoirIndices,
  shuffle,
  weightedIndices,
} from './sampling.ts';

describe('shuffle', () => {
  it('keeps the items and follows the seed', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const mixed = shuffle([...items], 7);
    expect(mixed).not.toEqual(items);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
    expect(shuffle([...items], 7)).toEqual(mixed);
    expect(shuffle([...items], 8)).not.toEqual(mixed);
  });
});

describe('reservoirIndices', () => {
  it('takes every row equally often', () => {
    const counts = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 4000; seed++) for (const row of reservoirIndices(20, 5, seed)) counts[row]!++;
    // 1,000 each, with a standard deviation of 27.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(135);
  });

  it('changes little when rows are appended', () => {
    const before = new Set(reservoirIndices(10_000, 100, 3));
    const kept = [...reservoirIndices(10_500, 100, 3)].filter((row) => before.has(row));
    expect(kept.length).toBeGreaterThanOrEqual(85);
  });

  it('gives all rows if there are fewer, and none of none', () => {
    expect([...reservoirIndices(3, 10, 1)]).toEqual([0, 1, 2]);
    expect([...reservoirIndices(0, 10, 1)]).toEqual([]);
    expect([...reservoirIndices(10, 0, 1)]).toEqual([]);
  });
});

describe('shares', () => {
  it('are proportional by largest remainders', () => {
    expect(proportionalShares([50, 30, 20], 10)).toEqual([5, 3, 2]);
    expect(proportionalShares([5, 3, 1], 4)).toEqual([2, 1, 1]);
    expect(proportionalShares([2, 1], 10)).toEqual([2, 1]);
    expect(proportionalShares([0, 0], 3)).toEqual([0, 0]);
  });

  it('are in proportion to size times deviation, as far as the groups reach (Neyman)', () => {
    // Cochran, Sampling techniques, section 5.5: n_h = n · N_h S_h / Σ N_h S_h.
    expect(neymanShares([400, 600], [4, 2], 70)).toEqual([40, 30]);
    expect(neymanShares([10, 600], [100, 1], 100)).toEqual([10, 90]);
    expect(neymanShares([50, 50], [0, 3], 20)).toEqual([1, 19]);
    expect(neymanShares([50, 50], [0, 3], 80)).toEqual([30, 50]);
    expect(neymanShares([60, 40], [0, 0], 10)).toEqual([6, 4]);
    expect(neymanShares([5, 5, 5], [1, 2, 3], 2)).toHaveLength(3);
    expect(neymanShares([], [], 5)).toEqual([]);
    const groups = fc.array(fc.tuple(fc.nat(50), fc.double({ min: 0, max: 1e6, noNaN: true })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(groups, fc.nat(300), (given, total) => {
        const sizes = given.map(([size]) => size);
        const all = sizes.reduce((sum, size) => sum + size, 0);
        const shares = neymanShares(
          sizes,
          given.map(([, deviation]) => deviation),
          total,
        );
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(total, all));
        for (const [group, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(sizes[group]!);
        }
      }),
    );
  });

  it('are equal as far as the groups reach', () => {
    expect(equalShares([100, 2, 50], 20)).toEqual([9, 2, 9]);
    expect(equalShares([5, 5, 5], 7)).toEqual([3, 2, 2]);
    expect(equalShares([1, 1], 10)).toEqual([1, 1]);
    expect(equalShares([], 10)).toEqual([]);
  });
});

describe('kCentre', () => {
  it('takes one of each far direction before a second of any', () => {
    const directions = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [-1, 0, 0],
    ];
    const data = Float32Array.from({ length: 40 * 3 }, (_, at) => {
      const row = Math.floor(at / 3);
      return directions[row % 4]![at % 3]! * (1 + row) + 0.01 * Math.sin(at);
    });
    for (const seed of [1, 2, 3]) {
      const chosen = kCentre({ vectors: { data, rows: 40, columns: 3 }, size: 4, seed });
      expect(new Set([...chosen].map((row) => row % 4)).size).toBe(4);
    }
  });

  it('takes different rows even if all are equal', () => {
    const equal = { data: new Float32Array(10).fill(1), rows: 5, columns: 2 };
    expect(new Set(kCentre({ vectors: equal, size: 9, seed: 1 })).size).toBe(5);
    expect(
      kCentre({ vectors: { data: new Float32Array(0), rows: 0, columns: 2 }, size: 2, seed: 1 }),
    ).toEqual(new Int32Array(0));
  });
});

describe('weightedIndices', () => {
  it('takes rows in proportion to their weights, and none that weighs nothing', () => {
    const weights = [0, 1, 2, 3, 4];
    const counts = weights.map(() => 0);
    for (let seed = 0; seed < 5000; seed++)
      for (const row of weightedIndices(weights, 1, seed)) counts[row]!++;
    expect(counts[0]).toBe(0);
    // Expected 500, 1,000, 1,500, 2,000; the greatest standard deviation is 35.
    for (const [row, weight] of weights.entries())
      expect(Math.abs(counts[row]! - 500 * weight)).toBeLessThan(175);
    expect([...weightedIndices(weights, 10, 1)]).toEqual([1, 2, 3, 4]);
    expect([...weightedIndices([1e-300, 1e300], 2, 1)]).toEqual([0, 1]);
    expect([...weightedIndices([], 2, 1)]).toEqual([]);
  });
});
