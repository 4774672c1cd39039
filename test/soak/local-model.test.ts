import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonl, TestProject } from '../project.ts';
import { installLocalModel } from './local-model.ts';

const installed = installLocalModel();
const missing = 'missing' in installed ? installed.missing : null;

const workflow = `
models:
  small: { provider: local, path: small.gguf, max_tokens: 60, context: 1024 }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  answers:
    use: generate
    from: texts
    with: { model: small, prompt: { text: "{{text}}" } }
  labels:
    use: generate
    from: texts
    with:
      model: small
      prompt: { text: "Is this about money? {{text}}" }
      schema:
        type: object
        properties: { label: { enum: ["yes", "no"] } }
        required: [label]
        additionalProperties: false
`;
const texts = ['What is 2+2?', 'What is 3+3?', 'What is 5+5?'];

function project(): TestProject {
  const made = new TestProject({
    'pipeline.yaml': workflow,
    'texts.jsonl': jsonl(texts.map((text, index) => ({ id: `t${index}`, text }))),
  });
  if (!('folder' in installed)) return made;
  symlinkSync(installed.file, made.path('small.gguf'));
  symlinkSync(join(installed.folder, 'node_modules'), made.path('node_modules'));
  return made;
}

describe.skipIf(missing !== null)(
  `a model in a GGUF file${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('answers on this machine, JSON by a grammar, the same bytes in another project', async () => {
      using here = project();
      const first = await here.run('pipeline.yaml');
      expect(first.err).not.toMatch(/error/);
      expect(first.statuses).toEqual(['texts:ran', 'answers:ran', 'labels:ran']);
      expect(first.step('labels')).toMatchObject({ rows: 3, rows_failed: 0 });
      const { out } = await here.reprise('show', 'latest', 'labels', '--json');
      const shown = JSON.parse(out) as { rows: { answer: { label: string } }[] };
      for (const { answer } of shown.rows) expect(['yes', 'no']).toContain(answer.label);
      expect((await here.run('pipeline.yaml')).statuses).toEqual([
        'texts:cached',
        'answers:cached',
        'labels:cached',
      ]);
      using there = project();
      const second = await there.run('pipeline.yaml');
      expect(second.step('answers').outputs).toEqual(first.step('answers').outputs);
      expect(second.step('labels').outputs).toEqual(first.step('labels').outputs);
    });

    it('is not asked without a graphics card, or with a template that is none, where the alias says so', async () => {
      using here = project();
      for (const [said, message] of [
        ['device: gpu', 'node-llama-cpp finds no graphics card that it can use here'],
        ['template: chat.jinja', 'the chat template chat.jinja cannot be used'],
      ] as const) {
        const alias = `{ provider: local, path: small.gguf, ${said} }`;
        here.write({
          'chat.jinja': '{% for %}',
          'pipeline.yaml': workflow.replace(/\{ provider: local.*\}/, alias),
        });
        const { err, out, code } = await here.reprise('run', 'pipeline.yaml', '--only', 'answers');
        expect(code).toBe(1);
        expect(err + out).toContain(message);
      }
    });

    it('reproduces from the recorded answers', async () => {
      using here = project();
      const { run } = await here.run('pipeline.yaml');
      expect(await here.reprise('reproduce', run)).toMatchObject({
        code: 0,
        err: expect.not.stringContaining('✘'),
      });
    });
  },
);

it('says how to install what it needs', async () => {
  using bare = new TestProject({
    'pipeline.yaml': workflow,
    'texts.jsonl': jsonl([{ id: 't0', text: texts[0] }]),
    'small.gguf': 'no model',
  });
  const { err, out, code } = await bare.reprise('run', 'pipeline.yaml');
  expect(code).toBe(1);
  expect(err).toContain('node-llama-cpp is not installed in this project');
  expect(out).toContain('npm install');
});
