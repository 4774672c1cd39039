import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessRunner } from '../../cli/watch/process-runner.ts';
import type { AttemptNews } from '../../engine/watch/attempt.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';
import { save, Watching } from '../watching.ts';

const rows = jsonl(numberedTexts(4));
const more = (count: number) => jsonl(numberedTexts(count));

const simple = {
  'data/rows.jsonl': rows,
  'w.yaml': `name: watched
steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text, id: id } }
  kept: { use: filter, from: rows, with: { where: "row.id != 'r1'" } }
  beside: { use: filter, from: rows, with: { where: "row.id == 'r1'" } }
`,
};

/** A step that ends when a file is there. */
const gate = `import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { defineStep } from 'reprise';
export default defineStep({
  type: 'gate', summary: 'Waits',
  parameters: { type: 'object', properties: { file: { type: 'string', default: 'go', description: '' } } },
  inputs: { rows: { kind: 'table', description: '', optional: true } }, outputs: {}, example: '',
  async run({ parameters, context }) {
    while (!existsSync(join(context.root, parameters.file))) await setTimeout(5, undefined, { signal: context.signal });
  },
});
`;

describe('reprise watch', () => {
  it('runs what a save changes, says why and what the numbers did, and nothing for a save without a change', async () => {
    using p = new TestProject(simple);
    await using watch = new Watching(p, ['w.yaml']);
    const first = await watch.attempt();
    expect(first).toMatchObject({ cause: 'start', outcome: 'succeeded', steps: { ran: 3 }, metrics: [] });
    // The same bytes: were they to start anything, its files would not be those of the next save.
    save(p, { 'data/rows.jsonl': rows, 'w.yaml': simple['w.yaml'] });
    save(p, { 'w.yaml': simple['w.yaml'].replace("== 'r1'", "== 'r2'") });
    const second = await watch.attempt();
    expect(second).toMatchObject({ cause: 'saved', files: ['w.yaml'], outcome: 'succeeded' });
    expect(second.statuses).toEqual(['rows:cached', 'kept:cached', 'beside:ran']);
    save(p, { 'data/rows.jsonl': more(6) });
    const planned = await watch.next('attempt-planned');
    expect(planned.steps.map(({ id, state }) => `${id}:${state}`)).toEqual([
      'rows:run',
      'kept:unknown',
      'beside:unknown',
    ]);
    expect(planned.steps[0]!.reason).toContain('data/rows.jsonl');
    const third = await watch.next('attempt-ended');
    expect(third.metrics).toContainEqual({ step: 'rows', metric: 'rows', before: 4, after: 6 });
    save(p, { 'w.yaml': `${simple['w.yaml'].replace("== 'r1'", "== 'r2'")}# a comment\n` });
    expect(await watch.attempt()).toMatchObject({ outcome: 'unchanged', run: null });
    expect(watch.attempts.map(({ files }) => files)).toEqual([
      [],
      ['w.yaml'],
      ['data/rows.jsonl'],
      ['w.yaml'],
    ]);
  });

  it('shows the problems of a broken file, goes on with the last good version, and with the mended one', async () => {
    using p = new TestProject(simple);
    await using watch = new Watching(p, ['w.yaml']);
    await watch.attempt();
    save(p, { 'w.yaml': simple['w.yaml'].replace('from: rows', 'from: rwos') });
    const refused = await watch.next('workflow-refused');
    expect(refused.problems[0]).toMatchObject({ place: { file: 'w.yaml', line: 4 } });
    expect((await watch.next('attempt-ended')).outcome).toBe('refused');
    save(p, { 'data/rows.jsonl': more(7) });
    expect((await watch.next('workflow-refused')).last_good).toBe(true);
    expect(await watch.next('attempt-ended')).toMatchObject({ outcome: 'succeeded', steps: { ran: 3 } });
    save(p, { 'w.yaml': simple['w.yaml'] });
    expect(await watch.attempt()).toMatchObject({ outcome: 'unchanged' });
  });

  it('waits for a workflow that is broken from the start, in a step file or an include', async () => {
    using p = new TestProject({
      ...simple,
      'w.yaml': 'include: parts/more.yaml\nsteps:\n  mine: { use: ./steps/mine.ts }\n',
    });
    await using watch = new Watching(p, ['w.yaml']);
    expect((await watch.attempt()).outcome).toBe('refused');
    save(p, {
      'parts/more.yaml':
        'steps:\n  rows: { use: load, with: { path: data/rows.jsonl, text: text, id: id } }\n',
    });
    expect(await watch.attempt()).toMatchObject({ outcome: 'refused', files: ['parts/more.yaml'] });
    save(p, { 'steps/mine.ts': 'import "./absent.ts"; export default 1;' });
    expect(await watch.attempt()).toMatchObject({ outcome: 'refused', files: ['steps/mine.ts'] });
    save(p, { 'steps/absent.ts': '' });
    expect(await watch.attempt()).toMatchObject({ outcome: 'refused', files: ['steps/absent.ts'] });
    save(p, { go: '', 'steps/mine.ts': gate });
    expect(await watch.attempt()).toMatchObject({ outcome: 'succeeded', files: ['steps/mine.ts'] });
    save(p, {
      'parts/more.yaml': 'steps:\n  rows: { use: load, with: { path: data/rows.jsonl, text: id, id: id } }\n',
    });
    expect(await watch.attempt()).toMatchObject({ outcome: 'succeeded', files: ['parts/more.yaml'] });
  });

  it('reads step files anew, with all that they import, in threads as well', async () => {
    using p = new TestProject({
      ...simple,
      'steps/lib/word.ts': "export const word = 'one';\n",
      'steps/lib/middle.ts': "import { word } from './word.ts';\nexport const said = () => word;\n",
      'steps/lib/task.ts': "import { said } from './middle.ts';\nexport const task = () => said();\n",
      'steps/lib/old.cjs': "module.exports = 'one';\n",
      'steps/say.ts': `import { defineStep } from 'reprise';
import { said } from './lib/middle.ts';
import old from './lib/old.cjs';
export default defineStep({
  type: 'say', summary: 'Says a word', parameters: { type: 'object', properties: {} },
  inputs: { rows: { kind: 'table', description: '' } }, outputs: {}, example: '',
  async run({ context }) {
    const there = await context.pool.run(new URL('./lib/task.ts', import.meta.url), 'task', null);
    return { metrics: { here: said(), there, old } };
  },
});
`,
      'w.yaml': `${simple['w.yaml']}  say: { use: ./steps/say.ts, from: kept }\n`,
    });
    await using watch = new Watching(p, ['w.yaml']);
    await watch.attempt();
    save(p, { 'steps/lib/word.ts': "export const word = 'two';\n" });
    const second = await watch.attempt();
    expect(second.statuses).toEqual(['rows:cached', 'kept:cached', 'beside:cached', 'say:ran']);
    expect(second.metrics).toEqual([
      { step: 'say', metric: 'here', before: 'one', after: 'two' },
      { step: 'say', metric: 'there', before: 'one', after: 'two' },
    ]);
    save(p, { 'steps/lib/old.cjs': "module.exports = 'two';\n" });
    expect((await watch.attempt()).metrics).toEqual([
      { step: 'say', metric: 'old', before: 'one', after: 'two' },
    ]);
  });

  it('is not set off by what it writes itself, even in a folder that it watches', async () => {
    using p = new TestProject({
      ...simple,
      'steps/count.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'count', summary: 'Counts files',
  parameters: { type: 'object', properties: { path: { type: 'string', 'x-reprise': 'input-path', description: '' } } },
  inputs: { rows: { kind: 'table', description: '' } }, outputs: {}, example: '',
  async run({ parameters, context }) {
    return { metrics: { files: context.files(parameters.path).length } };
  },
});
`,
      'w.yaml': `${simple['w.yaml']}  out: { use: export, from: kept, with: { path: data/out.csv } }
  count: { use: ./steps/count.ts, from: kept, after: out, with: { path: "**/*.{jsonl,csv,json}" } }
`,
    });
    await using watch = new Watching(p, ['w.yaml']);
    await watch.attempt();
    expect(p.read('data/out.csv')).toContain('r0');
    save(p, { 'data/rows.jsonl': more(5) });
    expect((await watch.attempt()).files).toEqual(['data/rows.jsonl']);
    save(p, { 'data/out.csv': 'mine' });
    save(p, { 'data/other.jsonl': '' });
    expect((await watch.attempt()).files).toEqual(['data/other.jsonl']);
    expect(watch.attempts).toHaveLength(3);
  });

  it('does not try a failed step again before something that it depends on changes', async () => {
    using p = new TestProject({
      ...simple,
      'tool.sh': 'echo x >> "$COUNTER"; test -s "$REPRISE_INPUT_KEPT" && exit 3',
      'w.yaml': `${simple['w.yaml'].replace('name: watched', 'name: watched\nenv: [COUNTER]')}  bad: { use: exec, from: kept, with: { run: "sh tool.sh", deps: [tool.sh], outputs: { rows: out.jsonl } } }
`,
    });
    await using watch = new Watching(p, ['w.yaml', '--keep-going'], { COUNTER: p.path('count.txt') });
    expect((await watch.attempt()).statuses).toContain('bad:failed');
    save(p, { 'w.yaml': p.read('w.yaml').replace("== 'r1'", "== 'r2'") });
    const second = await watch.attempt();
    expect(second).toMatchObject({ outcome: 'failed', steps: { ran: 1, failed: 1 } });
    expect(second.statuses).toContain('beside:ran');
    expect(p.read('count.txt')).toBe('x\n');
    save(p, { 'w.yaml': `${p.read('w.yaml')}# a comment\n` });
    expect((await watch.attempt()).outcome).toBe('unchanged');
    save(p, { 'tool.sh': 'echo x >> "$COUNTER"; cp "$REPRISE_INPUT_KEPT" out.jsonl' });
    const mended = await watch.attempt();
    expect(mended).toMatchObject({ outcome: 'succeeded' });
    expect(p.read('count.txt')).toBe('x\nx\n');
  });

  it('tries a failed step again when a secret is set that counts in no fingerprint', async () => {
    using p = new TestProject({
      ...simple,
      'w.yaml': `name: secretive
steps:
  asks:
    use: exec
    env: { TOKEN: "\${{ secrets.WATCH_TEST_TOKEN }}" }
    with: { run: 'test "$TOKEN" = sesame && echo "{}" > out.jsonl', outputs: { rows: out.jsonl } }
  told: { use: exec, after: asks, env: [WATCH_TEST_REGION], with: { run: 'test "$WATCH_TEST_REGION" != us' } }
`,
    });
    await using watch = new Watching(p, ['w.yaml']);
    expect(await watch.attempt()).toMatchObject({ outcome: 'failed', steps: { failed: 1 } });
    save(p, { '.env': 'WATCH_TEST_TOKEN=sesame\n' });
    expect(await watch.attempt()).toMatchObject({ outcome: 'succeeded', files: ['.env'] });
    // What env lists counts, and runs just what it changes.
    save(p, { '.env': 'WATCH_TEST_TOKEN=sesame\nWATCH_TEST_REGION=eu\n' });
    expect((await watch.attempt()).statuses).toEqual(['asks:cached', 'told:ran']);
  });
});

