import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isotonic, meanEstimate, normalQuantile, ppiMean } from './calibration.ts';
import { gaussians } from './random.ts';

it('quantiles of the normal distribution are those of tables', () => {
  expect(normalQuantile(0.95)).toBeCloseTo(1.959963985, 8);
  expect(normalQuantile(0.5)).toBeCloseTo(0.67448975, 8);
  expect(normalQuantile(0.99)).toBeCloseTo(2.575829304, 8);
});

it('an isotonic fit rises, keeps the mean, and leaves what rises already', () => {
  expect([...isotonic(Float64Array.of(1, 3, 2, 4), Float64Array.of(1, 1, 3, 1))]).toEqual([1, 2.25, 2.25, 4]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer(), fc.integer({ min: 1, max: 9 })), { minLength: 1 }),
      (list) => {
        const [values, weights] = [0, 1].map((part) => Float64Array.from(list, (pair) => pair[part]!));
        const fit = isotonic(values!, weights!);
        expect([...fit]).toEqual([...fit].sort((a, b) => a - b));
        const sum = (of: Float64Array) => of.reduce((total, value, at) => total + value * weights![at]!, 0);
        expect(sum(fit) / (Math.abs(sum(values!)) + 1)).toBeCloseTo(
          sum(values!) / (Math.abs(sum(values!)) + 1),
          9,
        );
      },
    ),
  );
});

it('few labels and a biased judge give an interval that holds the mean, and a narrower one than the labels alone', () => {
  const [few, many, rounds] = [60, 1000, 400];
  const z = normalQuantile(0.95);
  let held = 0;
  let narrower = 0;
  for (let round = 0; round < rounds; round++) {
    const truth = gaussians(few + many, 2 * round + 1);
    const noise = gaussians(few + many, 2 * round + 2);
    const predicted = truth.map((value, row) => value + 0.7 + 0.5 * noise[row]!);
    const labels = truth.slice(0, few);
    const { low, high, effectiveLabels } = ppiMean(labels, predicted.slice(0, few), predicted.slice(few), z);
    const alone = meanEstimate(labels, z);
    if (low <= 0 && high >= 0) held++;
    if (high - low < alone.high - alone.low && effectiveLabels > few) narrower++;
  }
  expect(held / rounds).toBeGreaterThan(0.92);
  expect(held / rounds).toBeLessThan(0.98);
  expect(narrower).toBe(rounds);
});

it('is weighed as in PPI++', () => {
  const { lambda, mean } = ppiMean(
    Float64Array.of(1, 2, 3, 4),
    Float64Array.of(1, 2, 3, 5),
    Float64Array.of(2, 3, 4, 6),
    1.96,
  );
  // λ = Cov(Y, f) / ((1 + n/N) Var f), by hand.
  expect(lambda).toBeCloseTo(0.3888888888888889, 12);
  expect(mean).toBeCloseTo(2.888888888888889, 12);
});

it('a judge that says nothing of the labels is not trusted', () => {
  const labels = Float64Array.of(1, 2, 3, 4);
  const { mean, lambda } = ppiMean(labels, Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 1), 1.96);
  expect([mean, lambda]).toEqual([2.5, 0]);
});
