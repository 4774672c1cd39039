import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = (model: string) => `
models: { writer: ${model} }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "Label: {{text}}" } } }
`;

it('a replay says what its file says today, and is not asked again while the file is the same', async () => {
  await using server = await ModelServer.start();
  using p = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(2)),
    'live.yaml': workflow(`{ provider: openai, base_url: "${server.url('openai')}", model: small }`),
    'replay.yaml': workflow('{ provider: replay, path: answers.jsonl }'),
  });
  const labels = async (file: string) => (await p.run(file)).step('labels');
  const shown = async () => (await p.reprise('show', 'latest', 'labels', '--format', 'jsonl')).out;
  await labels('live.yaml');
  expect((await p.reprise('export', 'latest', 'labels.answers', '-o', 'answers.jsonl')).code).toBe(0);
  expect((await labels('replay.yaml')).status).toBe('ran');
  const first = await shown();
  expect((await labels('replay.yaml')).status).toBe('cached');
  p.write({ 'answers.jsonl': p.read('answers.jsonl').replaceAll('answer to', 'mended') });
  expect(await labels('replay.yaml')).toMatchObject({
    status: 'ran',
    reason: expect.stringContaining('answers.jsonl'),
  });
  expect(await shown()).toBe(first.replaceAll('answer to', 'mended'));
});
