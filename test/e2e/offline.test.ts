import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

it('run --offline asks nothing: rows whose answers are known are computed, others fail until they may be asked', async () => {
  await using server = await ModelServer.start();
  using p = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(2)),
    'w.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    with: { model: writer, prompt: { text: "Label: {{text}}" } }
    max_row_failures: 50%
`,
  });
  await p.run('w.yaml');
  p.write({ 'texts.jsonl': jsonl(numberedTexts(3)) });
  const offline = await p.run('w.yaml', '--offline');
  expect(offline.step('labels')).toMatchObject({ rows: 2, rows_failed: 1, rows_cached: 2 });
  expect(server.requests).toHaveLength(2);
  expect((await p.run('w.yaml')).step('labels')).toMatchObject({ rows: 3, rows_computed: 1 });
  expect(server.requests).toHaveLength(3);
});