describe('a change during a run', () => {
  it('stops what is stale, and keeps the rows that are done', async () => {
    using p = new TestProject({
      ...simple,
      'steps/slow.ts': `import { setTimeout } from 'node:timers/promises';
import { defineRowStep } from 'reprise';
export default defineRowStep({
  type: 'slow', summary: 'Waits at one row', parameters: { type: 'object', properties: {} },
  inputs: { rows: { kind: 'table', description: '' } },
  outputs: { rows: { kind: 'table', description: '' }, failed: { kind: 'table', description: '' } },
  example: '',
  fields: () => ['text'],
  async open({ context }) {
    return {
      identity: null, batchSize: 1, concurrency: 1,
      async compute([[text]], signal) {
        if (text === 'wait') await setTimeout(1e9, undefined, { signal });
        context.log('computed ' + text);
        return [text];
      },
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row } of rows) await outputs.rows.write(row);
  },
});
`,
      'data/rows.jsonl': `${rows}{"id":"w","text":"wait"}\n`,
      'w.yaml': `steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text, id: id } }
  slow: { use: ./steps/slow.ts, from: rows }
`,
    });
    await using watch = new Watching(p, ['w.yaml']);
    for (const { text } of numberedTexts(4))
      await watch.next('step-log', ({ message }) => message === `computed ${text}`);
    save(p, { 'data/rows.jsonl': more(5) });
    expect((await watch.next('attempt-cancelled')).files).toEqual(['data/rows.jsonl']);
    expect((await watch.next('attempt-ended')).outcome).toBe('interrupted');
    const finished = await watch.next('step-finished', ({ step }) => step === 'slow');
    expect(finished.outcome).toMatchObject({ status: 'ran', rows_cached: 4, rows_computed: 1 });
  });

  it('stops only the steps that it makes stale: what it does not concern goes on, and the next run takes it', async () => {
    const workflow = `steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text, id: id } }
  stale: { use: ./steps/gate.ts, from: rows }
  long: { use: ./steps/gate.ts, resources: { gpu: 1 }, env: { WHICH: long } }
on_finish:
  - { run: 'echo done >> finished.txt' }
  - { run: 'echo never >> finished.txt', when: "!watch" }
`;
    using p = new TestProject({
      ...simple,
      'reprise.yaml': 'pools: { gpu: 1 }\n',
      'steps/gate.ts': gate,
      'w.yaml': workflow,
    });
    await using watch = new Watching(p, ['w.yaml', '--jobs', '4']);
    await watch.next('step-started', ({ step }) => step === 'stale');
    save(p, { 'data/rows.jsonl': more(5) });
    expect((await watch.next('attempt-left')).steps).toEqual(['long']);
    expect((await watch.next('attempt-ended')).outcome).toBe('interrupted');
    // What goes on holds its place in the pool, and its lease.
    expect(await watch.next('step-held')).toMatchObject({ step: 'long', pools: ['gpu'] });
    await watch.next('step-started', ({ step }) => step === 'stale');
    // A comment concerns nothing.
    save(p, { 'w.yaml': `${workflow}# a comment\n` });
    expect((await watch.next('attempt-left')).steps).toEqual(['stale']);
    await watch.next('step-held');
    // Nor does a file that is broken for a moment; what changes a step does.
    save(p, { 'w.yaml': `${workflow}  bad` });
    await watch.next('workflow-refused');
    await watch.next('step-held');
    save(p, { 'w.yaml': workflow.replace('WHICH: long', 'WHICH: other') });
    await watch.next('step-started', ({ step }) => step === 'long');
    save(p, { go: '' });
    const finished = await watch.next('step-finished', ({ step }) => step === 'stale');
    expect(finished.outcome.status).toBe('cached');
    expect(await watch.next('attempt-ended')).toMatchObject({ outcome: 'succeeded' });
    expect(p.read('finished.txt')).toBe('done\n');
  });

  it('waits for a pool that a step of the run before still holds, with nothing else left to do', async () => {
    const workflow = (data: string, step: string) =>
      `  ${data}: { use: load, with: { path: ${data}.jsonl, text: text, id: id } }
  ${step}: { use: ./steps/gate.ts, from: ${data}, with: { file: go-${data} }, resources: { ${step}: 1 } }
`;
    using p = new TestProject({
      'a.jsonl': rows,
      'b.jsonl': rows,
      'reprise.yaml': 'pools: { held: 1, free: 1 }\n',
      'steps/gate.ts': gate,
      'w.yaml': `steps:\n${workflow('a', 'held')}${workflow('b', 'free')}`,
    });
    await using watch = new Watching(p, ['w.yaml', '--jobs', '4']);
    const waiting = new Set(['held', 'free']);
    while (waiting.size > 0) await watch.next('step-started', ({ step }) => waiting.delete(step));
    save(p, { 'b.jsonl': more(5) });
    expect((await watch.next('attempt-left')).steps).toEqual(['held']);
    expect((await watch.next('attempt-ended')).outcome).toBe('interrupted');
    save(p, { 'go-b': '' });
    await watch.next('step-finished', ({ step }) => step === 'free');
    // Long enough for a process that has nothing to wait for to be gone.
    await p.reprise('plan', 'w.yaml');
    save(p, { 'go-a': '' });
    const finished = await watch.next('step-finished', ({ step }) => step === 'held');
    expect(finished.outcome.status).toBe('cached');
    expect(await watch.next('attempt-ended')).toMatchObject({ outcome: 'succeeded' });
  });

  it('lets a run end that it does not concern, and runs again after it', async () => {
    using p = new TestProject({
      ...simple,
      'steps/gate.ts': gate,
      'w.yaml': `steps:
  rows: { use: load, with: { path: data/rows.jsonl, text: text, id: id } }
  gate: { use: ./steps/gate.ts }
`,
    });
    await using watch = new Watching(p, ['w.yaml']);
    await watch.next('step-finished', ({ step }) => step === 'rows');
    save(p, { 'data/rows.jsonl': more(6) });
    expect((await watch.next('files-saved')).leads_to).toBe('attempt-later');
    save(p, { go: '' });
    expect(await watch.next('attempt-ended')).toMatchObject({ outcome: 'succeeded', steps: { ran: 2 } });
    expect(await watch.attempt()).toMatchObject({
      outcome: 'succeeded',
      files: ['data/rows.jsonl'],
      statuses: ['gate:cached', 'rows:ran'],
    });
  });
});

