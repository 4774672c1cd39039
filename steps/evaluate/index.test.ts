import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { runStep } from '../../test/run-step.ts';
import evaluate from './index.ts';

const rows = [
  ['a', 0],
  ['a', 0],
  ['a', 1],
  ['b', 1],
  ['b', 1],
  ['c', 2],
].map(([label, cluster], index) => ({ id: `r${index}`, label: label!, cluster: cluster! }));

describe('evaluate clustering', () => {
  it('gives the scores of scikit-learn', async () => {
    const { metrics, warnings } = await runStep(evaluate, { with: { truth: 'label' }, inputs: { rows } });
    expect(warnings).toEqual([]);
    // sklearn.metrics 1.9.1 on the same labels, six digits.
    expect(metrics).toEqual({
      v_measure: 0.685331,
      homogeneity: 0.685331,
      completeness: 0.685331,
      nmi: 0.685331,
      ami: 0.411828,
      ari: 0.318182,
      purity: 0.833333,
      accuracy: 0.833333,
      clusters: 3,
      classes: 3,
      rows: 6,
      excluded: 0,
    });
  });

  it('says of each class where it went', async () => {
    const { tables } = await runStep(evaluate, { with: { truth: 'label' }, inputs: { rows } });
    expect(tables['rows']).toEqual([
      {
        id: 'a',
        class: 'a',
        size: 3,
        best_cluster: 0,
        share: 0.666667,
        purity: 1,
        f1: 0.8,
        clusters: 2,
        mixed_with: null,
      },
      {
        id: 'b',
        class: 'b',
        size: 2,
        best_cluster: 1,
        share: 1,
        purity: 0.666667,
        f1: 0.8,
        clusters: 1,
        mixed_with: 'a',
      },
      {
        id: 'c',
        class: 'c',
        size: 1,
        best_cluster: 2,
        share: 1,
        purity: 1,
        f1: 1,
        clusters: 1,
        mixed_with: null,
      },
    ]);
    expect(tables['contingency']).toEqual([
      { id: '["a",0]', class: 'a', predicted: 0, count: 2 },
      { id: '["a",1]', class: 'a', predicted: 1, count: 1 },
      { id: '["b",1]', class: 'b', predicted: 1, count: 2 },
      { id: '["c",2]', class: 'c', predicted: 2, count: 1 },
    ]);
  });

  it('leaves out rows without a class or cluster, and says how many', async () => {
    const { metrics, warnings } = await runStep(evaluate, {
      with: { truth: 'label' },
      inputs: {
        rows: [
          ...rows,
          { id: 'x', label: '', cluster: 1 },
          { id: 'y', cluster: 1 },
          { id: 'z', label: 'a', cluster: null },
        ],
      },
    });
    expect(metrics).toMatchObject({ rows: 6, excluded: 3, v_measure: 0.685331 });
    expect(warnings).toEqual([
      '2 of 9 rows have no label; they are not scored',
      '1 of 9 rows have no cluster; they are not scored',
    ]);
  });

  it('adds the silhouette when there are vectors, of the rows that count', async () => {
    const labelled: Row[] = [
      { id: 'a', label: 'x', cluster: 0 },
      { id: 'b', label: 'x', cluster: 0 },
      { id: 'c', cluster: 0 },
      { id: 'd', label: 'y', cluster: 1 },
      { id: 'e', label: 'y', cluster: 1 },
    ];
    const data = Float32Array.from([0, 0, 0, 1, 50, 50, 10, 0, 10, 1]);
    const { metrics } = await runStep(evaluate, {
      with: { truth: 'label', metric: 'euclidean' },
      inputs: {
        rows: labelled,
        vectors: { matrix: { data, rows: 5, columns: 2 }, ids: ['a', 'b', 'c', 'd', 'e'] },
      },
    });
    const other = (10 + Math.sqrt(101)) / 2;
    expect(metrics['silhouette']).toBeCloseTo((other - 1) / other, 6);
  });

  it('refuses an unknown field, and a table in which nothing can be scored', async () => {
    await expect(runStep(evaluate, { with: { truth: 'lable' }, inputs: { rows } })).rejects.toMatchObject({
      code: 'missing-field',
      hint: expect.stringContaining('label'),
    });
    await expect(runStep(evaluate, { with: { truth: 'label' }, inputs: { rows: [] } })).rejects.toMatchObject(
      {
        code: 'nothing-to-score',
      },
    );
    await expect(
      runStep(evaluate, {
        with: { truth: 'label' },
        inputs: { rows: [{ id: 'a', label: ' ', cluster: 1 }] },
      }),
    ).rejects.toMatchObject({ message: 'none of the 1 rows has both label and cluster' });
  });
});
