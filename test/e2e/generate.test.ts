import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ModelServer, type ModelServerOptions } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = (server: ModelServer, { step = '', model = '' } = {}) => `
models:
  writer:
    provider: openai
    base_url: ${server.url('openai')}
    model: small
    price: { input: 1, output: 10 }
${model}
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    with: { model: writer, prompt: { file: ./prompts/label.hbs } }
${step}
`;

const started = async (options: ModelServerOptions = {}, rows = numberedTexts(5)) => {
  const server = await ModelServer.start(options);
  const project = new TestProject({
    'texts.jsonl': jsonl(rows),
    'prompts/label.hbs': 'Label: {{text}}',
    'pipeline.yaml': workflow(server),
  });
  return { server, project };
};

describe('generate', () => {
  it('asks once about each row, and never again what it knows', async () => {
    const { server, project } = await started();
    await using _ = server;
    using __ = project;
    const first = await project.run('pipeline.yaml');
    expect(first.statuses).toEqual(['texts:ran', 'labels:ran']);
    expect(server.requests).toHaveLength(5);
    expect(first.step('labels').rows_computed).toBe(5);
    // Of each row 5 words in (Label: text number 0 of many is 6) and 8 out.
    const tokens = first.cost;
    expect(tokens.input_tokens).toBe(5 * 6);
    expect(tokens.output_tokens).toBe(5 * 8);
    expect(tokens.usd).toBeCloseTo((30 * 1 + 40 * 10) / 1e6, 10);

    const second = await project.run('pipeline.yaml');
    expect(second.statuses).toEqual(['texts:cached', 'labels:cached']);
    expect(second.cost).toMatchObject({ usd: 0, input_tokens: 0 });
    expect(second.cost.saved_usd).toBeCloseTo(tokens.usd, 10);

    // The model's limits are not part of a result; where the answer goes is no part of the question.
    project.write({ 'pipeline.yaml': workflow(server, { model: '    concurrency: 2' }) });
    expect((await project.run('pipeline.yaml')).statuses).toEqual(['texts:cached', 'labels:cached']);
    project.write({
      'pipeline.yaml': workflow(server).replace('label.hbs }', 'label.hbs }, field: label'),
    });
    const renamed = await project.run('pipeline.yaml');
    expect(renamed.step('labels')).toMatchObject({ status: 'ran', rows_cached: 5 });
    expect(renamed.cost.saved_usd).toBeCloseTo(tokens.usd, 10);
    // Answers are known below the rows: what is computed again, as when a step's code changes, asks nothing.
    rmSync(project.path('.reprise/cache/rows.sqlite'));
    const again = await project.run('pipeline.yaml', '--force', 'labels');
    expect(again.step('labels')).toMatchObject({ status: 'ran', rows_computed: 5 });
    expect(again.cost).toMatchObject({ usd: 0 });
    expect(server.requests).toHaveLength(5);

    const shown = await project.reprise('show', 'latest', 'labels', '--format', 'jsonl');
    expect(JSON.parse(shown.out.split('\n')[0]!)).toEqual({
      id: 'r0',
      text: 'text number 0 of many',
      label: 'answer to Label: text number 0 of many',
    });
  });

  it('asks about changed rows and changed prompts only, and says why', async () => {
    const { server, project } = await started();
    await using _ = server;
    using __ = project;
    await project.run('pipeline.yaml');
    project.write({
      'texts.jsonl': jsonl([...numberedTexts(5).slice(0, 4), { id: 'r4', text: 'another' }]),
    });
    expect((await project.run('pipeline.yaml')).step('labels')).toMatchObject({
      rows_computed: 1,
      rows_cached: 4,
    });
    expect(server.requests).toHaveLength(6);
    project.write({ 'prompts/label.hbs': 'Name: {{text}}' });
    const plan = await project.reprise('plan', 'pipeline.yaml');
    expect(plan.out).toContain('with.prompt.text');
    // Tokens in by a tokenizer; tokens out as the six answers so far had on average: five of 8 words, one of 4.
    expect(plan.out).toMatch(
      /labels would ask writer \(openai\/small\): 5 calls, about 55 tokens in, 37 out, \$0\.00042/,
    );
    expect((await project.run('pipeline.yaml')).step('labels').rows_computed).toBe(5);
    // Another model, or another temperature, is another question; the key is not.
    project.write({ 'pipeline.yaml': workflow(server, { model: '    temperature: 0' }) });
    const colder = await project.run('pipeline.yaml');
    expect(colder.step('labels')).toMatchObject({ rows_computed: 5, reason: 'model writer changed' });
    expect(server.requests).toHaveLength(16);
  });

  it('keeps what a run was made from: answers pinned, models and cost in the record', async () => {
    const { server, project } = await started();
    await using _ = server;
    using __ = project;
    const { run } = await project.run('pipeline.yaml');
    const record = JSON.parse(project.read(`runs/${run}/run.json`));
    expect(record.models).toEqual([
      { name: 'writer', asked: 'openai/small', served: ['small-2026-01-01'], digest: null },
    ]);
    const { answers } = record.steps[1].outputs;
    expect(record.pins).toContain(answers.blob ?? answers.digest);
    expect(record.summary.cost.usd).toBeGreaterThan(0);
    const shown = await project.reprise('show', run, 'labels.answers', '--format', 'jsonl');
    expect(shown.out.trim().split('\n')).toHaveLength(5);
    expect(JSON.parse(shown.out.split('\n')[0]!)).toMatchObject({
      model: 'writer',
      provider: 'openai',
      asked: 'small',
      usd: expect.any(Number),
    });
    // What it cost, by row and altogether.
    const byRow = JSON.parse((await project.reprise('runs', 'cost', run, 'labels', '--json')).out);
    expect(byRow.rows.map(({ row }: { row: string }) => row).sort()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    expect(byRow.rows[0]).toMatchObject({
      answers: 1,
      failed: 0,
      cost: { input_tokens: 6, output_tokens: 8 },
    });
    const all = await project.reprise('runs', 'cost');
    expect(all.out).toMatch(/pipeline +1 +\$0\.0004\d* +30 +40 +\$0\.00\naltogether/);
    // Reproducing asks nobody; asked live, everything is asked again.
    const reproduced = await project.reprise('reproduce', run, '--json');
    expect(JSON.parse(reproduced.out)).toMatchObject({ verdict: 'identical' });
    expect(server.requests).toHaveLength(5);
    expect((await project.reprise('reproduce', run, '--live')).code).toBe(0);
    expect(server.requests).toHaveLength(10);
    // A recorded run answers in place of the model.
    await project.reprise('export', run, 'labels.answers', '-o', 'answers.jsonl');
    project.write({
      'replayed.yaml': workflow(server).replace(
        /writer:[\s\S]*?price:.*\n/,
        'writer: { provider: replay, path: answers.jsonl }\n',
      ),
    });
    const replayed = await project.run('replayed.yaml');
    expect(replayed.step('labels').outputs['rows']).toBe(record.steps[1].outputs.rows.digest);
    expect(server.requests).toHaveLength(10);
  });

  it('gives several samples, each its own answer and id', async () => {
    const { server, project } = await started({ reply: ({ attempt }) => `answer ${attempt}` });
    await using _ = server;
    using __ = project;
    project.write({
      'pipeline.yaml': workflow(server, { model: '    stream: true' }).replace(
        'label.hbs }',
        'label.hbs }, samples: 3',
      ),
    });
    const run = await project.run('pipeline.yaml');
    // Streamed, the events tell answers as they come.
    const events = project.read(`runs/${run.run}/events.ndjson`).trim().split('\n');
    expect(events.map((line) => JSON.parse(line)).find(({ type }) => type === 'step-answer')).toMatchObject({
      step: 'labels',
      model: 'writer',
      text: expect.stringContaining('answer'),
    });
    expect(run.step('labels')).toMatchObject({ rows: 15, metrics: { rows: 5, answers: 15 } });
    expect(server.requests).toHaveLength(15);
    const shown = await project.reprise('show', 'latest', 'labels', '--format', 'jsonl', '--head', '3');
    const rows = shown.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ id, parent_id, sample }) => [id, parent_id, sample])).toEqual([
      ['r0#1', 'r0', 1],
      ['r0#2', 'r0', 2],
      ['r0#3', 'r0', 3],
    ]);
    expect(new Set(rows.map(({ answer }) => answer)).size).toBe(3);
  });

  it('holds answers to a schema and makes fields of them', async () => {
    const { server, project } = await started({
      reply: ({ attempt }) => (attempt === 0 ? '```json\n{"label":"x","score":2}\n```' : '{}'),
    });
    await using _ = server;
    using __ = project;
    const schema =
      '{ type: object, properties: { label: { type: string }, score: { type: integer } }, required: [label, score] }';
    project.write({
      'pipeline.yaml': workflow(server).replace(
        'label.hbs }',
        `label.hbs }, unpack: true, schema: ${schema}`,
      ),
    });
    await project.run('pipeline.yaml');
    const shown = await project.reprise('show', 'latest', 'labels', '--format', 'jsonl', '--head', '1');
    expect(JSON.parse(shown.out)).toEqual({ id: 'r0', text: 'text number 0 of many', label: 'x', score: 2 });
  });

  it('fails rows with the reason, keeps the others, and asks only for those next time', async () => {
    let broken = true;
    const { server, project } = await started({
      fault: ({ prompt }) => (broken && prompt.includes('3') ? 'cut-off' : null),
    });
    await using _ = server;
    using __ = project;
    const failed = await project.run('pipeline.yaml');
    expect(failed.code).toBe(1);
    expect(failed.step('labels').error).toMatchObject({
      code: 'too-many-failed-rows',
      message: expect.stringContaining('row r3: the answer was cut off'),
      hint: 'the other rows are kept: mend what the reasons name and run again, or allow more with max_row_failures: 1',
    });
    // What was paid for is counted, though the step failed.
    expect(failed.cost.output_tokens).toBe(5 * 8);
    project.write({ 'pipeline.yaml': workflow(server, { step: '    max_row_failures: 1' }) });
    const tolerated = await project.run('pipeline.yaml');
    expect(tolerated.step('labels')).toMatchObject({
      status: 'ran',
      rows: 4,
      rows_failed: 1,
      rows_cached: 4,
    });
    // What was said of the failed row is recorded: the run can be made again, failure and all, without a call.
    const answers = await project.reprise('show', tolerated.run, 'labels.answers', '--format', 'jsonl');
    const said = answers.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(said).toHaveLength(5);
    expect(said.filter(({ failure }) => failure)).toMatchObject([
      { text: 'answer to Label: text number 3 of many', failure: { code: 'answer-truncated' } },
    ]);
    const reproduced = await project.reprise('reproduce', tolerated.run, '--json');
    expect(JSON.parse(reproduced.out)).toMatchObject({ verdict: 'identical' });
    expect(server.requests).toHaveLength(6);
    broken = false;
    const mended = JSON.parse((await project.reprise('retry', tolerated.run, '--json')).out);
    expect(mended.steps[1]).toMatchObject({ rows: 5, rows_computed: 1, rows_cached: 4 });
    expect(server.requests).toHaveLength(7);
    const nothing = await project.reprise('retry', mended.run);
    expect(nothing).toMatchObject({ code: 0, out: '', err: expect.stringContaining('nothing to try again') });
  });

  it('stops at the budget with exit code 4, and goes on with a higher one', async () => {
    const { server, project } = await started({}, numberedTexts(40));
    await using _ = server;
    using __ = project;
    project.write({
      'pipeline.yaml': workflow(server, { model: '    concurrency: 2\n    max_tokens: 10' }),
    });
    // A row costs $0.000086: 6 words in and 8 out.
    const stopped = await project.run('pipeline.yaml', '--budget', '0.001');
    expect(stopped.code).toBe(4);
    expect(stopped.step('labels').error).toMatchObject({ code: 'budget-reached' });
    expect(stopped.cost.usd).toBeLessThanOrEqual(0.001);
    expect(stopped.cost.usd).toBeGreaterThan(0.0005);
    const asked = server.requests.length;
    const rest = await project.run('pipeline.yaml', '--budget', '1');
    expect(rest.code).toBe(0);
    expect(server.requests).toHaveLength(40);
    expect(rest.step('labels').rows_computed).toBe(40 - asked);
  });

  it('refuses before it asks: a field that is not there, a key that is not set, an unknown alias', async () => {
    const { server, project } = await started();
    await using _ = server;
    using __ = project;
    project.write({ 'prompts/label.hbs': 'Label: {{txt}}' });
    expect((await project.run('pipeline.yaml')).step('labels').error).toMatchObject({
      code: 'missing-field',
      hint: expect.stringContaining('text'),
    });
    project.write({
      'prompts/label.hbs': 'Label: {{text}}',
      'keyed.yaml': workflow(server, { model: '    api_key_env: MISSING_KEY' }),
      'wrong.yaml': workflow(server, { model: '  other: { provider: openai, model: gpt-5-mimi }' }).replace(
        'model: writer',
        'model: writr',
      ),
    });
    expect((await project.run('keyed.yaml')).step('labels').error).toMatchObject({ code: 'model-key' });
    const listed = JSON.parse((await project.reprise('models', 'list', 'keyed.yaml', '--json')).out);
    expect(listed.models).toMatchObject([
      { alias: 'writer', provider: 'openai', price: { input: 1 }, key: { name: 'MISSING_KEY', set: false } },
    ]);
    const wrong = await project.reprise('run', 'wrong.yaml');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('did you mean "writer"');
    expect(wrong.err).toContain('did you mean "gpt-5-mini"');
    expect(server.requests).toHaveLength(0);
  });

  it('takes keys from .env and writes them nowhere', async () => {
    const key = 'sk-very-secret-0123456789';
    const { server, project } = await started({
      fault: ({ headers }) => (headers.authorization === `Bearer ${key}` ? null : 'denied'),
    });
    await using _ = server;
    using __ = project;
    project.write({
      '.env': `MY_KEY=${key}\n`,
      'pipeline.yaml': workflow(server, { model: '    api_key_env: MY_KEY' }),
    });
    const tested = await project.reprise('models', 'test', 'pipeline.yaml', '--json');
    expect(tested.code).toBe(0);
    expect(JSON.parse(tested.out)).toMatchObject({
      models: [{ alias: 'writer', asked: 'openai/small', served: 'small-2026-01-01', error: null }],
    });
    const run = await project.run('pipeline.yaml');
    expect(run.code).toBe(0);
    expect(server.requests).toHaveLength(6);
    const grep = ['-rl', '--binary-files=text', '--exclude=.env', key, '.'];
    expect(spawnSync('grep', grep, { cwd: project.folder, encoding: 'utf8' }).stdout).toBe('');
  });

  it('is not the only one to ask: a step file does, by the same door', async () => {
    const { server, project } = await started();
    await using _ = server;
    using __ = project;
    const [models] = workflow(server).split('steps:');
    project.write({
      'steps/overview.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'overview',
  summary: 'One question about all rows',
  parameters: {
    type: 'object',
    properties: { model: { type: 'string', 'x-reprise': 'language-model' } },
    required: ['model'],
  },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { text: { kind: 'files', description: 'The answer.' } },
  example: 'x:\\n  use: overview',
  async run({ parameters, inputs, outputs, context }) {
    const model = context.languageModel(parameters.model);
    const { text } = await model.ask({ messages: [{ role: 'user', content: \`\${inputs.rows.rows} rows\` }] });
    await outputs.text.write('text.txt', text);
  },
});
`,
      'own.yaml': `${models}steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  overview: { use: ./steps/overview.ts, from: texts, with: { model: writer } }
`,
    });
    const run = await project.run('own.yaml');
    expect(run.err).not.toContain('error');
    expect(Object.keys(run.step('overview').outputs)).toEqual(['text', 'answers']);
    expect(run.cost).toMatchObject({ input_tokens: 2, output_tokens: 4 });
    expect(server.requests.map(({ prompt }) => prompt)).toEqual(['5 rows']);
  });
});
