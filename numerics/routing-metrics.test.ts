import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apgr,
  cpt,
  oracleScores,
  pgr,
  qualityAt,
  routingCurve,
  routingIntervals,
} from './routing-metrics.ts';

const of = (...values: number[]) => Float64Array.from(values);

describe('routing', () => {
  const rows = { weak: of(1, 0, 1, 0), strong: of(1, 1, 0, 1) };

  it('goes from the weak model to the strong one, the greatest scores first', () => {
    const curve = routingCurve(rows, of(0.1, 0.9, 0.2, 0.8));
    expect([...curve.share]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect([...curve.quality]).toEqual([0.5, 0.75, 1, 0.75, 0.75]);
    expect([...curve.threshold]).toEqual([Infinity, 0.9, 0.8, 0.2, 0.1]);
    expect([...curve.quality].map((value) => pgr(curve, value))).toEqual([0, 1, 2, 1, 1]);
    // Trapezoids of PGR: (0+1)/8 + (1+2)/8 + (2+1)/8 + (1+1)/8.
    expect(apgr(curve)).toBe(9 / 8);
    expect([cpt(curve, 0), cpt(curve, 0.5), cpt(curve, 1.5)]).toEqual([0, 0.125, 0.375]);
    expect(cpt(curve, 3)).toBeNaN();
    expect(qualityAt(curve, 0.125)).toBe(0.625);
  });

  it('is chance where all scores are equal, and never better than the gain of each row itself', () => {
    const table = fc.array(
      fc.record({
        weak: fc.integer({ min: 0, max: 4 }),
        strong: fc.integer({ min: 0, max: 4 }),
        score: fc.integer({ min: 0, max: 5 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(table, (list) => {
        const data = {
          weak: Float64Array.from(list, ({ weak }) => weak),
          strong: Float64Array.from(list, ({ strong }) => strong),
        };
        const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
        fc.pre(total(data.strong) > total(data.weak));
        expect(apgr(routingCurve(data, new Float64Array(list.length)))).toBeCloseTo(0.5, 12);
        const scores = Float64Array.from(list, ({ score }) => score);
        const own = routingCurve(data, scores);
        const best = routingCurve(data, oracleScores(data));
        expect(apgr(own)).toBeLessThanOrEqual(apgr(best) + 1e-12);
        // Turned round, a routing wins what it lost.
        expect(
          apgr(own) +
            apgr(
              routingCurve(
                data,
                scores.map((score) => -score),
              ),
            ),
        ).toBeCloseTo(1, 10);
        expect(own.quality.at(-1)).toBeCloseTo(total(data.strong) / list.length, 12);
      }),
    );
  });

  it('has intervals that hold the value, and that groups make wider', () => {
    const size = 400;
    const index = Array.from({ length: size }, (_, row) => row);
    const groups = Int32Array.from(index, (row) => Math.floor(row / 40));
    // The weak model fails in every third group; the score knows it.
    const fails = (row: number) => groups[row]! % 3 === 0;
    const data = {
      weak: Float64Array.from(index, (row) => Number(!fails(row) || row % 5 === 0)),
      strong: Float64Array.from(index, (row) => Number(row % 10 !== 1)),
    };
    const scores = Float64Array.from(index, (row) => Number(fails(row)) + (row % 7) / 10);
    const task = { rows: data, scores, resamples: 300, confidence: 0.95, seed: 7 };
    const value = apgr(routingCurve(data, scores));
    const alone = routingIntervals(task);
    const together = routingIntervals({ ...task, groups, baseline: scores });
    expect(alone.apgr[0]).toBeLessThan(value);
    expect(alone.apgr[1]).toBeGreaterThan(value);
    expect(together.apgr[1] - together.apgr[0]).toBeGreaterThan(alone.apgr[1] - alone.apgr[0]);
    expect(together.gain).toEqual([0, 0]);
    expect(routingIntervals(task)).toEqual(alone);
  });
});
