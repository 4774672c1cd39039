import { expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';

const rows = [
  { id: 'a', text: 'Where is my new card?' },
  { id: 'b', text: 'The exchange rate of the euro' },
  { id: 'c', text: 'I have lost my cards on the way home' },
  { id: 'd', text: 'How do I top up by bank transfer?' },
];

it('search: by words, and by meaning where the run has vectors', async () => {
  using p = new TestProject({
    'w.yaml': `name: small
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  few: { use: filter, from: rows, with: { where: "row.id != 'd'" } }
  vectors: { use: embed, from: rows, with: { method: lexical, dimensions: 3 } }
`,
    'data.jsonl': jsonl(rows),
  });
  expect((await p.reprise('run', 'w.yaml')).code).toBe(0);
  const search = async (...args: string[]) => {
    const { code, out, err } = await p.reprise('search', 'latest', ...args, '--json');
    expect(code, err).toBe(0);
    const { mode, hits } = JSON.parse(out) as { mode: string; hits: { rank: number; row: { id: string } }[] };
    return { mode, ids: hits.map(({ row }) => row.id) };
  };
  expect(await search('rows', 'lost card', '--mode', 'keyword')).toEqual({
    mode: 'keyword',
    ids: ['c', 'a'],
  });
  const hybrid = await search('rows', 'lost card', '--head', '2');
  expect(hybrid).toEqual({ mode: 'hybrid', ids: ['c', 'a'] });
  expect((await search('rows', 'exchange rates', '--mode', 'semantic')).ids[0]).toBe('b');
  expect((await search('few', 'card')).mode).toBe('keyword');

  const shown = await p.reprise('search', 'latest', 'rows', 'lost card', '--mode', 'keyword');
  expect(shown.out).toMatch(/^1 +\d\.\d{3} +c +I have lost my cards/);
  expect(shown.err).toContain('rows.rows: 2 hits of 4 rows, keyword');
  const none = await p.reprise('search', 'latest', 'few', 'card', '--mode', 'semantic');
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('has no step embed') });
  const matrix = await p.reprise('search', 'latest', 'vectors', 'card');
  expect(matrix).toMatchObject({ code: 2, err: expect.stringContaining('vectors.vectors is a matrix') });
  const field = await p.reprise('search', 'latest', 'rows', 'card', '--text', 'body');
  expect(field).toMatchObject({ code: 2, err: expect.stringContaining('choose one with --text') });
});
