import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { runStep } from '../../test/run-step.ts';
import evaluate from './index.ts';

const rows: Row[] = (
  [
    ['a', 'a', 0.1],
    ['a', 'a', 0.2],
    ['a', 'b', 0.5],
    ['b', 'b', 0.1],
    ['b', 'c', 0.6],
    ['c', 'c', 0.3],
    ['oos', 'a', 0.9],
    ['oos', 'oos', 0.4],
  ] as const
).map(([label, predicted, score], row) => ({ id: `r${row}`, label, predicted, out_of_scope_score: score }));
const run = (options: JsonObject, table = rows) =>
  runStep(evaluate, {
    with: { task: 'classification', truth: 'label', ...options },
    inputs: { rows: table },
  });

describe('evaluate classification', () => {
  it('scores rows in scope as scikit-learn does, and the others by their score', async () => {
    const { metrics, warnings } = await run({ out_of_scope_label: 'oos', resamples: 200 });
    expect(warnings).toEqual([]);
    // sklearn.metrics 1.9.1 on the six rows in scope; roc_auc_score on all eight.
    expect(metrics).toMatchObject({
      accuracy: 0.666667,
      macro_f1: 0.655556,
      micro_f1: 0.666667,
      weighted_f1: 0.677778,
      macro_precision: 0.666667,
      macro_recall: 0.722222,
      balanced_accuracy: 0.722222,
      mcc: 0.522233,
      kappa: 0.5,
      auroc: 0.833333,
      out_of_scope: 2,
      out_of_scope_recall: 0.5,
      classes: 3,
      rows: 6,
      excluded: 0,
    });
    for (const name of ['accuracy', 'macro_f1', 'auroc']) {
      expect(metrics[`${name}_low`]).toBeLessThanOrEqual(metrics[name] as number);
      expect(metrics[`${name}_high`]).toBeGreaterThanOrEqual(metrics[name] as number);
    }
  });

  it('without that label it is a class like any other', async () => {
    const { metrics } = await run({ resamples: 0 });
    expect(metrics).toMatchObject({ accuracy: 0.625, classes: 4, rows: 8 });
    expect(Object.keys(metrics)).not.toContain('accuracy_low');
  });

  it('says of each class how it did, and what it is taken for', async () => {
    const { tables } = await run({ out_of_scope_label: 'oos', resamples: 0 });
    expect(tables['rows']).toEqual([
      {
        id: 'a',
        class: 'a',
        size: 3,
        predicted: 2,
        precision: 1,
        recall: 0.666667,
        f1: 0.8,
        mixed_with: 'b',
      },
      { id: 'b', class: 'b', size: 2, predicted: 2, precision: 0.5, recall: 0.5, f1: 0.5, mixed_with: 'c' },
      {
        id: 'c',
        class: 'c',
        size: 1,
        predicted: 2,
        precision: 0.5,
        recall: 1,
        f1: 0.666667,
        mixed_with: null,
      },
    ]);
    expect(tables['contingency']!.map((row) => [row['class'], row['predicted'], row['count']])).toEqual([
      ['a', 'a', 2],
      ['a', 'b', 1],
      ['b', 'b', 1],
      ['b', 'c', 1],
      ['c', 'c', 1],
    ]);
  });

  it('handles one row, one class and missing fields, and refuses to score nothing', async () => {
    const one = await run({ resamples: 10 }, rows.slice(0, 1));
    expect(one.metrics).toMatchObject({ accuracy: 1, accuracy_low: 1, macro_f1: 1, rows: 1 });
    const gaps = await run({ resamples: 0 }, [...rows, { id: 'x', label: 'a' }, { id: 'y', predicted: 'a' }]);
    expect(gaps.metrics).toMatchObject({ rows: 8, excluded: 2 });
    expect(gaps.warnings).toHaveLength(2);
    const noScore = await run({ out_of_scope_label: 'none', resamples: 0 });
    expect(noScore.warnings).toEqual([expect.stringContaining('there is no auroc')]);
    await expect(run({}, [])).rejects.toMatchObject({ code: 'nothing-to-score' });
    await expect(run({ prediction: 'guess' })).rejects.toMatchObject({ code: 'missing-field' });
  });

  it('refuses parameters of the other task', () => {
    const check = (parameters: JsonObject) =>
      evaluate.check!({ metric: 'cosine', sample_size: 10_000, ...parameters }).map(
        ({ parameter }) => parameter,
      );
    expect(check({ task: 'clustering', truth: 'label', out_of_scope_label: 'oos' })).toEqual([
      'out_of_scope_label',
    ]);
    expect(check({ task: 'classification', truth: 'label', metric: 'euclidean' })).toEqual(['metric']);
    expect(check({ task: 'classification', truth: 'label', out_of_scope_label: 'oos' })).toEqual([]);
  });
});