it('lets an attempt whose steps are done write down its end, when a save comes only then', async () => {
  using p = new TestProject({
    ...simple,
    // Longer than a stale step has to stop.
    'w.yaml': `${simple['w.yaml']}on_finish:\n  - { run: sleep 2 }\n`,
  });
  const call = {
    file: 'w.yaml',
    params: [],
    profiles: [],
    only: [],
    keepGoing: false,
    jobs: null,
    command: [],
  };
  const runner = new ProcessRunner(call, p.folder);
  onTestFinished(() => runner.close());
  const told: AttemptNews[] = [];
  const running = runner.start(
    { wish: 'run', cause: 'start', failures: [], lastGood: null, held: {} },
    (news) => {
      told.push(news);
      if (news.type === 'event' && news.event.type === 'run-finished') running.windDown(['rows'], 1000);
    },
  );
  expect(await running.ended).toMatchObject({ outcome: 'succeeded', error: null });
  expect(told.at(-1)).toMatchObject({ type: 'left', steps: [] });
});

it('leads from a hundred saves in a second to two runs at most, of which the last has the last state', async () => {
  using p = new TestProject(simple);
  await using watch = new Watching(p, ['w.yaml']);
  await watch.attempt();
  const begun = performance.now();
  for (let count = 0; count < 100; count++) {
    p.write({ 'data/rows.jsonl': more(5 + count) });
    await setImmediate();
  }
  const within = performance.now() - begun < 1000;
  await watch.next('step-finished', ({ outcome }) => outcome.id === 'rows' && outcome.rows === 104);
  await watch.next('attempt-ended');
  if (within) expect(watch.attempts.length).toBeLessThanOrEqual(3);
  save(p, { 'data/rows.jsonl': more(3) });
  expect((await watch.attempt()).metrics).toContainEqual({
    step: 'rows',
    metric: 'rows',
    before: 104,
    after: 3,
  });
});

