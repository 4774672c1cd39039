import fc from 'fast-check';
import { expect, it } from 'vitest';
import { roundedCounts } from './controlled-rounding.ts';

it('is less than one from the shares in every row, and in the whole', () => {
  const ratios = fc.constantFrom(
    [0.8, 0.1, 0.1],
    [0.6, 0.25, 0.15],
    [1, 0, 0],
    [0.5, 0.5],
    [0.2, 0.2, 0.2, 0.2, 0.2],
    Array.from({ length: 7 }, () => 1 / 7),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 60 }), ratios, (sizes, shares) => {
      const counts = roundedCounts(sizes.map((size) => shares.map((share) => share * size)));
      const sums = shares.map(() => 0);
      for (const [row, size] of sizes.entries()) {
        expect(counts[row]!.reduce((sum, count) => sum + count, 0)).toBe(size);
        for (const [part, share] of shares.entries()) {
          expect(counts[row]![part]).toBeGreaterThanOrEqual(0);
          expect(Math.abs(counts[row]![part]! - share * size)).toBeLessThan(1);
          sums[part]! += counts[row]![part]!;
        }
      }
      const all = sizes.reduce((sum, size) => sum + size, 0);
      for (const [part, share] of shares.entries())
        expect(Math.abs(sums[part]! - share * all)).toBeLessThan(1);
    }),
  );
});
