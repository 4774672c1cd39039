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

it('search: among some rows, across a matrix, like a row, by more words, and again by name', async () => {
  using p = new TestProject({
    'w.yaml': `name: small
params:
  file: { type: string, default: data.jsonl }
steps:
  rows: { use: load, with: { path: "\${{ params.file }}", text: text, id: id } }
  vectors: { use: embed, from: rows, with: { method: lexical, dimensions: 3 } }
  parts: { use: filter, from: rows, matrix: { letters: [ab, cd] }, with: { where: "matrix.letters.contains(row.id)" } }
`,
    'other.yaml': 'name: other\nsteps:\n  rows: { use: load, with: { path: data.jsonl } }\n',
    'data.jsonl': jsonl(rows),
    'more.jsonl': jsonl([...rows, { id: 'e', text: 'A card was stolen' }, { id: 'f', text: 'A rate' }]),
  });
  expect((await p.reprise('run', 'w.yaml')).code).toBe(0);
  const search = async (...args: string[]) => {
    const { code, out, err } = await p.reprise('search', ...args, '--json');
    expect(code, err).toBe(0);
    return JSON.parse(out) as {
      saved?: string;
      added?: string[];
      hits: { new?: boolean; row: { id: string } }[];
    };
  };
  const idsOf = ({ hits }: Awaited<ReturnType<typeof search>>) => hits.map(({ row }) => row.id);
  expect(idsOf(await search('latest', 'parts', 'card'))).toEqual(['a@letters=ab', 'c@letters=cd']);
  expect(idsOf(await search('latest', 'parts[letters=cd]', 'card'))).toEqual(['c']);
  const some = await search(
    'latest',
    'rows',
    'card',
    '--where',
    'row.id != "a"',
    '--mode',
    'keyword',
    '--expand',
  );
  expect(idsOf(some)[0]).toBe('c');
  expect(some.added).toEqual(['home', 'lost']);
  const like = await search('latest', 'rows', '--like', 'a', '--mode', 'semantic', '--min_score', '0.1');
  expect(idsOf(like)).toEqual(['c']);

  const kept = await search('latest', 'rows', 'card', '--mode', 'keyword', '--save', 'cards');
  expect(kept).toMatchObject({ saved: 'cards', hits: [{ row: { id: 'a' } }, { row: { id: 'c' } }] });
  expect((await p.reprise('run', 'w.yaml', '--param', 'file=more.jsonl')).code).toBe(0);
  // Runs of another workflow, and of some steps only, do not stand in the way.
  expect((await p.reprise('run', 'other.yaml')).code).toBe(0);
  const again = await p.reprise('search', '--saved', 'cards');
  expect(again.out).toMatch(/^1 +\d\.\d{3} +e +A card was stolen\n$/);
  expect(again.err).toContain('1 new of 3 hits of 6 rows, keyword');
  const third = await search('--saved', 'cards');
  expect(third.hits.map((hit) => hit.new)).toEqual([false, false, false]);
  expect(idsOf(await search('latest~2', '--saved', 'cards'))).toEqual(['a', 'c']);

  const wrong = async (...args: string[]) => {
    const { code, err } = await p.reprise('search', ...args);
    expect(code).toBe(2);
    return err;
  };
  expect(await wrong('--saved', 'cards', '--head', '3')).toContain('leave the rest out');
  expect(await wrong('latest', 'rows', 'card', '--where', 'row.day > 1')).toContain('--where row.day > 1');
});