it('sees atomic saves, files that go and come back, and folders that come later', async () => {
  using p = new TestProject({
    ...simple,
    'w.yaml': 'steps:\n  rows: { use: load, with: { path: "later/*/*.jsonl", text: text, id: id } }\n',
  });
  await using watch = new Watching(p, ['w.yaml']);
  await watch.attempt();
  save(p, { 'later/a/one.jsonl': rows });
  expect(await watch.attempt()).toMatchObject({ outcome: 'succeeded', files: ['later/a/one.jsonl'] });
  writeFileSync(p.path('later/a/.one.jsonl.swp'), more(9));
  renameSync(p.path('later/a/.one.jsonl.swp'), p.path('later/a/one.jsonl'));
  expect((await watch.attempt()).metrics).toContainEqual({
    step: 'rows',
    metric: 'rows',
    before: 4,
    after: 9,
  });
  rmSync(p.path('later'), { recursive: true });
  expect((await watch.attempt()).files).toEqual(['later/a/one.jsonl']);
  save(p, { 'later/b/two.jsonl': more(2) });
  expect((await watch.attempt()).metrics).toContainEqual({
    step: 'rows',
    metric: 'rows',
    before: 9,
    after: 2,
  });
});

it('ends with 130 on Ctrl-C, whatever a step does', async () => {
  using p = new TestProject({
    ...simple,
    'steps/loop.ts': `import { defineStep } from 'reprise';
export default defineStep({
  type: 'loop', summary: 'Never ends', parameters: { type: 'object', properties: {} },
  inputs: {}, outputs: {}, example: '',
  async run() { for (;;); },
});
`,
    'w.yaml': 'steps:\n  loop: { use: ./steps/loop.ts }\n',
  });
  const watch = new Watching(p, ['w.yaml']);
  await watch.next('step-started');
  watch.signal('SIGINT');
  await watch.next('watch-ended');
  expect((await watch.ended).code).toBe(130);
});
