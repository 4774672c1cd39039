import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { runStep } from '../../test/run-step.ts';
import sample from './index.ts';

const rows: Row[] = Array.from({ length: 100 }, (_, index) => ({
  id: `r${index}`,
  label: index < 70 ? 'a' : index < 95 ? 'b' : 'c',
}));
const count = (taken: Row[], label: string) => taken.filter((row) => row['label'] === label).length;
const ids = (taken: { id: string }[] | undefined) => taken!.map(({ id }) => id);

describe('sample', () => {
  it.each(['random', 'reservoir'])('%s: so many rows, in order; the others are the rest', async (method) => {
    const run = (seed: number) => runStep(sample, { with: { method, size: 30 }, inputs: { rows }, seed });
    const { tables, metrics } = await run(42);
    expect(metrics).toEqual({ rows: 30, rest: 70 });
    const places = tables['rows']!.map(({ id }) => Number(id.slice(1)));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set([...ids(tables['rows']), ...ids(tables['rest'])]).size).toBe(100);
    expect((await run(42)).tables).toEqual(tables);
    expect((await run(43)).tables['rows']).not.toEqual(tables['rows']);
  });

  it('stratified keeps the shares, balanced makes them equal', async () => {
    const taken = async (method: string) =>
      (await runStep(sample, { with: { method, by: 'label', share: 0.2 }, inputs: { rows } })).tables[
        'rows'
      ]!;
    const stratified = await taken('stratified');
    expect(['a', 'b', 'c'].map((label) => count(stratified, label))).toEqual([14, 5, 1]);
    const balanced = await taken('balanced');
    expect(['a', 'b', 'c'].map((label) => count(balanced, label))).toEqual([8, 7, 5]);
  });

  it('takes the rows nearest the centre of each cluster, and no noise', async () => {
    const clustered = [
      { id: 'far', cluster: 0, rank: 3 },
      { id: 'near', cluster: 0, rank: 1 },
      { id: 'middle', cluster: 0, rank: 2 },
      { id: 'only', cluster: 1, rank: 1 },
      { id: 'noise', cluster: -1, rank: 1 },
    ];
    const { tables, metrics } = await runStep(sample, {
      with: { method: 'cluster', size: 3 },
      inputs: { rows: clustered },
    });
    expect(ids(tables['rows'])).toEqual(['near', 'middle', 'only']);
    expect(metrics).toEqual({ rows: 3, rest: 2, groups: 2 });
  });

  it('diverse takes rows of different directions, and their vectors go along', async () => {
    const few = rows.slice(0, 6);
    const data = Float32Array.from([1, 0, 1, 0.1, 0, 1, 0.1, 1, -1, 0, -1, 0.1]);
    const { tables, matrices } = await runStep(sample, {
      with: { method: 'diverse', size: 3 },
      inputs: { rows: few, vectors: { matrix: { data, rows: 6, columns: 2 }, ids: ids(few) } },
    });
    const places = tables['rows']!.map(({ id }) => Number(id.slice(1)));
    expect(new Set(places.map((place) => place >> 1)).size).toBe(3);
    expect(matrices['vectors']!.ids).toEqual(ids(tables['rows']));
    expect([...matrices['vectors']!.data]).toEqual(
      places.flatMap((place) => [...data.subarray(2 * place, 2 * place + 2)]),
    );
  });

  it('takes all rows if there are fewer, and none of none', async () => {
    const all = await runStep(sample, { with: { size: 1000 }, inputs: { rows } });
    expect(all.metrics).toEqual({ rows: 100, rest: 0 });
    const both: JsonObject[] = [{ method: 'random' }, { method: 'balanced', by: 'label' }];
    for (const options of both) {
      const none = await runStep(sample, { with: { ...options, size: 5 }, inputs: { rows: [] } });
      expect(none.metrics).toMatchObject({ rows: 0, rest: 0 });
    }
  });

  it('says what is missing or broken', async () => {
    await expect(
      runStep(sample, { with: { method: 'diverse', size: 2 }, inputs: { rows } }),
    ).rejects.toMatchObject({ code: 'no-vectors' });
    await expect(
      runStep(sample, { with: { method: 'balanced', by: 'lable', size: 2 }, inputs: { rows } }),
    ).rejects.toMatchObject({ code: 'missing-field', hint: expect.stringContaining('label') });
    const broken = { data: Float32Array.from([1, Number.NaN]), rows: 2, columns: 1 };
    await expect(
      runStep(sample, {
        with: { method: 'diverse', size: 1 },
        inputs: { rows: rows.slice(0, 2), vectors: { matrix: broken, ids: ['r0', 'r1'] } },
      }),
    ).rejects.toMatchObject({ code: 'bad-vector', message: expect.stringContaining('row 2') });
    expect(sample.check!({ method: 'random' })).toMatchObject([{ message: expect.stringContaining('size') }]);
    expect(sample.check!({ method: 'random', size: 1, share: 0.5 })).toHaveLength(1);
    expect(sample.check!({ method: 'balanced', size: 1 })).toHaveLength(1);
    expect(sample.check!({ method: 'random', size: 1, by: 'label' })).toHaveLength(1);
  });
});
