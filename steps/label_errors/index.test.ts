import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { labelErrorFilters } from '../../numerics/confident-learning.ts';
import { gaussians } from '../../numerics/random.ts';
import { runStep } from '../../test/run-step.ts';
import labelErrors from './index.ts';

const pool = new WorkerPool({ threads: 1 });
afterAll(() => pool.close());

const names = ['bank', 'card', 'loan', 'rate'];
/** Four clouds of 40 points in 6 dimensions; every tenth row has the label of the next cloud. */
const size = 160;
const noise = gaussians(size * 6, 7);
const data = Float32Array.from(noise, (value, at) => {
  const row = Math.floor(at / 6);
  return 0.3 * value + (at % 6 === row % 4 ? 3 : 0);
});
const planted = (row: number) => row % 10 === 3;
const rows: Row[] = Array.from({ length: size }, (_, row) => ({
  id: `r${row}`,
  label: names[(row + (planted(row) ? 1 : 0)) % 4]!,
}));
const ids = (table: Row[] | undefined) => (table ?? []).map(({ id }) => id);
const vectorsOf = (table: Row[], values: ArrayLike<number> = data) => ({
  matrix: { data: Float32Array.from(values), rows: table.length, columns: 6 },
  ids: ids(table),
});
const find = (options: JsonObject = {}, table = rows, values: ArrayLike<number> = data) =>
  runStep(labelErrors, { pool, with: options, inputs: { rows: table, vectors: vectorsOf(table, values) } });

describe('label_errors', () => {
  it('warns of classes with fewer rows than folds', async () => {
    const few = rows.slice(0, 50).map((row, at) => (at === 0 ? { ...row, label: 'rare' } : row));
    expect((await find({ C: 0.1 }, few, data.subarray(0, 50 * 6))).warnings).toEqual([
      '1 of 5 classes have fewer rows than there are folds (5): "rare" (1); what cross-validation says of them means little',
    ]);
  });

  it('finds the planted errors by cross-validation, and what the labels should be', async () => {
    const { tables, metrics, matrices } = await find({ C: 0.1, filter: 'predicted_neq_given' });
    const wrong = rows.filter((_, row) => planted(row)).map(({ id }) => id);
    expect(ids(tables['errors']).toSorted()).toEqual(wrong.toSorted());
    expect(metrics).toMatchObject({
      rows: size,
      errors: wrong.length,
      error_share: 0.1,
    });
    for (const row of tables['errors']!)
      expect(row['suggested_label']).toBe(names[Number(row.id.slice(1)) % 4]);
    const qualities = tables['errors']!.map((row) => Number(row['label_quality']));
    expect(qualities).toEqual(qualities.toSorted((a, b) => a - b));
    expect(ids(tables['rows'])).toEqual(ids(rows));
    expect(tables['kept']).toEqual(rows.filter((_, row) => !planted(row)));
    const pairs = tables['pairs']!;
    expect(pairs.reduce((sum, pair) => sum + Number(pair['errors']), 0)).toBe(wrong.length);
    expect(tables['classes']!.map((row) => row['label'])).toEqual(names);
    const fewer = ids((await find({ C: 0.1 })).tables['errors']);
    expect(fewer.length).toBeGreaterThan(wrong.length / 2);
    expect(wrong).toEqual(expect.arrayContaining(fewer));
    expect(matrices['probabilities']).toMatchObject({ rows: size, columns: 4 });
  });

  it('the same rows with given probabilities, whatever the order of their columns', async () => {
    const { matrices, tables } = await find();
    const { data: own } = matrices['probabilities']!;
    const back = Float32Array.from(own, (_, at) => own[at - (at % 4) + 3 - (at % 4)]!);
    const given = await runStep(labelErrors, {
      with: { labels: names.toReversed() },
      inputs: { rows, probabilities: { matrix: { data: back, rows: size, columns: 4 }, ids: ids(rows) } },
    });
    expect(given.tables['errors']).toEqual(tables['errors']);
  });

  it('gives as many rows as each of the filters finds', async () => {
    for (const filter of labelErrorFilters) {
      const { tables, metrics } = await find({ filter });
      expect(tables['errors']!.length).toBe(metrics['errors']);
      expect(tables['errors']!.length + tables['kept']!.length).toBe(size);
    }
  });

  it.each(labelErrorFilters)(
    '%s: no rows, one row, one label, equal rows, missing labels',
    async (filter) => {
      const none = await find({ filter }, [], []);
      expect(none.metrics).toMatchObject({ rows: 0, errors: 0 });
      const one = await find({ filter }, rows.slice(0, 1), data.subarray(0, 6));
      expect(one.metrics).toMatchObject({ rows: 1, errors: 0 });
      const single = await find(
        { filter },
        rows.slice(0, 8).map((row) => ({ ...row, label: 'a' })),
        data.subarray(0, 48),
      );
      expect(single.metrics).toMatchObject({ rows: 8, errors: 0 });
      const equal = await find({ filter }, rows.slice(0, 8), new Float32Array(48));
      expect(equal.tables['rows']).toHaveLength(8);
      const without = await find({ filter }, [...rows.slice(0, -1), { id: 'r159', label: '' }]);
      expect(without.metrics).toMatchObject({ rows: size - 1, excluded: 1 });
      expect(without.tables['rows']!.at(-1)).toMatchObject({ label_quality: null, is_label_error: false });
    },
  );

  it('says what it cannot use', async () => {
    const inputs = { rows: rows.slice(0, 1) };
    const matrix = (values: number[]) => ({
      matrix: { data: Float32Array.from(values), rows: 1, columns: values.length },
      ids: ['r0'],
    });
    await expect(runStep(labelErrors, { inputs })).rejects.toMatchObject({ code: 'no-probabilities' });
    await expect(
      runStep(labelErrors, { inputs: { ...inputs, probabilities: matrix([0.5, 0.5]) } }),
    ).rejects.toMatchObject({ code: 'other-labels' });
    await expect(
      runStep(labelErrors, { inputs: { ...inputs, probabilities: matrix([3]) } }),
    ).rejects.toMatchObject({ code: 'bad-probabilities' });
    await expect(
      runStep(labelErrors, { with: { labels: ['x'] }, inputs: { ...inputs, probabilities: matrix([1]) } }),
    ).rejects.toMatchObject({ code: 'other-labels' });
    await expect(find({}, rows.slice(0, 1), [Number.NaN, 0, 0, 0, 0, 0])).rejects.toMatchObject({
      code: 'bad-vector',
    });
    await expect(find({ label: 'lable' })).rejects.toMatchObject({ code: 'missing-field' });
  });
});
