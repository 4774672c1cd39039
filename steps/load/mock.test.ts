import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep } from '../../test/run-step.ts';
import load from './index.ts';

const mock = {
  rows: 40,
  fields: { text: 'text', label: ['card', null], n: 'integer', x: 'number', ok: 'boolean', at: 'timestamp' },
} as const;
const made = (given: JsonObject, seed = 42) =>
  runStep(load, { root: folderWith({ 'a.jsonl': '{"text":"real"}\n' }), with: given, seed });

it('makes rows up where there is no file, the same by the same seed, and says so', async () => {
  const with_ = { path: 'b.jsonl', mock: mock as unknown as JsonObject };
  const { tables, warnings, metrics } = await made(with_);
  const rows = tables['rows']!;
  expect(warnings).toEqual(['there is no file b.jsonl: 40 rows made up (mock)']);
  expect(metrics).toMatchObject({ rows: 40, files: 0 });
  expect(rows[0]).toEqual({
    id: 'mock-1',
    mock: true,
    text: expect.stringMatching(/^[A-Z].*\.$/),
    label: rows[0]!['label'],
    n: expect.any(Number),
    x: expect.any(Number),
    ok: expect.any(Boolean),
    at: expect.stringMatching(/^2024-\d\d-\d\dT.*Z$/),
  });
  expect(new Set(rows.map(({ label }) => label))).toEqual(new Set(['card', null]));
  expect((await made(with_)).tables['rows']).toEqual(rows);
  expect((await made(with_, 7)).tables['rows']).not.toEqual(rows);
  const fewer = await made({ ...with_, mock: { ...mock, rows: 3 } as unknown as JsonObject });
  expect(fewer.tables['rows']).toEqual(rows.slice(0, 3));
});

it('reads a file that is there', async () => {
  const { tables, warnings } = await made({ path: 'a.jsonl', mock: mock as unknown as JsonObject });
  expect(tables['rows']!.map(({ text }) => text)).toEqual(['real']);
  expect(warnings).toEqual([]);
});
