import { existsSync, readdirSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { askedSoFar } from '../../engine/record/spent.ts';
import { ModelServer, type ModelServerOptions } from '../model-server.ts';
import { jsonl, numberedTexts, summaryOf, TestProject } from '../project.ts';

/** Of a row: 5 words in and 7 out. */
const rowUsd = (5 * 1 + 7 * 10) / 1e6;

async function started(rows: number, options: ModelServerOptions = {}, more = '') {
  const server = await ModelServer.start(options);
  const project = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(rows)),
    'pipeline.yaml': `
models:
  writer: { provider: openai, base_url: "${server.url('openai')}", model: small, concurrency: 4, max_tokens: 10, price: { input: 1, output: 10 } }
${more}
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
  });
  return { server, project };
}

/** Waits until the events of the project's run say that so much was spent. */
async function untilSpent(project: TestProject, usd: number): Promise<void> {
  const stop = new AbortController();
  const spent = () => {
    const [run] = existsSync(project.path('runs')) ? readdirSync(project.path('runs')) : [];
    if (run === undefined) return 0;
    return askedSoFar(project.path(`runs/${run}`)).get('labels')?.cost.usd ?? 0;
  };
  try {
    for await (const _ of watch(project.folder, { recursive: true, signal: stop.signal }))
      if (spent() > usd - 1e-9) stop.abort();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

describe('what a killed run had spent', () => {
  it('is in runs cost, and the run that goes on from it is added up with it, each answer once', async () => {
    let answers = 0;
    let healthy = false;
    const { server, project } = await started(30, {
      fault: () => (healthy || ++answers <= 12 ? null : 'hang'),
    });
    await using _ = server;
    using __ = project;
    const killed = project.start(['run', 'pipeline.yaml']);
    await untilSpent(project, 12 * rowUsd);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const cost = async (...args: string[]) =>
      JSON.parse((await project.reprise('runs', 'cost', ...args, '--json')).out);
    const first = await cost('latest');
    expect(first.steps).toMatchObject([{ step: 'labels', status: 'interrupted', models: ['openai/small'] }]);
    expect(first.cost.usd).toBeCloseTo(12 * rowUsd, 10);

    healthy = true;
    const done = await project.reprise('run', 'pipeline.yaml');
    expect(done.out).toMatch(/with 1 run before it that did not succeed/);
    expect(server.answers).toBe(30);
    const second = await cost('latest');
    expect(second.cost).toMatchObject({
      usd: expect.closeTo(18 * rowUsd, 10),
      saved_usd: expect.closeTo(12 * rowUsd, 10),
    });
    expect(second.resumed).toMatchObject({
      runs: [first.run],
      cost: { usd: expect.closeTo(30 * rowUsd, 10) },
    });
    const all = await cost();
    expect(all).toMatchObject({ runs: 2, cost: { usd: expect.closeTo(30 * rowUsd, 10) } });
  });
});

describe('retry', () => {
  it('asks for the failed rows of each step of a matrix, and makes again what was made without them', async () => {
    let broken = true;
    await using server = await ModelServer.start({
      reply: ({ prompt, body }) => `${body['model']} on ${prompt}`,
      fault: ({ prompt, body }) =>
        broken && body['model'] === 'b' && /[12] of/.test(prompt) ? 'rejected' : null,
    });
    const model = (name: string) =>
      `{ provider: openai, base_url: "${server.url('openai')}", model: ${name} }`;
    using project = new TestProject({
      'texts.jsonl': jsonl(numberedTexts(4)),
      'pipeline.yaml': `
models: { a: ${model('a')}, b: ${model('b')} }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    matrix: { model: [a, b] }
    with: { model: "\${{ matrix.model }}", prompt: { text: "{{text}}" } }
    max_row_failures: 50%
  more: { use: generate, from: labels, with: { model: a, prompt: { text: "More: {{answer}}" }, field: more } }
`,
    });
    const first = await project.reprise('run', 'pipeline.yaml');
    const [, run] = /again {4}reprise retry (\S+)\n/.exec(first.out) ?? [];
    const asked = () => server.requests.map(({ body, prompt }) => `${body['model']}: ${prompt}`);
    expect(asked()).toHaveLength(8 + 6);
    broken = false;
    const again = summaryOf(await project.reprise('retry', run!, '--json'));
    const rows = ['1', '2'].map((n) => `text number ${n} of many`);
    const mended = [...rows.map((row) => `b: ${row}`), ...rows.map((row) => `a: More: b on ${row}`)];
    expect(asked().slice(14).sort()).toEqual(mended.sort());
    expect(again.statuses).toEqual([
      'texts:cached',
      'labels[model=a]:cached',
      'labels[model=b]:ran',
      'more:ran',
    ]);
    expect(again.step('more')).toMatchObject({ rows: 8, rows_computed: 2, rows_failed: 0 });
    // A program that reads the summary finds one where there is nothing to do.
    expect(summaryOf(await project.reprise('retry', 'latest', '--json'))).toMatchObject({ run: again.run });
  });
});

describe('priority', () => {
  it('lets the requests of a step go before those of another that wait for the same model', async () => {
    await using server = await ModelServer.start({ latencyMs: 5 });
    using project = new TestProject({
      'texts.jsonl': jsonl(numberedTexts(20)),
      'pipeline.yaml': `
models: { writer: { provider: openai, base_url: "${server.url('openai')}", model: small, concurrency: 1 } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  later: { use: generate, from: texts, priority: -1, with: { model: writer, prompt: { text: "later {{text}}" } } }
  sooner: { use: generate, from: texts, priority: 5, with: { model: writer, prompt: { text: "sooner {{text}}" } } }
`,
    });
    expect((await project.run('pipeline.yaml', '--jobs', '2')).code).toBe(0);
    const order = server.requests.map(({ prompt }) => prompt.split(' ')[0]);
    // What had begun before the other step was there goes on.
    const last = order.lastIndexOf('sooner');
    expect(order.slice(0, last).filter((one) => one === 'later').length).toBeLessThanOrEqual(10);
    expect(order.slice(last + 1).filter((one) => one === 'later').length).toBeGreaterThanOrEqual(10);
  });
});

describe('a budget in the workflow', () => {
  it('stops before the call that would pass it; --budget says otherwise', async () => {
    const { server, project } = await started(20, {}, 'budget: { calls: 7, usd: 1 }');
    await using _ = server;
    using __ = project;
    const stopped = await project.run('pipeline.yaml');
    expect(stopped.code).toBe(4);
    expect(stopped.step('labels').error).toMatchObject({
      code: 'budget-reached',
      message: 'the next call would pass the budget of 7 calls: 7 are spent',
    });
    expect(server.requests).toHaveLength(7);
    const rest = await project.run('pipeline.yaml', '--budget', '100calls,5usd');
    expect([rest.code, rest.step('labels').rows_computed, server.requests.length]).toEqual([0, 20 - 7, 20]);
  });
});
