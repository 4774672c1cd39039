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

  it('stratified by Neyman takes more where a number varies more; so many of each group', async () => {
    const measured = rows.map((row, index) => ({ ...row, length: row['label'] === 'a' ? 5 : index }));
    const neyman = await runStep(sample, {
      with: { method: 'stratified', by: 'label', allocation: 'neyman', value: 'length', size: 20 },
      inputs: { rows: measured },
    });
    expect(count(neyman.tables['rows']!, 'a')).toBe(1);
    expect(neyman.metrics).toEqual({ rows: 20, rest: 80, groups: 3 });
    const equal = await runStep(sample, {
      with: { method: 'stratified', by: 'label', allocation: 'equal', size: 9 },
      inputs: { rows },
    });
    expect(['a', 'b', 'c'].map((label) => count(equal.tables['rows']!, label))).toEqual([3, 3, 3]);
    const each = await runStep(sample, {
      with: { method: 'balanced', by: 'label', per_group: 8 },
      inputs: { rows },
    });
    expect(['a', 'b', 'c'].map((label) => count(each.tables['rows']!, label))).toEqual([8, 8, 5]);
    const near = await runStep(sample, {
      with: { method: 'cluster', per_group: 1 },
      inputs: { rows: rows.map((row, index) => ({ ...row, cluster: index % 4, rank: 100 - index })) },
    });
    expect(ids(near.tables['rows'])).toEqual(['r96', 'r97', 'r98', 'r99']);
  });

  it('weighted follows the weights, and takes nothing that weighs nothing', async () => {
    const weighed = rows.map((row, index) => ({
      ...row,
      weight: index < 50 ? 0 : index < 60 ? 1000 : 0.001,
    }));
    const run = (table: { id: string }[], size: number) =>
      runStep(sample, { with: { method: 'weighted', weight: 'weight', size }, inputs: { rows: table } });
    const { tables } = await run(weighed, 10);
    expect(ids(tables['rows'])).toEqual(Array.from({ length: 10 }, (_, index) => `r${50 + index}`));
    expect((await run(weighed, 90)).metrics).toEqual({ rows: 50, rest: 50 });
    for (const weight of [-1, 'much', null])
      await expect(
        run([...weighed, { id: 'x', weight } as (typeof weighed)[number]], 5),
      ).rejects.toMatchObject({
        code: 'bad-weight',
        message: expect.stringContaining('row x: weight is'),
      });
  });

  it('mmr takes typical rows that do not repeat each other; zeros and equal rows do no harm', async () => {
    const few = rows.slice(0, 5);
    const run = (data: number[], more: JsonObject) =>
      runStep(sample, {
        with: { method: 'mmr', size: 2, ...more },
        inputs: {
          rows: few,
          vectors: { matrix: { data: Float32Array.from(data), rows: 5, columns: 2 }, ids: ids(few) },
        },
      });
    const data = [1, 0.5, 1, 0.5, 0.5, 1, 1, -1, -1, 1];
    expect(ids((await run(data, { diversity: 0 })).tables['rows'])).toEqual(['r0', 'r1']);
    expect(ids((await run(data, { diversity: 0.3 })).tables['rows'])).toEqual(['r0', 'r2']);
    for (const method of ['mmr', 'diverse'])
      for (const value of [0, 1]) {
        const all = await run(new Array<number>(10).fill(value), { method, size: 9 });
        expect(ids(all.tables['rows'])).toEqual(ids(few));
      }
  });

  it('says what is missing or broken', async () => {
    const check = (given: JsonObject) => sample.check!({ allocation: 'proportional', ...given });
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
    expect(check({ method: 'random' })).toMatchObject([{ message: expect.stringContaining('size') }]);
    expect(check({ method: 'random', size: 1, share: 0.5 })).toHaveLength(1);
    expect(check({ method: 'balanced', size: 1 })).toHaveLength(1);
    expect(check({ method: 'random', size: 1, by: 'label' })).toHaveLength(1);
    expect(check({ method: 'weighted', size: 1 })).toHaveLength(1);
    expect(check({ method: 'random', per_group: 1 })).toHaveLength(1);
    expect(check({ method: 'stratified', by: 'label', size: 1, allocation: 'neyman' })).toHaveLength(1);
    expect(check({ method: 'balanced', by: 'label', size: 1, allocation: 'equal' })).toHaveLength(1);
  });
});
