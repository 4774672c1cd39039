import { expect, it } from 'vitest';
import { summaryOf, TestProject } from '../project.ts';

it('retry: records that a load turned away come in when their file is mended, and nothing else is computed', async () => {
  const lines = ['{"id":"a","text":"one"}', '{"id":"b","text":', '{"id":"c","text":"three"}'];
  using p = new TestProject({
    'w.yaml': `name: small
steps:
  rows: { use: load, with: { path: data.jsonl, id: id, text: text } }
  short: { use: compress, from: rows, with: { method: rules } }
  other: { use: load, with: { path: other.txt } }
`,
    'data.jsonl': `${lines.join('\n')}\n`,
    'other.txt': 'unchanged\n',
  });
  const first = summaryOf(await p.reprise('run', 'w.yaml', '--json'));
  expect(first.step('rows').metrics).toMatchObject({ rows: 2, rejected: 1 });
  const rejected = JSON.parse((await p.reprise('show', 'latest', 'rows.rejected', '--json')).out);
  expect(rejected.rows).toMatchObject([{ line: 2, code: 'invalid_json' }]);
  expect((await p.reprise('retry', 'latest')).err).toContain('nothing to try again');

  p.write({ 'data.jsonl': `${lines.with(1, '{"id":"b","text":"two"}').join('\n')}\n` });
  const mended = summaryOf(await p.reprise('retry', 'latest', '--json'));
  expect(mended.steps.map(({ id }) => id)).toEqual(['rows', 'short']);
  expect(mended.step('rows').metrics).toMatchObject({ rows: 3, rejected: 0 });
  expect(mended.step('short')).toMatchObject({ rows: 3, rows_computed: 1, rows_cached: 2 });
});
