import { describe, expect, it } from 'vitest';
import { burstWindows, distinctWindows } from './bursts.ts';
import { fisherExact, hypergeometricTail, logFactorial, poissonTail } from './count-tails.ts';
import { benjaminiHochberg } from './false-discovery.ts';
import { normalTail } from './normal.ts';
import { trendOf } from './trend.ts';

/** Whether two numbers are alike to so many significant digits. */
const near = (value: number, reference: number) => expect(value / reference).toBeCloseTo(1, 9);

describe('trendOf', () => {
  it('gives what scipy and pymannkendall give', () => {
    const rising = trendOf([...Array(12).keys()], [3, 5, 4, 4, 8, 7, 9, 6, 10, 12, 9, 11]);
    near(rising.slope, 0.7207792207792207);
    near(rising.intercept, 3.535714285714286);
    near(rising.low, 0.42857142857142855);
    near(rising.high, 1);
    near(rising.pValue, 0.0019327402318283227);
    const none = trendOf([0, 1, 3, 4, 7, 8, 10], [0.1, 0.1, 0, 0.2, 0.15, 0.1, 0.3]);
    near(none.slope, 0.016666666666666663);
    near(none.low, -0.025);
    near(none.high, 0.04285714285714286);
    near(none.tau, 0.4114755998989118);
    near(none.pValue, 0.2723409330621456);
  });

  it('takes none, one, two and equal points', () => {
    expect(trendOf([], [])).toMatchObject({ slope: 0, tau: 0, pValue: 1 });
    expect(trendOf([1], [2])).toMatchObject({ slope: 0, intercept: 2, pValue: 1 });
    expect(trendOf([0, 2], [1, 5])).toMatchObject({ slope: 2, intercept: 1, low: 2, high: 2, pValue: 1 });
    expect(trendOf([0, 1, 2, 3], [7, 7, 7, 7])).toMatchObject({ slope: 0, tau: 0, pValue: 1 });
  });
});

describe('distributions', () => {
  it('have the tails that scipy gives', () => {
    near(normalTail(0.5), 0.3085375387259869);
    near(normalTail(2.9), 0.0018658133003840375);
    near(normalTail(3.1), 0.0009676032132183563);
    near(normalTail(12), 1.776482112077653e-33);
    expect(normalTail(-1.96)).toBeCloseTo(1 - 0.024997895148220435, 12);
    near(hypergeometricTail({ count: 7, drawn: 20, kind: 30, total: 200 }), 0.01613733636188739);
    near(hypergeometricTail({ count: 40, drawn: 2000, kind: 500, total: 100_000 }), 2.3436237056673654e-13);
    near(hypergeometricTail({ count: 2, drawn: 4, kind: 5, total: 10 }), 0.7380952380952381);
    expect(hypergeometricTail({ count: 5, drawn: 4, kind: 5, total: 10 })).toBe(0);
    expect(hypergeometricTail({ count: 2, drawn: 9, kind: 3, total: 10 })).toBe(1);
    near(fisherExact({ count: 8, drawn: 10, kind: 9, total: 16 }), 0.03496503496503495);
    near(fisherExact({ count: 60, drawn: 60, kind: 95, total: 100 }), 0.008739934586768165);
    near(poissonTail(7, 2.5), 0.014187311990913347);
    near(poissonTail(300, 250), 0.0011623936310546142);
    near(poissonTail(3, 40), 0.9999999999999964);
    expect(poissonTail(1, 0)).toBe(0);
    // Below the mean, where terms are 0 in float64, and on both sides of it.
    expect(hypergeometricTail({ count: 1000, drawn: 50_000, kind: 20_000, total: 100_000 })).toBe(1);
    expect(poissonTail(10, 2000)).toBe(1);
    near(hypergeometricTail({ count: 90, drawn: 300, kind: 300, total: 1000 }), 0.5284096537598598);
    near(hypergeometricTail({ count: 3000, drawn: 6000, kind: 5000, total: 10_000 }), 0.5081427305400381);
    near(poissonTail(40, 40), 0.5210288610610552);
    near(poissonTail(41, 40), 0.45808182163746297);
    near(poissonTail(900, 1000), 0.9993774022157249);
    near(logFactorial(129), 501.2652908915793);
  });

  it('are adjusted for their number as statsmodels does', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.5, 0.04]);
    [0.03, 0.048, 0.048, 0.03, 0.5, 0.048].forEach((value, at) => void near(adjusted[at]!, value));
    expect(benjaminiHochberg([])).toEqual(new Float64Array(0));
  });
});

describe('bursts', () => {
  it('are the windows that stand out, and do not overlap', () => {
    const totals = Array<number>(16).fill(100);
    const counts = totals.map((_, slice) => (slice === 5 || slice === 6 ? 40 : slice === 12 ? 30 : 10));
    const found = distinctWindows(burstWindows({ counts, totals }).filter(({ pValue }) => pValue < 1e-4));
    expect(found.map(({ from, to, count }) => [from, to, count])).toEqual([
      [5, 7, 80],
      [12, 13, 30],
    ]);
    expect(found[0]!.expected).toBeCloseTo((240 * 200) / 1600, 9);
  });

  it('of a trend are what rises above it', () => {
    const totals = Array<number>(16).fill(200);
    const shares = totals.map((_, slice) => 0.01 * (slice + 1));
    const counts = shares.map((share, slice) => Math.round(200 * share * (slice === 3 ? 4 : 1)));
    const above = burstWindows({ counts, totals, shares }).filter(({ pValue }) => pValue < 1e-3);
    expect(distinctWindows(above).map(({ from, to }) => [from, to])).toEqual([[3, 4]]);
  });

  it('take no slices, one, and slices without rows', () => {
    expect(burstWindows({ counts: [], totals: [] })).toEqual([]);
    expect(burstWindows({ counts: [3], totals: [9] })).toEqual([]);
    expect(burstWindows({ counts: [0, 2], totals: [0, 4] }).map(({ pValue }) => pValue)).toEqual([1]);
  });
});
