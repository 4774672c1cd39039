import { describe, expect, it } from 'vitest';
import { ctfidf } from './ctfidf.ts';

// Class 0: apple 3, pear 1; class 1: apple 1, plum 4. Occurrences 4 and 5, so A = 4.
const counts = {
  classes: Int32Array.of(0, 0, 1, 1),
  terms: Int32Array.of(0, 1, 0, 2),
  counts: Float64Array.of(3, 1, 1, 4),
};

describe('ctfidf', () => {
  it('weighs the share in the class by the rarity in all', () => {
    expect([...ctfidf(counts)]).toEqual([
      (3 / 4) * Math.log(1 + 4 / 4),
      (1 / 4) * Math.log(1 + 4 / 1),
      (1 / 5) * Math.log(1 + 4 / 4),
      (4 / 5) * Math.log(1 + 4 / 4),
    ]);
  });

  it('counts frequent words less when asked to', () => {
    expect(ctfidf(counts, { reduceFrequentWords: true })[0]).toBe(Math.sqrt(3 / 4) * Math.log(2));
    expect(ctfidf(counts, { bm25Weighting: true })[1]).toBe((1 / 4) * Math.log(1 + 3.5 / 1.5));
  });

  it('weighs words more that are looked for', () => {
    const factors = [1, 2, 1];
    expect(ctfidf(counts, { factors })[1]).toBe((1 / 4) * (Math.log(1 + 4 / 1) * 2));
    expect(ctfidf(counts, { factors })[0]).toBe(ctfidf(counts)[0]);
  });

  it('has no weights for no words', () => {
    expect(
      ctfidf({ classes: new Int32Array(0), terms: new Int32Array(0), counts: new Float64Array(0) }),
    ).toEqual(new Float64Array(0));
  });
});
