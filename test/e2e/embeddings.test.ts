import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

it('embed by a server: each text is paid for once, and nothing is asked offline', async () => {
  await using server = await ModelServer.start();
  const workflow = (normalize: boolean) => `
models: { ada: { provider: openai, base_url: "${server.url('openai')}", model: small, price: { input: 1, output: 0 } } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  vectors:
    use: embed
    from: texts
    with: { method: openai, model: ada, dimensions: 4, normalize: ${normalize} }
    max_row_failures: 50%
`;
  using p = new TestProject({ 'texts.jsonl': jsonl(numberedTexts(3)), 'w.yaml': workflow(true) });
  const first = await p.run('w.yaml');
  expect(first.step('vectors')).toMatchObject({ rows: 3, rows_computed: 3 });
  expect(server.embedded.map(({ length }) => length)).toEqual([3]);
  p.write({ 'texts.jsonl': jsonl(numberedTexts(5)) });
  expect((await p.run('w.yaml', '--offline')).step('vectors')).toMatchObject({
    rows: 3,
    rows_cached: 3,
    rows_failed: 2,
  });
  expect((await p.run('w.yaml')).step('vectors')).toMatchObject({ rows: 5, rows_computed: 2 });
  expect(server.embedded.map(({ length }) => length)).toEqual([3, 2]);
  // Scaled otherwise, they are other rows, made of the same answers.
  p.write({ 'w.yaml': workflow(false) });
  expect((await p.run('w.yaml', '--offline')).step('vectors')).toMatchObject({ rows: 5, rows_computed: 5 });
  expect(server.embedded).toHaveLength(2);
  expect(await p.reprise('reproduce', 'latest')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/identical +vectors/),
  });
  expect((await p.reprise('export', 'latest', 'vectors.answers', '-o', 'answers.jsonl')).code).toBe(0);
  p.write({
    'w.yaml': workflow(false).replace(/ada: .*/, 'ada: { provider: replay, path: answers.jsonl } }'),
  });
  expect((await p.run('w.yaml')).step('vectors')).toMatchObject({ rows: 5, rows_computed: 5 });
  expect(server.embedded).toHaveLength(2);
});
