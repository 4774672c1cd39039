import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { averageRanks, kendallTauB, spearman } from './rank-correlation.ts';

const { ordinal } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/agreement.json'), 'utf8'),
) as { ordinal: { a: number[]; b: number[]; spearman: number; kendall_tau_b: number } };

/** By the definition, over all pairs. */
function slowTau(a: readonly number[], b: readonly number[]): number {
  let [alike, tiedA, tiedB, pairs] = [0, 0, 0, 0];
  for (const [at, x] of a.entries())
    for (let other = 0; other < at; other++) {
      const [sameA, sameB] = [x === a[other], b[at] === b[other]];
      pairs++;
      if (sameA) tiedA++;
      if (sameB) tiedB++;
      if (!sameA && !sameB) alike += x > a[other]! === b[at]! > b[other]! ? 1 : -1;
    }
  return alike / Math.sqrt((pairs - tiedA) * (pairs - tiedB));
}

it('correlations of ranks are those of the definition, ties and all', () => {
  const [a, b] = [Float64Array.from(ordinal.a), Float64Array.from(ordinal.b)];
  expect(spearman(a, b)).toBeCloseTo(ordinal.spearman, 12);
  expect(kendallTauB(a, b)).toBeCloseTo(ordinal.kendall_tau_b, 12);
  expect([...averageRanks(Float64Array.of(3, 1, 3, 2))]).toEqual([3.5, 1, 3.5, 2]);
  const list = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), {
    minLength: 2,
    maxLength: 40,
  });
  fc.assert(
    fc.property(list, (pairs) => {
      const [x, y] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
      const tau = kendallTauB(Float64Array.from(x), Float64Array.from(y));
      const slow = slowTau(x, y);
      if (Number.isNaN(slow)) expect(tau).toBeNaN();
      else expect(tau).toBeCloseTo(slow, 9);
    }),
  );
});

it('there is none of a list that does not vary', () => {
  expect(spearman(Float64Array.of(1, 1), Float64Array.of(1, 2))).toBeNaN();
  expect(kendallTauB(Float64Array.of(1, 1), Float64Array.of(1, 2))).toBeNaN();
});
