import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, summaryOf, TestProject } from '../project.ts';

it('takes a word in the place of a key for what it is, and leaves it where it stands in names and rows', async () => {
  await using server = await ModelServer.start({ reply: () => 'none of them' });
  using p = new TestProject({
    'texts.jsonl': jsonl([{ id: '1', text: 'nonetheless' }]),
    'w.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small, api_key_env: SERVER_KEY } }
steps:
  none_rows: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: none_rows, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
  });
  const result = summaryOf(await p.start(['run', 'w.yaml', '--json'], { SERVER_KEY: 'none' }).ended);
  expect(result.statuses).toEqual(['none_rows:ran', 'labels:ran']);
  expect(server.requests[0]!.headers.authorization).toBe('Bearer none');
  const shown = await p.reprise('show', 'latest', 'labels', '--format', 'jsonl');
  expect(JSON.parse(shown.out)).toMatchObject({ text: 'nonetheless', answer: 'none of them' });
});

it('takes a short key that is said to be a secret out of an answer that repeats it', async () => {
  await using server = await ModelServer.start({ reply: () => 'you sent k3y-77, did you?' });
  using p = new TestProject({
    'texts.jsonl': jsonl([{ id: '1', text: 'what did I send?' }]),
    'w.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small, api_key: "\${{ secrets.SERVER_KEY }}" } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
  });
  const result = await p.start(['run', 'w.yaml', '--json'], { SERVER_KEY: 'k3y-77' }).ended;
  expect(summaryOf(result).statuses).toEqual(['texts:ran', 'labels:ran']);
  expect(server.requests[0]!.headers.authorization).toBe('Bearer k3y-77');
  const shown = await p.reprise('show', 'latest', 'labels', '--format', 'jsonl');
  expect(JSON.parse(shown.out).answer).toBe('you sent [secret], did you?');
  const found = spawnSync('grep', ['-rl', 'k3y-77', '.'], { cwd: p.folder, encoding: 'utf8' });
  expect(found.stdout + result.out + result.err).not.toContain('k3y-77');
  expect(found.stdout).toBe('');
});
