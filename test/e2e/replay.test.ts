import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Reproduction } from '../../engine/reproduce/reproduce.ts';
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
  expect(await p.reprise('reproduce', 'latest')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/identical +labels/),
  });
});

it('reproduced live, answers are asked for again, and how far they drifted is said', async () => {
  const again: Record<string, string> = {
    'Label: text number 0 of many': 'a text',
    'Label: text number 1 of many': 'the writing',
  };
  await using server = await ModelServer.start({
    reply: ({ prompt, attempt }) => (attempt === 0 ? 'a text' : again[prompt]!),
  });
  using p = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(2)),
    'w.yaml': workflow(`{ provider: openai, base_url: "${server.url('openai')}", model: small }`),
  });
  const { run } = await p.run('w.yaml');
  const { code, out } = await p.reprise('reproduce', run, '--live', '--json');
  expect(code).toBe(3);
  const { drift } = JSON.parse(out) as Reproduction;
  expect(drift).toMatchObject([
    { step: 'labels', answers: { recorded: 2, compared: 2 }, agreement: 0.5, similarity: { embedded: 1 } },
  ]);
  const { least, mean } = drift![0]!.similarity!;
  expect(least).toBeGreaterThan(0.2);
  expect(least).toBeLessThan(0.99);
  expect(mean).toBeCloseTo((1 + least) / 2, 5);
  const shown = (await p.reprise('reproduce', run, '--live')).out;
  expect(shown).toMatch(
    /\nanswers, asked again\n {2}labels {2}2 of 2 answers compared, 50 % the same, similarity 0\.\d+ \(least 0\.\d+\)\n/,
  );
  expect(server.requests).toHaveLength(6);
  rmSync(p.path('.reprise/objects'), { recursive: true });
  const gone = await p.reprise('reproduce', run);
  expect(gone.code).toBe(2);
  expect(gone.err).toContain(
    'without the answers of writer: they are not in the store any more (needed by labels)',
  );
});
