import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../docs-examples.ts';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const verdict = (score: number) => JSON.stringify({ reason: 'so it is', score });

it('judges past rows anew with rejudge: nothing is generated again, and what hangs on the judge follows', async () => {
  await using server = await ModelServer.start({
    reply: ({ prompt, body }) =>
      prompt.startsWith('Answer') ? `said ${prompt.length}` : verdict(body['model'] === 'mild' ? 5 : 2),
  });
  const model = (name: string) => `{ provider: openai, base_url: "${server.url('openai')}", model: ${name} }`;
  using project = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(4)),
    'prompts/ask.hbs': 'Answer {{params.tone}}: {{text}}',
    'rubric.md': 'Only the tone counts.',
    'w.yaml': `
params: { tone: { type: string, default: politely } }
models: { writer: ${model('writer')}, strict: ${model('strict')}, mild: ${model('mild')} }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  answers: { use: generate, from: texts, with: { model: writer, prompt: { file: ./prompts/ask.hbs } } }
  verdicts: { use: judge, from: answers, with: { judges: [strict], question: text, threshold: 4 } }
  rate: { use: evaluate, from: verdicts, with: { task: pass_rate } }
  table: { use: export, from: verdicts, with: { path: out/verdicts.csv } }
  own: { use: filter, from: verdicts.judgments, with: { where: "row.judge == 'strict'" } }
`,
  });
  const run = await project.run('w.yaml');
  expect(run.code, run.err).toBe(0);
  expect(run.step('rate').metrics).toMatchObject({ pass_rate: 0 });
  expect(server.requests).toHaveLength(8);

  // The source may change, even go: the rows are those of the run.
  project.write({ 'texts.jsonl': jsonl(numberedTexts(9)) });
  const again = await project.reprise('rejudge', run.run, 'verdicts', '--model', 'mild', '--json');
  expect(again.code, again.err).toBe(0);
  const { steps } = JSON.parse(again.out) as { steps: { id: string; metrics: Record<string, number> }[] };
  expect(steps.map(({ id }) => id)).toEqual(['verdicts', 'rate']);
  expect(steps[1]!.metrics['pass_rate']).toBe(1);
  expect(again.err).toContain('table is not done again: it would write over a file');
  expect(again.err).toContain('own is not done again: it speaks of strict, which does not judge now');
  expect(server.requests.slice(8).map(({ body }) => body['model'])).toEqual(['mild', 'mild', 'mild', 'mild']);

  // With the judges of then by another rubric; a run that was made so can be made again from its record.
  const toned = await project.reprise('rejudge', run.run, 'verdicts', '--rubric', 'rubric.md', '--json');
  expect(toned.code, toned.err).toBe(0);
  expect(server.requests).toHaveLength(16);
  expect(server.requests.at(-1)!.prompt).toContain('Only the tone counts.');
  const reproduced = await project.reprise('reproduce', 'latest', '--json');
  expect(JSON.parse(reproduced.out)).toMatchObject({ verdict: 'identical' });
  expect(server.requests).toHaveLength(16);

  const wrong = await project.reprise('rejudge', run.run, 'answers', '--model', 'mild');
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining('a step of the type generate, not a judge'),
  });
  const unknown = await project.reprise('rejudge', run.run, 'verdicts', '--model', 'mil');
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('did you mean "mild"') });
});

it('scores answers by recorded judges without a key, as the shipped workflow does', async () => {
  using project = new TestProject({});
  for (const path of ['workflows/answer-judging.yaml', 'use-cases/answer-judging']) {
    mkdirSync(dirname(project.path(path)), { recursive: true });
    cpSync(join(root, path), project.path(path), { recursive: true });
  }
  const run = await project.run('workflows/answer-judging.yaml');
  expect(run.code, run.err).toBe(0);
  // LLMBar, natural set, GPT-4 with rules: the figure that the paper prints (Zeng et al. 2024, table 2).
  expect(run.step('single').metrics).toMatchObject({ accuracy: 0.955, rows: 200 });
  expect(run.step('verdicts')).toMatchObject({ rows: 100, rows_failed: 0 });
  // Five judges together are no worse than the best of them.
  expect(run.step('panel').metrics).toMatchObject({ accuracy: 0.96, rows: 100 });
  const again = await project.run('workflows/answer-judging.yaml');
  expect(again.steps.every(({ status }) => status === 'cached')).toBe(true);
});
