import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, TestProject } from '../project.ts';

it('a route goes by what an earlier run measured, says which, and is reproduced without that run', async () => {
  await using server = await ModelServer.start({
    // The small model is right in one of three answers.
    reply: ({ prompt, body }) => (body['model'] === 'l' || prompt.startsWith('a') ? 'yes' : 'no'),
  });
  const model = (name: string) => `{ provider: openai, base_url: "${server.url('openai')}", model: ${name} }`;
  const route = (more: string) => `
models:
  small: ${model('s')}
  large: ${model('l')}
  best: { route: { among: [small, large], by: quality, ${more} } }
steps:
  questions: { use: load, with: { path: questions.jsonl, text: text, id: id } }
  answers: { use: generate, from: questions, with: { model: best, prompt: { text: "{{text}}?" } } }
`;
  using project = new TestProject({
    'questions.jsonl': ['a', 'b', 'c'].map((text) => `{"id":"${text}","text":"${text}"}\n`).join(''),
    'measure.yaml': `
models:
  small: ${model('s')}
  large: ${model('l')}
steps:
  questions: { use: load, with: { path: questions.jsonl, text: text, id: id } }
  answers:
    use: generate
    from: questions
    matrix: { model: [small, large] }
    with: { model: "\${{ matrix.model }}", field: said, prompt: { text: "{{text}}" } }
  scores:
    use: ./score.ts
    from: "answers[model=\${{ matrix.model }}]"
    matrix: { model: [small, large] }
`,
    'score.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'score',
  summary: 'Share of answers that say yes.',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: { rows: { kind: 'table', description: 'Answers.' } },
  outputs: {},
  metrics: { accuracy: 'The share.' },
  async run({ inputs }) {
    let right = 0;
    for await (const row of inputs.rows.read()) if (row['said'] === 'yes') right++;
    return { metrics: { accuracy: right / inputs.rows.rows } };
  },
});
`,
    'w.yaml': route('quality: "run:measured/scores.accuracy"'),
  });
  const early = await project.reprise('plan', 'w.yaml');
  expect(early.code).toBe(2);
  expect(early.err).toMatch(/w\.yaml:5:65 .*there is no run "measured"/);
  const measured = await project.run('measure.yaml');
  expect(measured.code, measured.err).toBe(0);
  expect(measured.step('scores[model=small]').metrics['accuracy']).toBeCloseTo(1 / 3, 6);
  await project.reprise('runs', 'tag', measured.run, 'measured');
  const before = server.requests.length;
  const run = await project.run('w.yaml');
  expect(run.code, run.err).toBe(0);
  expect(server.requests.slice(before).map(({ body }) => body['model'])).toEqual(['l', 'l', 'l']);
  const { out } = await project.reprise(
    'show',
    'latest',
    'answers.answers',
    '--format',
    'jsonl',
    '--head',
    '1',
  );
  expect(JSON.parse(out)).toMatchObject({
    model: 'best',
    asked: 'l',
    route: {
      by: 'quality',
      chosen: 'large',
      why: `quality 1 (run ${measured.run}, scores[model=large].accuracy)`,
      others: [
        { model: 'small', why: expect.stringMatching(/^quality 0\.333.*scores\[model=small\]\.accuracy\)$/) },
      ],
    },
  });
  expect((await project.run('w.yaml')).step('answers').status).toBe('cached');
  // What was measured of another model is no measure of this one.
  project.write({ 'w.yaml': project.read('w.yaml').replace('model: s }', 'model: t }') });
  expect(await project.reprise('plan', 'w.yaml')).toMatchObject({
    code: 2,
    err: expect.stringContaining('measured openai/s under the name small, which is openai/t now'),
  });
  const removed = await project.reprise('runs', 'rm', measured.run);
  expect(removed.code, removed.err).toBe(0);
  const again = await project.reprise('reproduce', run.run);
  expect(again.code, again.err + again.out).toBe(0);
  expect(server.requests).toHaveLength(before + 3);

  project.write({ 'w.yaml': route(`quality: { small: 0.5, large: "run:${run.run}/answers.words" }`) });
  const unmeasured = await project.reprise('plan', 'w.yaml');
  expect(unmeasured.code).toBe(2);
  expect(unmeasured.err).toContain(`answers of run ${run.run} has no number "words"`);
  expect(unmeasured.err).toContain('w.yaml:5:86');
  project.write({ 'w.yaml': route('quality: { small: scores.accuracy }') });
  expect(await project.reprise('validate', 'w.yaml')).toMatchObject({
    code: 2,
    err: expect.stringContaining('"scores.accuracy" is no metric of an earlier run'),
  });
});

it('a route goes by a field of the row, which counts for its result though no prompt names it', async () => {
  await using server = await ModelServer.start({ reply: ({ body }) => `said by ${body['model']}` });
  const model = (name: string) =>
    `{ provider: openai, base_url: "${server.url('openai')}", model: ${name}, price: { input: 1, output: 1 }, max_tokens: 10 }`;
  const rows = (needs: (number | null)[]) =>
    jsonl(needs.map((need, at) => ({ id: `r${at}`, text: `question ${at}`, need })));
  using project = new TestProject({
    'questions.jsonl': rows([0.1, 0.9, 0.2, null]),
    'w.yaml': `
params: { least: { type: number, default: 0.5 } }
models:
  small: ${model('s')}
  large: ${model('l')}
  best:
    route:
      among: [small, large]
      by: rules
      rules: [{ when: "row.need >= params.least", use: large }, { use: small }]
steps:
  questions: { use: load, with: { path: questions.jsonl, text: text, id: id } }
  answers:
    use: generate
    from: questions
    max_row_failures: 1
    with: { model: best, prompt: { text: "{{text}}" } }
`,
  });
  const asked = () =>
    server.requests.map(({ prompt, body }) => `${prompt.slice(-1)} ${body['model']}`).sort();
  const first = await project.run('w.yaml');
  expect(first.step('answers')).toMatchObject({ rows_computed: 3, rows_failed: 1 });
  expect(asked()).toEqual(['0 s', '1 l', '2 s']);
  const failed = await project.reprise('show', 'latest', 'answers.failed', '--format', 'jsonl');
  expect(JSON.parse(failed.out)).toMatchObject({
    id: 'r3',
    reason: expect.stringContaining('the rule row.need >= 0.5 cannot be told'),
  });
  // One row needs more now; the prompt of none has changed.
  project.write({ 'questions.jsonl': rows([0.1, 0.9, 0.8, 0.3]) });
  const plan = await project.reprise('plan', 'w.yaml', '--json');
  expect(plan.code, plan.err).toBe(0);
  const second = await project.run('w.yaml');
  expect(second.step('answers')).toMatchObject({ rows_computed: 2, rows_cached: 2, rows_failed: 0 });
  expect(asked()).toEqual(['0 s', '1 l', '2 l', '2 s', '3 s']);
  const explained = await project.reprise('cache', 'explain', 'w.yaml', 'answers', 'r2');
  expect(explained.out).toContain('need');

  // A field that is asked for need not be there; one that is not there is a slip.
  const workflow = project.read('w.yaml');
  project.write({
    'questions.jsonl': jsonl([
      { id: 'a', text: 'question a', need: 1, hard: null },
      { id: 'b', text: 'question b', need: 1 },
    ]),
    'w.yaml': workflow.replace('row.need >= params.least', 'has(row.hard) || has(row.nothing)'),
  });
  expect((await project.run('w.yaml')).step('answers')).toMatchObject({ rows_failed: 0 });
  expect(asked()).toEqual(expect.arrayContaining(['a l', 'b s']));
  project.write({ 'w.yaml': workflow.replace('row.need', 'row.ned') });
  const slip = await project.run('w.yaml');
  expect(slip.step('answers').error).toMatchObject({
    code: 'missing-field',
    message: expect.stringContaining('row.ned'),
    hint: expect.stringContaining('need'),
  });
});
