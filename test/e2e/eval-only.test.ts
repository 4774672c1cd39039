import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

it('follows data for evaluation only through earlier runs, and refuses before anything runs', async () => {
  const load = '{ use: load, with: { path: texts.jsonl, text: text, id: id';
  using project = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(4)),
    'first.yaml': `
steps:
  truth: ${load}, purpose: eval_only } }
  kept: { use: filter, from: truth, with: { where: "true" } }
`,
    'second.yaml': `
steps:
  some: { use: sample, from: "run:latest/kept", with: { size: 2 } }
`,
    'third.yaml': `
models: { writer: { provider: command, command: [no-such-program] } }
steps:
  rows: ${load} } }
  few: { use: filter, from: "run:latest/some", with: { where: "true" } }
  labels:
    use: generate
    from: { rows: rows, examples: few }
    with: { model: writer, prompt: { text: "{{text}}" }, few_shot: { output: id } }
  judged: { use: judge, from: few, with: { answer: text, checks: [{ json: true }] } }
`,
  });
  const first = await project.run('first.yaml');
  const second = await project.run('second.yaml');
  const plan = await project.reprise('plan', 'third.yaml');
  expect(plan).toMatchObject({ code: 2, out: '' });
  expect(plan.err).toContain('third.yaml:6:3 error eval-only-leak');
  expect(plan.err).toContain(
    `learns from it: run:${first.run}/truth → run:${first.run}/kept → run:${second.run}/some → few → labels`,
  );
  // To be judged is what it is for.
  project.write({
    'third.yaml': project
      .read('third.yaml')
      .replace(', examples: few', '')
      .replace(', few_shot: { output: id }', ''),
  });
  expect((await project.reprise('plan', 'third.yaml')).code).toBe(0);
});
