import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cohenKappa,
  fleissKappa,
  krippendorffAlpha,
  type Level,
  majority,
  type Ratings,
  ratingsOf,
  rawAgreement,
} from './agreement.ts';
import { classificationScores } from './classification-metrics.ts';

/** What krippendorff, scikit-learn and statsmodels say of the same ratings. */
const known = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/agreement.json'), 'utf8')) as {
  canonical: { raters: (number | null)[][]; alpha: Record<Level, number> };
  ordinal: { a: number[]; b: number[]; [value: string]: unknown };
  pandalm: {
    annotators: string[];
    gpt35: string;
    pandalm7b: string;
    cohen_kappa_pairs: Record<string, number>;
    raw_agreement_pairs: Record<string, number>;
    fleiss_kappa: number;
    krippendorff_alpha_nominal: number;
    gpt35_against_majority: Record<string, number>;
    pandalm7b_against_majority: Record<string, number>;
  };
};

const digits = (text: string) => Int32Array.from(text, (digit) => (digit === '-' ? -1 : Number(digit)));

/** Ratings from one list for each rater. */
function ratings(raters: readonly (readonly (number | null)[])[]): Ratings {
  const values = Float64Array.from(new Set(raters.flat().filter((value) => value !== null))).sort();
  const units = raters[0]!.length;
  const codes = new Int32Array(units * raters.length).fill(-1);
  for (const [rater, list] of raters.entries())
    for (const [unit, value] of list.entries())
      if (value !== null) codes[unit * raters.length + rater] = values.indexOf(value);
  return { codes, units, raters: raters.length, values };
}

const annotators = ratings(known.pandalm.annotators.map((text) => [...digits(text)]));

describe('krippendorffAlpha', () => {
  it('is that of the canonical table, with ratings missing', () => {
    const table = ratings(known.canonical.raters);
    for (const [level, alpha] of Object.entries(known.canonical.alpha))
      expect(krippendorffAlpha(table, level as Level), level).toBeCloseTo(alpha, 12);
  });

  it('is that of the package krippendorff on real and ordinal labels', () => {
    expect(krippendorffAlpha(annotators, 'nominal')).toBeCloseTo(
      known.pandalm.krippendorff_alpha_nominal,
      12,
    );
    const { a, b } = known.ordinal;
    expect(krippendorffAlpha(ratings([a, b]), 'ordinal')).toBeCloseTo(
      known.ordinal['alpha_ordinal'] as number,
      12,
    );
    expect(krippendorffAlpha(ratings([a, b]), 'interval')).toBeCloseTo(
      known.ordinal['alpha_interval'] as number,
      12,
    );
  });

  it('is that of as many values as ratings, without a place for each pair of values', () => {
    const units = 10_000;
    // Two raters whose scores are 0.5 and 0 apart in turns: of differences the observed mean is 1/8.
    const scores = Array.from({ length: units }, (_, unit) => [unit, unit + (unit % 2) / 2]).flat();
    const values = Float64Array.from(new Set(scores)).sort();
    const codeOf = new Map([...values].map((value, code) => [value, code]));
    const codes = Int32Array.from(scores, (score) => codeOf.get(score)!);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1);
    const alpha = krippendorffAlpha({ codes, units, raters: 2, values }, 'interval');
    expect(alpha).toBeCloseTo(1 - 0.125 / (2 * variance), 12);
  });

  it('is 1 of raters who agree and none of ratings that do not vary', () => {
    expect(
      krippendorffAlpha(
        ratings([
          [1, 2, 3],
          [1, 2, 3],
        ]),
        'interval',
      ),
    ).toBe(1);
    expect(
      krippendorffAlpha(
        ratings([
          [2, 2],
          [2, 2],
        ]),
        'nominal',
      ),
    ).toBeNaN();
    expect(
      krippendorffAlpha(
        ratings([
          [0.1, 0.1, 0.1],
          [0.1, 0.1, null],
          [0.1, null, 0.1],
        ]),
        'interval',
      ),
    ).toBeNaN();
    expect(
      krippendorffAlpha(
        ratings([
          [1, null],
          [null, 2],
        ]),
        'nominal',
      ),
    ).toBeNaN();
  });

  it('does not hang on the order of raters, nor on units that only one of them rated', () => {
    const rating = fc.option(fc.integer({ min: 0, max: 4 }), { freq: 4 });
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((raters) =>
        fc.array(fc.array(rating, { minLength: raters, maxLength: raters }), { minLength: 2, maxLength: 20 }),
      );
    fc.assert(
      fc.property(
        table,
        fc.constantFrom<Level>('nominal', 'ordinal', 'interval', 'ratio'),
        (units, level) => {
          const byRater = units[0]!.map((_, rater) => units.map((unit) => unit[rater]!));
          const alpha = krippendorffAlpha(ratings(byRater), level);
          const more = byRater.map((list, rater) => [...list, rater === 0 ? 3 : null]);
          for (const other of [byRater.toReversed(), more]) {
            const again = krippendorffAlpha(ratings(other), level);
            if (Number.isNaN(alpha)) expect(again).toBeNaN();
            else expect(again).toBeCloseTo(alpha, 9);
          }
        },
      ),
    );
  });
});

