import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
    with: { method: openai, model: ada, dimensions: "\${{ steps.texts.metrics.files + 3 }}", normalize: ${normalize} }
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

it('a static model that a run made is exported into a folder, and used from there', async () => {
  using p = new TestProject({
    'texts.jsonl': jsonl([
      { id: 'a', text: 'my card' },
      { id: 'b', text: 'xyzzy' },
    ]),
    'made.yaml': `
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  static: { use: train, with: { method: static_embedding, encoder: models/tiny/model.onnx } }
  vectors: { use: embed, from: { rows: texts, model: static }, with: { method: static } }
`,
    'used.yaml': `
models: { small: { provider: local, path: models/small } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  vectors: { use: embed, from: texts, with: { method: static, model: small } }
`,
  });
  const tiny = join(import.meta.dirname, '../fixtures/encoders/tiny');
  cpSync(tiny, p.path('models/tiny'), { recursive: true });
  const vectors = async (file: string) => {
    const { metrics } = (await p.run(file)).step('vectors');
    await p.reprise('export', 'latest', 'vectors', '-o', 'vectors.npy');
    return { metrics, bytes: readFileSync(p.path('vectors.npy')) };
  };
  const made = await vectors('made.yaml');
  expect(made.metrics).toMatchObject({ without_terms: 1 });
  const file = await p.reprise('export', 'latest', 'static', '-o', 'model.bin');
  expect(file).toMatchObject({ err: expect.stringContaining('name a folder') });
  expect(await p.reprise('export', 'latest', 'static', '-o', 'models/small/')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^models\/small\/: 4 files/),
  });
  const used = await vectors('used.yaml');
  expect(used.metrics).toMatchObject({ without_terms: 1, model: 'small' });
  expect(used.bytes).toEqual(made.bytes);
});
