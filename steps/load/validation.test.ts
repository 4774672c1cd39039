import { rmSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function loadFiles(files: Record<string, string>, parameters: JsonObject): Promise<StepOutputs> {
  const root = folderWith(files);
  folders.push(root);
  return runStep(load, { root, with: parameters });
}

const schema = {
  type: 'object',
  required: ['key', 'score'],
  additionalProperties: false,
  properties: {
    key: { type: 'string' },
    score: { type: 'integer', minimum: 0, maximum: 5 },
    label: { enum: ['a', 'b'] },
    tags: { type: 'array', items: { type: 'string' } },
  },
};

it('keeps the records apart that do not fit, with what is wrong', async () => {
  const csv = 'key,score,label\nx,5,a\ny,9,a\nz,high,a\nw,1,c\n';
  const { tables, warnings, metrics } = await loadFiles(
    { 'a.csv': csv, 'schema.json': JSON.stringify(schema) },
    { path: 'a.csv', id: 'key', cast: { score: 'integer' }, schema: 'schema.json', source: true },
  );
  expect(tables['rows']).toEqual([{ id: 'x', score: 5, label: 'a', source: 'a.csv' }]);
  expect(tables['rejected']!.map((row) => [row['line'], row['field'], row['code'], row['reason']])).toEqual([
    [3, 'score', 'schema_mismatch', 'score must be <= 5'],
    [4, 'score', 'invalid_cast', 'score is no integer: high'],
    [5, 'label', 'schema_mismatch', 'label must be one of ["a","b"]'],
  ]);
  expect(warnings.join()).toContain('3 of 4 records rejected (2 not as the schema says, 1 wrong type)');
  expect(metrics['records']).toBe(4);
});

it('takes a schema as it is, also of draft 7, and an id that a bad record had stays free', async () => {
  const rows = [
    { key: 'a', score: 1, tags: ['t', 2] },
    { key: 'a', score: 2, extra: 1 },
    { key: 'a', score: 3 },
    {},
  ];
  const files = { 'a.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join('') };
  for (const $schema of [
    'https://json-schema.org/draft/2020-12/schema',
    'http://json-schema.org/draft-07/schema#',
  ]) {
    const result = await loadFiles(files, { path: 'a.jsonl', id: 'key', schema: { $schema, ...schema } });
    expect(result.tables['rows']).toEqual([{ id: 'a', score: 3 }]);
    expect(result.tables['rejected']!.map((row) => row['reason'])).toEqual([
      'tags/1 must be string',
      'the record must not have the field extra',
      "the record must have required property 'key' (and 1 more)",
    ]);
  }
});

it('says what is wrong with a schema', async () => {
  const files = { 'a.jsonl': '{}', 'bad.json': '{"type": ', 'list.json': '[]' };
  const failing = (schema: string | JsonObject): Promise<StepOutputs> =>
    loadFiles(files, { path: 'a.jsonl', schema });
  await expect(failing({ type: 'objekt' })).rejects.toMatchObject({ code: 'invalid-schema' });
  await expect(failing({ $ref: '#/nowhere' })).rejects.toMatchObject({ code: 'invalid-schema' });
  await expect(failing('bad.json')).rejects.toMatchObject({
    message: expect.stringContaining('bad.json is no JSON Schema: not JSON'),
  });
  await expect(failing('list.json')).rejects.toMatchObject({
    message: 'list.json is no JSON Schema: it is no object',
  });
  await expect(failing('none.json')).rejects.toMatchObject({ code: 'no-file' });
});

it('infers types of a CSV file, converts its values, and keeps apart what does not fit', async () => {
  const csv =
    'key,score,ratio,yes,code,note\na,1,0.5,true,007,x\nb,2,1,FALSE,12,\nc,high,2,true,13,3\nd,,3e2,,14,y\ne,4,x,no,15,z\n';
  const { tables, logs, warnings } = await loadFiles(
    { 'a.csv': csv },
    { path: 'a.csv', id: 'key', types: 'inferred' },
  );
  expect(logs).toEqual([
    'types of 5 records: score number, ratio number, yes boolean, code number, note text',
  ]);
  expect(tables['rows']).toEqual([
    { id: 'b', score: 2, ratio: 1, yes: false, code: 12, note: '' },
    { id: 'd', score: null, ratio: 300, yes: null, code: 14, note: 'y' },
  ]);
  expect(tables['rejected']!.map((row) => [row['line'], row['field'], row['code'], row['reason']])).toEqual([
    [2, 'code', 'unusual_type', 'code is no number, as 80% of the values are: "007"'],
    [4, 'score', 'unusual_type', 'score is no number, as 75% of the values are: "high"'],
    [6, 'ratio', 'unusual_type', 'ratio is no number, as 80% of the values are: "x"'],
  ]);
  expect(warnings.join()).toContain('3 not of the type of the others');
});

it('takes a text for a number only if it is one, and never makes null of it', async () => {
  const codes = Array.from({ length: 20 }, (_, code) => `${code},E${code + 10},1e${code === 0 ? 999 : code}`);
  const { tables } = await loadFiles(
    { 'a.csv': `key,icd,large\n${codes.join('\n')}\n` },
    { path: 'a.csv', id: 'key', types: 'inferred' },
  );
  expect(tables['rows']!.slice(0, 2)).toEqual([
    { id: '1', icd: 'E11', large: 10 },
    { id: '2', icd: 'E12', large: 100 },
  ]);
  expect(tables['rejected']!.map((row) => row['reason'])).toEqual([
    'large is no number, as 95% of the values are: "1e999"',
  ]);
});

it('takes a fraction behind ten thousand integers', async () => {
  const rows = Array.from({ length: 10_001 }, (_, n) => `{"id":"${n}","n":${n < 10_000 ? n : 2.5}}\n`);
  const { tables } = await loadFiles(
    { 'a.jsonl': rows.join('') },
    { path: 'a.jsonl', id: 'id', types: 'inferred' },
  );
  expect(tables['rows']!.at(-1)).toEqual({ id: '10000', n: 2.5 });
});

it('infers types of JSON without converting; fields of many types are free, a schema still counts', async () => {
  const rows = [
    { id: '1', n: 1, tags: ['a'], any: 1 },
    { id: '2', n: 2.5, tags: [], any: 'x' },
    { id: '3', n: '3', tags: [], any: {} },
    { id: '4', n: null, tags: 'b', any: [] },
    { id: '5', n: -1, any: true },
  ];
  const { tables } = await loadFiles(
    { 'a.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join('') },
    { path: 'a.jsonl', id: 'id', types: 'inferred', schema: { properties: { n: { minimum: 0 } } } },
  );
  expect(tables['rows']!.map(({ id }) => id)).toEqual(['1', '2']);
  expect(tables['rejected']!.map((row) => [row['line'], row['code'], row['field']])).toEqual([
    [3, 'unusual_type', 'n'],
    [4, 'unusual_type', 'tags'],
    [5, 'schema_mismatch', 'n'],
  ]);
});
