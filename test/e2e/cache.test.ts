import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: cached
params:
  least: { type: integer, default: 2 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows }
  long: { use: filter, from: unique, with: { where: "size(row.text) >= params.least" } }
  loud: { use: ./steps/loud.ts, from: long }
  file: { use: export, from: loud, with: { path: out/rows.csv } }
`;

const loud = `import { defineStep } from 'reprise';
import { raise } from './raise.ts';
export default defineStep({
  type: 'loud', summary: 'Capitals',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: '',
  async run({ inputs, outputs }) {
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, text: raise(String(row.text)) });
  },
});
`;
const raise = 'export const raise = (text: string): string => text.toUpperCase();\n';

function project() {
  return new TestProject({
    'w.yaml': workflow,
    'data.jsonl': jsonl([...numberedTexts(20), { id: 'twice', text: 'text number 3 of many' }]),
    'steps/loud.ts': loud,
    'steps/raise.ts': raise,
  });
}

it('runs what changed and nothing else, says why, and the same inputs give the same digests', async () => {
  using p = project();
  const first = await p.run('w.yaml');
  expect(first.statuses).toEqual(['rows:ran', 'unique:ran', 'long:ran', 'loud:ran', 'file:ran']);
  expect(first.step('unique').rows).toBe(20);
  expect(p.read('out/rows.csv')).toContain('TEXT NUMBER 3 OF MANY');

  const second = await p.run('w.yaml');
  expect(second.statuses.every((status) => status.endsWith(':cached'))).toBe(true);
  expect(second.steps.map(({ outputs }) => outputs)).toEqual(first.steps.map(({ outputs }) => outputs));

  // A param that one step names: that step runs; it comes out the same, and the wave stops there.
  const param = await p.run('w.yaml', '--param', 'least=3');
  expect(param.statuses).toEqual(['rows:cached', 'unique:cached', 'long:ran', 'loud:cached', 'file:cached']);
  expect(param.step('long').reason).toBe('with.where size(row.text) >= 2 → size(row.text) >= 3');
  expect((await p.run('w.yaml')).statuses).toEqual(second.statuses);

  // Comments in YAML, retries and other scheduling do not count.
  p.write({
    'w.yaml': `# a comment\n${workflow.replace('use: dedupe,', 'retries: 3, timeout: 1h, use: dedupe,')}`,
  });
  expect((await p.run('w.yaml')).statuses).toEqual(second.statuses);

  // A comment in the code does not count, a change in a helper does.
  p.write({ 'steps/raise.ts': `// louder\n${raise}` });
  expect((await p.run('w.yaml')).statuses).toEqual(second.statuses);
  p.write({ 'steps/raise.ts': raise.replace('toUpperCase()', 'toUpperCase().trim()') });
  const code = await p.run('w.yaml');
  expect(code.statuses).toEqual(['rows:cached', 'unique:cached', 'long:cached', 'loud:ran', 'file:cached']);
  expect(code.step('loud').reason).toBe('code steps/raise.ts');

  // A new row that is a duplicate: everything up to dedupe runs, nothing behind it.
  p.write({ 'data.jsonl': jsonl([...numberedTexts(20), { id: 'again', text: 'text number 4 of many' }]) });
  const data = await p.run('w.yaml');
  expect(data.statuses).toEqual(['rows:ran', 'unique:ran', 'long:cached', 'loud:cached', 'file:cached']);
  expect(data.step('rows').reason).toBe('file data.jsonl changed');

  // The export is put back if somebody removes it, although its step is cached.
  const { rmSync } = await import('node:fs');
  rmSync(p.path('out/rows.csv'));
  expect((await p.run('w.yaml')).step('file').status).toBe('cached');
  expect(p.read('out/rows.csv')).toContain('TEXT NUMBER 4 OF MANY');
});

