import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  columnFromArray,
  dictionary,
  int32,
  TimeUnit,
  tableFromColumns,
  tableToIPC,
  timestamp,
  utf8,
} from '@uwdata/flechette';
import { expect, it } from 'vitest';
import { folderWith, runStep } from '../../test/run-step.ts';
import load from './index.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name));
const loadFile = (name: string, content: Uint8Array) =>
  runStep(load, { root: folderWith({ [name]: content }), with: { path: name, id: 'id' } });

// Written by pyarrow, of every type, in two record batches.
const first = {
  id: 'a',
  big: '9007199254740993',
  u8: 255,
  half: 0.5,
  yes: true,
  none: null,
  price: 1.1,
  exact: '1234567890123456789.01',
  day: '2024-01-02',
  day64: '2024-01-02',
  us: '2024-01-02T03:04:05.678901Z',
  tz: '2024-01-02T03:04:05.000Z',
  ns: '2024-01-02T03:04:05.123456789Z',
  time: '10:00:00.000005',
  bytes: 'AP8=',
  large: 'ü',
  view: 'short',
  list: [1, null],
  large_list: [[['x']]],
  fixed: [1.5, 2.5],
  struct: { a: 1, b: { c: ['x'] } },
  map: { k: 1 },
  kind: 'x',
};

it.each(['types.arrow', 'types.lz4.arrow', 'types.zstd.arrow', 'types.arrows'])('reads %s', async (name) => {
  const { tables, metrics, warnings } = await loadFile(name, fixture(name));
  const [a, b, c] = tables['rows']!;
  expect(a).toEqual({ ...first, large_list: [['x']] });
  expect(b).toMatchObject({
    big: -1,
    half: null,
    price: -0.05,
    day: '1969-12-31',
    us: '1969-12-31T23:59:59.250Z',
    view: 'a text that is longer than twelve',
    struct: { a: null, b: null },
    map: {},
    kind: 'y',
  });
  expect(c).toEqual({
    ...Object.fromEntries(Object.keys(first).map((key) => [key, null])),
    id: 'c',
    kind: 'x',
  });
  expect(metrics).toMatchObject({ rows: 3, exact_numbers: 2 });
  expect(warnings.join()).toContain('NaN read as null');
});

it('says what is wrong with a damaged file, and never reads half of one', async () => {
  const whole = fixture('types.arrows');
  for (const bytes of [
    whole.subarray(0, 100),
    whole.subarray(0, whole.length - 400),
    Buffer.from('ARROW1\0\0 not really'),
  ])
    await expect(loadFile('x.arrow', bytes)).rejects.toMatchObject({
      code: 'damaged-file',
      message: expect.stringContaining('x.arrow cannot be read as Arrow'),
    });
  await expect(loadFile('x.arrow', Buffer.alloc(0))).rejects.toMatchObject({ code: 'damaged-file' });
});

it('reads a data set that was saved to disk, with its splits', async () => {
  const bytes = fixture('types.arrows');
  const root = folderWith({
    'd/train/data-00000-of-00001.arrow': bytes,
    'd/train/dataset_info.json': '{}',
    'd/train/state.json': '{}',
    'd/dataset_dict.json': '{}',
  });
  const { tables } = await runStep(load, { root, with: { path: 'd', columns: ['day'] } });
  expect(tables['rows']).toHaveLength(3);
  expect(tables['rows']![0]).toMatchObject({ day: '2024-01-02' });
  const all = await runStep(load, { root, with: { path: 'd', id: 'id' } });
  expect(all.tables['rows']![0]).toMatchObject({ split: 'train' });
});

it('reads LZ4 whose blocks need those before them, as pyarrow writes Feather unless told otherwise', async () => {
  const root = folderWith({ 'linked.arrow': fixture('linked.lz4.arrow') });
  const { tables } = await runStep(load, { root, with: { path: 'linked.arrow' } });
  const expected = Array.from({ length: 16_500 }, (_, row) => ({
    n: row ** 2 % 1000,
    text: `card ${row % 97}`,
  }));
  expect(tables['rows']!.map(({ n, text }) => ({ n, text }))).toEqual(expected);
});

it('decodes a dictionary a few times, not once for each of many record batches', async () => {
  const words = Array.from({ length: 30_000 }, (_, row) => `word ${row % 10_000}`);
  const column = columnFromArray(words, dictionary(utf8(), int32()), { maxBatchRows: 15 });
  const bytes = tableToIPC(tableFromColumns({ word: column }), { format: 'stream' })!;
  const root = folderWith({ 'words.arrows': bytes });
  const { tables } = await runStep(load, { root, with: { path: 'words.arrows' } });
  expect(tables['rows']!.map(({ word }) => word)).toEqual(words);
});

it('keeps the records apart whose times are out of range', async () => {
  const type = timestamp(TimeUnit.SECOND);
  const column = columnFromArray([0, 9e15, null, -9e15], type);
  const ids = columnFromArray(['a', 'b', 'c', 'd'], utf8());
  const bytes = tableToIPC(tableFromColumns({ id: ids, at: column }), { format: 'file' })!;
  const { tables } = await loadFile('t.arrow', bytes);
  expect(tables['rows']).toEqual([
    { id: 'a', at: '1970-01-01T00:00:00.000Z' },
    { id: 'c', at: null },
  ]);
  expect(tables['rejected']!.map(({ record, field, code }) => [record, field, code])).toEqual([
    [2, 'at', 'far_time'],
    [4, 'at', 'far_time'],
  ]);
});
