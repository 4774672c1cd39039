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
