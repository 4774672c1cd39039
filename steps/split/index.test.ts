import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { runStep, type StepOutputs } from '../../test/run-step.ts';
import dedupe from '../dedupe/index.ts';
import split from './index.ts';

const rows: Row[] = Array.from({ length: 200 }, (_, index) => ({
  id: `r${index}`,
  text: `text ${index}`,
  label: `class ${index % 40}`,
  customer: `c${index % 23}`,
  day: new Date(Date.UTC(2026, 0, 1 + ((index * 37) % 100))).toISOString(),
}));
const run = (options: JsonObject, table = rows, seed = 42) =>
  runStep(split, { with: options, inputs: { rows: table }, seed });
const partsOf = ({ tables }: StepOutputs) =>
  new Map(['train', 'valid', 'test'].flatMap((part) => tables[part]!.map(({ id }) => [id, part] as const)));

describe('split', () => {
  it('gives 80, 10 and 10 %, each row once, the same for the same seed', async () => {
    const found = await run({});
    expect(found.metrics).toEqual({ train: 160, valid: 20, test: 20, leaks: 0 });
    expect(partsOf(found).size).toBe(200);
    expect(found.warnings).toEqual([]);
    expect((await run({})).tables).toEqual(found.tables);
    expect((await run({}, rows, 43)).tables['test']).not.toEqual(found.tables['test']);
  });

  it('spreads classes of five rows evenly, and the whole keeps the ratios', async () => {
    const { tables, metrics } = await run({ stratify: 'label' });
    expect(metrics).toMatchObject({ train: 160, valid: 20, test: 20 });
    for (let label = 0; label < 40; label++)
      expect(tables['train']!.filter((row) => row['label'] === `class ${label}`)).toHaveLength(4);
  });

  it('deals rows into folds of equal size and classes', async () => {
    const found = await run({ folds: 7, stratify: 'label' });
    expect(Object.keys(found.tables)).toEqual(['rows', 'leaks']);
    expect(found.metrics).toEqual({ folds: 7, smallest_fold: 28, largest_fold: 29, leaks: 0 });
    expect(found.tables['rows']!.map(({ fold: _, ...row }) => row)).toEqual(rows);
    for (const members of Map.groupBy(found.tables['rows']!, (row) => row['label']).values()) {
      const counts = Array.from(
        { length: 7 },
        (_, fold) => members.filter((row) => row['fold'] === fold).length,
      );
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    expect((await run({ folds: 7, stratify: 'label' })).tables).toEqual(found.tables);
    const grouped = await run({ folds: 5, group: 'customer' });
    for (const members of Map.groupBy(grouped.tables['rows']!, (row) => row['customer']).values())
      expect(new Set(members.map((row) => row['fold'])).size).toBe(1);
    const byTime = (await run({ folds: 4, time: 'day' })).tables['rows']!;
    const newest = byTime.toSorted((a, b) => String(a['day']).localeCompare(String(b['day'])));
    expect(newest.map((row) => row['fold'])).toEqual(newest.map((row) => row['fold']).toSorted());
    const repeated = await run(
      { folds: 2 },
      rows.map((row) => ({ ...row, text: 'the same' })),
    );
    expect(repeated.tables['leaks']).toHaveLength(100);
    expect(repeated.tables['leaks']![0]).toMatchObject({ part: 'fold 1', in: 'fold 0' });
    expect((await run({ folds: 5 }, rows.slice(0, 1))).warnings[0]).toContain('none went to fold 1');
    expect((await run({ folds: 5 }, [])).tables['rows']).toEqual([]);
  });

  it('keeps the near duplicates that dedupe found in one part, and names those that time tears apart', async () => {
    // Each text four times, with another last word.
    const words = (index: number) => Array.from({ length: 12 }, (_, at) => `w${(index % 50) * 12 + at}`);
    const alike = rows.map((row, index) => ({ ...row, text: `${words(index).join(' ')} ${index}` }));
    const { tables } = await runStep(dedupe, {
      with: { method: 'minhash', threshold: 0.7, fields: ['text'] },
      inputs: { rows: alike },
    });
    const groups = Map.groupBy(tables['duplicates']!, (row) => row['dup_of']);
    expect(groups.size).toBeGreaterThan(5);
    const parted = (options: JsonObject) =>
      runStep(split, { with: options, inputs: { rows: alike, duplicates: tables['duplicates']! } });
    const all: JsonObject[] = [{}, { stable: true }, { group: 'customer' }, { stratify: 'label' }];
    for (const options of all) {
      const found = await parted(options);
      const parts = partsOf(found);
      expect(parts.size).toBe(200);
      for (const [original, members] of groups)
        for (const { id } of members) expect(parts.get(id)).toBe(parts.get(original as string));
      expect(found.metrics['leaks']).toBe(0);
      expect(found.metrics['groups']).toBeLessThan(200);
    }
    const late = await parted({ time: 'day' });
    expect(late.metrics['leaks']).toBeGreaterThan(0);
    const parts = partsOf(late);
    for (const leak of late.tables['leaks']!) expect(parts.get(leak['leak_of'] as string)).toBe(leak['in']);
    // Originals that are not in the table still tie together what is like them.
    const gone = {
      rows: alike.slice(0, 40),
      duplicates: [1, 2, 3].map((at) => ({ id: `r${at}`, dup_of: 'gone' })),
    };
    expect((await runStep(split, { inputs: gone })).metrics['groups']).toBe(38);
    await expect(
      runStep(split, { inputs: { rows: alike, duplicates: [{ id: 'r1', like: 'r2' }] } }),
    ).rejects.toMatchObject({ code: 'missing-field' });
  });

  it('is within a row of the ratios in every class and in the whole, whatever the classes', async () => {
    const uneven = rows.map((row, index) => ({ ...row, label: `class ${Math.floor(Math.sqrt(index * 7))}` }));
    const { metrics, tables } = await run({ stratify: 'label' }, uneven);
    expect(metrics).toMatchObject({ train: 160, valid: 20, test: 20 });
    for (const [label, members] of Map.groupBy(uneven, (row) => row['label']))
      for (const [part, ratio] of [
        ['train', 0.8],
        ['valid', 0.1],
        ['test', 0.1],
      ] as const) {
        const own = tables[part]!.filter((row) => row['label'] === label).length;
        expect(Math.abs(own - ratio * members.length)).toBeLessThan(1);
      }
  });

  it('does not tear groups apart', async () => {
    const found = await run({ group: 'customer' });
    const parts = partsOf(found);
    const byCustomer = Map.groupBy(rows, (row) => row['customer']);
    for (const members of byCustomer.values())
      expect(new Set(members.map(({ id }) => parts.get(id))).size).toBe(1);
    expect(found.metrics).toMatchObject({ groups: 23 });
    expect(Math.abs((found.metrics['train'] as number) - 160)).toBeLessThanOrEqual(9);
  });

  it('tells a group 1 from a group "1"', async () => {
    const numbered = [1, '1', 1, '1'].map((customer, at) => ({ id: `r${at}`, text: `t${at}`, customer }));
    expect((await run({ group: 'customer' }, numbered)).metrics['groups']).toBe(2);
  });

  it('puts the newest rows into test, and rows of one time together', async () => {
    const { tables } = await run({ time: 'day' });
    const days = (part: string) => tables[part]!.map((row) => row['day'] as string).sort();
    expect(days('train').at(-1)! < days('valid')[0]!).toBe(true);
    expect(days('valid').at(-1)! < days('test')[0]!).toBe(true);
    expect(tables['test']).toHaveLength(20);
    await expect(run({ time: 'label' })).rejects.toMatchObject({ code: 'bad-time' });
    const numbered = rows.map((row, at) => ({ ...row, day: `class ${at + 1}` }));
    await expect(run({ time: 'day' }, numbered)).rejects.toMatchObject({ code: 'bad-time' });
  });

  it('stable: rows stay where they were when others come', async () => {
    const before = partsOf(await run({ stable: true }, rows.slice(0, 120)));
    const after = partsOf(await run({ stable: true }));
    for (const [id, part] of before) expect(after.get(id)).toBe(part);
    expect(new Set(after.values()).size).toBe(3);
  });

  it('finds texts that are in two parts, or fails with them', async () => {
    const repeated = rows.map((row, index) => ({
      ...row,
      text: `Say ${index % 100}${index < 100 ? '' : '!'}`,
    }));
    const found = await run({}, repeated);
    const parts = partsOf(found);
    const order = ['train', 'valid', 'test'];
    const expected = repeated.filter(({ id }, index) => {
      const other = parts.get(`r${(index + 100) % 200}`)!;
      return order.indexOf(other) < order.indexOf(parts.get(id)!);
    });
    expect(expected.length).toBeGreaterThan(0);
    expect(found.metrics['leaks']).toBe(expected.length);
    expect(found.tables['leaks']!.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    expect(found.tables['leaks']![0]).toMatchObject({
      in: 'train',
      leak_of: `r${(Number(expected[0]!.id.slice(1)) + 100) % 200}`,
    });
    expect(found.warnings).toEqual([expect.stringContaining('say the same as a row of an earlier part')]);
    await expect(run({ on_leak: 'fail' }, repeated)).rejects.toMatchObject({ code: 'leak' });
    expect((await run({ group: 'text', on_leak: 'fail' }, repeated.slice(0, 100))).metrics['leaks']).toBe(0);
  });

  it('gives each part its vectors', async () => {
    const data = Float32Array.from({ length: 400 }, (_, at) => at);
    const { tables, matrices } = await runStep(split, {
      inputs: { rows, vectors: { matrix: { data, rows: 200, columns: 2 }, ids: rows.map(({ id }) => id) } },
    });
    for (const part of ['train', 'valid', 'test']) {
      const { ids, data: own } = matrices[`${part}_vectors`]!;
      expect(ids).toEqual(tables[part]!.map(({ id }) => id));
      expect([...own]).toEqual(ids.flatMap((id) => [2 * Number(id.slice(1)), 2 * Number(id.slice(1)) + 1]));
    }
  });

  it('handles no row, one row, and rows without the field of leaks', async () => {
    expect((await run({}, [])).metrics).toMatchObject({ train: 0, valid: 0, test: 0 });
    const one = await run({ stratify: 'label' }, rows.slice(0, 1));
    expect(one.metrics).toMatchObject({ train: 1, valid: 0, test: 0 });
    expect(one.warnings).toEqual(['of 1 rows none went to valid, test']);
    expect((await run({ leak_field: 'body' })).warnings).toEqual([
      'leaks were not looked for: no row has a field "body"',
    ]);
  });

  it('refuses ratios and combinations that mean nothing', () => {
    const check = (parameters: JsonObject) =>
      split.check!({ ratios: [0.8, 0.1, 0.1], stable: false, ...parameters }).map(
        ({ parameter }) => parameter,
      );
    expect(check({})).toEqual([]);
    expect(check({ ratios: [0.8, 0.1, 0.2] })).toEqual(['ratios']);
    expect(check({ time: 'day', group: 'customer' })).toEqual(['time']);
    expect(check({ stable: true, stratify: 'label' })).toEqual(['stratify']);
    expect(check({ folds: 5, ratios: [0.7, 0.2, 0.1] })).toEqual(['ratios']);
  });
});
