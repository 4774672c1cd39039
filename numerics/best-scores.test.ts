import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BestScores } from './best-scores.ts';

it('keeps the greatest scores of each row, however many are put', () => {
  const scores = fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(scores, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 12 }),
      (rows, kept) => {
        const best = new BestScores(rows.length, kept);
        for (const round of ['first', 'cleared']) {
          best.clear();
          for (const [row, own] of rows.entries())
            for (const [item, score] of own.entries())
              if (score > best.least(row)) best.put(row, item, score);
          for (const [row, own] of rows.entries()) {
            const sorted = own.toSorted((a, b) => b - a).slice(0, kept);
            expect([round, best.least(row)]).toEqual([
              round,
              sorted.length < kept ? Number.NEGATIVE_INFINITY : sorted.at(-1),
            ]);
            expect(best.nth(row, kept)).toBe(best.least(row));
            const found = [...best.itemsFrom(row, Number.NEGATIVE_INFINITY)];
            expect(new Set(found).size).toBe(sorted.length);
            expect(found.map((item) => own[item]!).sort((a, b) => b - a)).toEqual(sorted);
            const limit = sorted[0] ?? 0;
            expect(best.itemsFrom(row, limit).length).toBe(sorted.filter((score) => score >= limit).length);
          }
        }
      },
    ),
  );
});

it('takes n log k for k of n', () => {
  const [items, kept] = [400_000, 200_000];
  const best = new BestScores(1, kept);
  for (let item = 0; item < items; item++) if (item > best.least(0)) best.put(0, item, item);
  expect(best.least(0)).toBe(items - kept);
  expect(best.nth(0, 1)).toBe(items - 1);
});
