import { rmSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function loadFiles(files: Record<string, string | Uint8Array>, parameters: JsonObject): Promise<StepOutputs> {
  const root = folderWith(files);
  folders.push(root);
  return runStep(load, { root, with: parameters });
}
const parquet = (...texts: string[]): Uint8Array =>
  new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'text', data: texts, type: 'STRING' }] }));

it("reads a data set of Hugging Face's: its Parquet files, with their splits", async () => {
  const { tables, metrics } = await loadFiles(
    {
      'squad/README.md': '---\nlicense: mit\n---\n# Squad',
      'squad/dataset_infos.json': '{}',
      'squad/.cache/old-00000-of-00001.parquet': parquet('hidden'),
      'squad/data/train-00000-of-00002.parquet': parquet('a', 'b'),
      'squad/data/train-00001-of-00002.parquet': parquet('c'),
      'squad/data/validation-00000-of-00001-1a2b.parquet': parquet('d'),
      'squad/plain_text/test/0000.parquet': parquet('e'),
    },
    { path: 'squad', source: false },
  );
  expect(tables['rows']!.map((row) => [row['text'], row['split']])).toEqual([
    ['a', 'train'],
    ['b', 'train'],
    ['c', 'train'],
    ['d', 'validation'],
    ['e', 'test'],
  ]);
  expect(metrics['files']).toBe(4);
});

it('reads the files of one format, or of the one that is asked for', async () => {
  const files = {
    'd/a/b.jsonl': '{"text":"1"}\n',
    'd/c.jsonl': '{"text":"2"}\n',
    'd/README.md': '# D',
    'd/x.bin': 'x',
  };
  const { tables } = await loadFiles(files, { path: 'd/', source: true });
  expect(tables['rows']!.map((row) => [row['text'], row['source'], row['split']])).toEqual([
    ['1', 'd/a/b.jsonl', undefined],
    ['2', 'd/c.jsonl', undefined],
  ]);
  const markdown = await loadFiles(files, { path: 'd', format: 'md' });
  expect(markdown.tables['rows']!.map((row) => row['title'])).toEqual(['D']);
});

it('says what a folder holds that has no records', async () => {
  await expect(loadFiles({ 'd/x.bin': '' }, { path: 'd' })).rejects.toMatchObject({ code: 'no-file' });
  await expect(loadFiles({ 'd/a.md': '', 'd/a.csv': '' }, { path: 'd' })).rejects.toMatchObject({
    code: 'unknown-format',
    message: 'd holds files of several formats: 1 csv, 1 md',
  });
});

it('checks a schema on all columns of a Parquet file, whatever is kept', async () => {
  const { tables } = await loadFiles(
    { 'a.parquet': parquet('a', 'b') },
    { path: 'a.parquet', columns: [], schema: { required: ['text'], properties: { text: { const: 'b' } } } },
  );
  expect(tables['rows']).toEqual([{ id: expect.any(String) }]);
  expect(tables['rejected']).toHaveLength(1);
});
