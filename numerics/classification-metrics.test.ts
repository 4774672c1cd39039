import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auroc, bootstrapIntervals, classificationScores, confusion } from './classification-metrics.ts';

const known = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/classification-metrics.json'), 'utf8'),
) as {
  y_true: number[];
  y_pred: number[];
  p_class1: number[];
  confusion: number[][];
  per_class: { precision: number[]; recall: number[]; f1: number[]; support: number[] };
  binary_class1: { roc_auc: number };
  [score: string]: unknown;
};
const classified = {
  truth: Int32Array.from(known.y_true),
  predicted: Int32Array.from(known.y_pred),
  classes: 4,
};

describe('classificationScores', () => {
  it('are those of scikit-learn', () => {
    const scores = classificationScores(classified);
    for (const [own, theirs] of [
      ['accuracy', 'accuracy'],
      ['balancedAccuracy', 'balanced_accuracy'],
      ['macroF1', 'macro_f1'],
      ['microF1', 'micro_f1'],
      ['weightedF1', 'weighted_f1'],
      ['mcc', 'mcc'],
      ['kappa', 'cohen_kappa'],
    ] as const)
      expect(scores[own], own).toBeCloseTo(known[theirs] as number, 12);
    for (const name of ['precision', 'recall', 'f1', 'support'] as const)
      known.per_class[name].forEach((value, own) => void expect(scores[name][own]).toBeCloseTo(value, 12));
    expect([...confusion(classified)]).toEqual(known.confusion.flat());
  });

  it('divide by nothing as scikit-learn does', () => {
    const scores = classificationScores({
      truth: Int32Array.of(0, 0, 1),
      predicted: Int32Array.of(0, 2, 2),
      classes: 3,
    });
    // precision_recall_fscore_support(zero_division=0), balanced_accuracy_score, matthews_corrcoef
    expect([...scores.precision]).toEqual([1, 0, 0]);
    expect([...scores.recall]).toEqual([0.5, 0, 0]);
    expect(scores.macroF1).toBeCloseTo(0.2222222222, 9);
    expect(scores.balancedAccuracy).toBe(0.25);
    const one = classificationScores({ truth: Int32Array.of(0), predicted: Int32Array.of(0), classes: 1 });
    expect(one).toMatchObject({ accuracy: 1, macroF1: 1, mcc: 0 });
    expect(one.kappa).toBeNaN();
  });
});

describe('auroc', () => {
  it('is that of scikit-learn, with ties by half', () => {
    const positive = Uint8Array.from(known.y_true, (own) => (own === 1 ? 1 : 0));
    expect(auroc(Float64Array.from(known.p_class1), positive)).toBeCloseTo(known.binary_class1.roc_auc, 12);
    expect(auroc(Float64Array.of(1, 1, 1, 1), Uint8Array.of(0, 1, 0, 1))).toBe(0.5);
    expect(auroc(Float64Array.of(1, 2), Uint8Array.of(1, 1))).toBeNaN();
  });
});

describe('bootstrapIntervals', () => {
  it('holds the score, follows the seed, and is as wide as the binomial says', () => {
    const positive = Uint8Array.from(known.y_true, (own) => (own === 1 ? 1 : 0));
    const ranking = { scores: Float64Array.from(known.p_class1), positive };
    const task = { classified, ranking, resamples: 4000, confidence: 0.95, seed: 5 };
    const found = bootstrapIntervals(task);
    const { accuracy, macroF1 } = classificationScores(classified);
    const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / 120);
    expect(found.accuracy[0]).toBeCloseTo(accuracy - half, 1);
    expect(found.accuracy[1]).toBeCloseTo(accuracy + half, 1);
    expect(found.macroF1[0]).toBeLessThan(macroF1);
    expect(found.macroF1[1]).toBeGreaterThan(macroF1);
    expect(found.auroc![0]).toBeLessThan(known.binary_class1.roc_auc);
    expect(found.auroc![1]).toBeGreaterThan(known.binary_class1.roc_auc);
    expect(bootstrapIntervals(task)).toEqual(found);
    expect(bootstrapIntervals({ ...task, seed: 6 })).not.toEqual(found);
  });
});