describe('kappas', () => {
  it('of pairs are those of scikit-learn, with and without weights', () => {
    const { a, b } = known.ordinal;
    const table = ratings([a, b]);
    const [own, other] = [ratingsOf(table, 0), ratingsOf(table, 1)];
    expect(cohenKappa(own, other, table.values)).toBeCloseTo(known.ordinal['kappa'] as number, 12);
    for (const weights of ['linear', 'quadratic'] as const)
      expect(cohenKappa(own, other, table.values, weights), weights).toBeCloseTo(
        known.ordinal[`kappa_${weights}`] as number,
        12,
      );
    for (const [pair, kappa] of Object.entries(known.pandalm.cohen_kappa_pairs)) {
      const [first, second] = pair.split('-').map((number) => ratingsOf(annotators, Number(number) - 1));
      expect(cohenKappa(first!, second!, annotators.values), pair).toBeCloseTo(kappa, 12);
      expect(rawAgreement(first!, second!)).toEqual({
        units: 500,
        share: known.pandalm.raw_agreement_pairs[pair],
      });
    }
  });

  it("of all raters is Fleiss'", () => {
    expect(fleissKappa(annotators)).toBeCloseTo(known.pandalm.fleiss_kappa, 12);
    expect(
      fleissKappa(
        ratings([
          [1, 1],
          [1, 1],
          [1, 1],
        ]),
      ),
    ).toBeNaN();
  });
});

it('judges stand to the majority of people as scikit-learn says', () => {
  const people = majority(annotators);
  expect(people.includes(-1)).toBe(false);
  for (const judge of ['gpt35', 'pandalm7b'] as const) {
    const given = digits(known.pandalm[judge]);
    const read = [...given.keys()].filter((unit) => given[unit]! >= 0);
    const classified = {
      truth: Int32Array.from(read, (unit) => people[unit]!),
      predicted: Int32Array.from(read, (unit) => given[unit]!),
      classes: 3,
    };
    const theirs = known.pandalm[`${judge}_against_majority`];
    expect(read.length).toBe(theirs['n_with_majority_and_parsed']);
    expect(rawAgreement(people, given)).toEqual({ units: read.length, share: theirs['accuracy'] });
    expect(cohenKappa(people, given, annotators.values)).toBeCloseTo(theirs['cohen_kappa']!, 12);
    expect(classificationScores(classified).macroF1).toBeCloseTo(theirs['macro_f1']!, 12);
  }
});

it('a majority needs more votes than any other value has', () => {
  const table = ratings([
    [0, 0, 0, null],
    [0, 1, 1, null],
    [1, 2, 1, 2],
  ]);
  expect([...majority(table)]).toEqual([0, -1, 1, 2]);
  expect([...majority(table, [1, 1, 3])]).toEqual([1, 2, 1, 2]);
});