it('plans with reasons, and an exit code for CI', async () => {
  using p = project();
  const fresh = await p.reprise('plan', 'w.yaml', '--exit_code');
  expect(fresh.code).toBe(10);
  expect(fresh.out).toMatch(/\n5 to run\n$/);
  await p.run('w.yaml');
  const idle = await p.reprise('plan', 'w.yaml', '--exit-code');
  expect(idle).toMatchObject({ code: 0, out: 'nothing to do: 5 steps unchanged\n' });
  const { code, out } = await p.reprise('plan', 'w.yaml', '--param', 'least=5', '--exit-code');
  expect(code).toBe(10);
  expect(out).toMatch(/run +long +filter +with\.where .*>= 2 → .*>= 5/);
  expect(out).toMatch(/unknown +loud .*depends on long: runs unless it comes out the same/);
  expect(out).toMatch(/unknown +file .*depends on long: runs unless loud comes out the same/);
  expect(out).toMatch(/\n1 to run, 2 depend on that, 2 cached\n$/);

  // Of a changed file it says how much of it.
  const before = p.read('data.jsonl');
  p.write({ 'data.jsonl': before.replace(/.*\n.*\n/, '{"id":"other","text":"another text"}\n') });
  const data = await p.reprise('plan', 'w.yaml');
  expect(data.out).toMatch(/run +rows +load +file data\.jsonl: 1 of 21 lines changed, 1 removed\n/);
  p.write({ 'data.jsonl': before });

  // A step that has no earlier result runs, whatever comes before it.
  p.write({ 'w.yaml': `${workflow}  more: { use: dedupe, from: loud, with: { fields: [id] } }\n` });
  const more = await p.reprise('plan', 'w.yaml', '--param', 'least=5');
  expect(more.out).toMatch(/\n2 to run, 2 depend on those, 2 cached\n$/);
});

it('plans conditions behind a step that will run: by params at once, by its metrics not before it is done', async () => {
  using p = new TestProject({
    'w.yaml': `name: conditions
params: { wanted: { type: boolean, default: false }, least: { type: integer, default: 2 } }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  long: { use: filter, from: rows, with: { where: "size(row.text) >= params.least" } }
  by_param: { use: dedupe, from: long, when: params.wanted }
  behind_it: { use: dedupe, from: by_param }
  by_cached: { use: dedupe, from: long, when: "steps.rows.metrics.rows > 100" }
  by_metric: { use: dedupe, from: long, when: "steps.long.metrics.rows > 100" }
  behind: { use: dedupe, from: by_metric }
`,
    'data.jsonl': jsonl(numberedTexts(20)),
  });
  const planned = async (...args: string[]) => {
    const { out } = await p.reprise('plan', 'w.yaml', '--json', ...args);
    const { steps } = JSON.parse(out) as { steps: { id: string; state: string; reason: string }[] };
    return Object.fromEntries(steps.map(({ id, state, reason }) => [id, `${state}: ${reason}`]));
  };
  await p.run('w.yaml', '--only', 'rows');
  expect(await planned()).toEqual({
    rows: 'cached: unchanged',
    long: 'run: new',
    by_param: 'skipped: when is false: params.wanted (params.wanted = false)',
    behind_it: 'skipped: needs by_param, which is skipped',
    by_cached: 'skipped: when is false: steps.rows.metrics.rows > 100 (steps.rows.metrics.rows = 20)',
    by_metric: 'unknown: when depends on long: steps.long.metrics.rows > 100',
    behind: 'unknown: depends on long: runs unless by_metric comes out the same',
  });
  expect(await planned('--param', 'wanted=true')).toMatchObject({
    by_param: 'run: new',
    behind_it: 'run: new',
  });
});

it('forces one step, does only what a step needs, and refuses names that are not there', async () => {
  using p = project();
  const only = await p.run('w.yaml', '--only', 'unique');
  expect(only.statuses).toEqual(['rows:ran', 'unique:ran']);
  const forced = await p.run('w.yaml', '--force', 'unique');
  expect(forced.step('unique')).toMatchObject({ status: 'ran', reason: 'forced' });
  const wrong = await p.reprise('run', 'w.yaml', '--only', 'uniqe');
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain('did you mean "unique"?');
});

it('takes 7 changed and 3 deleted rows of many for 7 computations', async () => {
  const rows = numberedTexts(300);
  using p = new TestProject({
    'w.yaml': `name: vectors
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  vectors: { use: embed, from: rows, with: { model: use-multilingual-v3 } }
`,
    'data.jsonl': jsonl(rows),
  });
  expect((await p.run('w.yaml')).step('vectors')).toMatchObject({
    rows: 300,
    rows_computed: 300,
    rows_cached: 0,
  });
  const changed = rows
    .slice(3)
    .map((row, index) => (index % 40 === 0 && index < 280 ? { ...row, text: `${row.text}, changed` } : row));
  p.write({ 'data.jsonl': jsonl(changed) });
  const warm = (await p.run('w.yaml')).step('vectors');
  expect(warm).toMatchObject({ rows: 297, rows_computed: 7, rows_cached: 290 });

  using cold = new TestProject({ 'w.yaml': p.read('w.yaml'), 'data.jsonl': jsonl(changed) });
  expect((await cold.run('w.yaml')).step('vectors').outputs).toEqual(warm.outputs);
});
