import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: small
params:
  least: { type: integer, default: 0 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  unique: { use: dedupe, from: rows, with: { method: normalized } }
  some: { use: filter, from: unique, with: { where: "row.n >= \${{ params.least }}" } }
  per: { use: filter, from: some, matrix: { part: [0, 1] }, with: { where: "row.n % 2 == \${{ matrix.part }}" } }
  all: { use: filter, from: per, with: { where: "true" } }
  vectors: { use: embed, from: unique, with: { method: lexical, dimensions: 2 } }
  topics: { use: cluster, from: { rows: unique, vectors: vectors }, with: { k: 2 } }
  names: { use: summarize, from: topics }
`;
const later = `name: later
steps:
  kept: { use: filter, from: run:baseline/some, with: { where: "row.n < 10" } }
`;

async function ok(p: TestProject, ...args: string[]): Promise<string> {
  const { code, out, err } = await p.reprise(...args);
  expect(code, `reprise ${args.join(' ')}\n${out}${err}`).toBe(0);
  return out;
}

it('finds, names, compares and traces runs', async () => {
  const rows = numberedTexts(12).map((row, n) => ({ ...row, n }));
  using p = new TestProject({
    'w.yaml': workflow,
    'later.yaml': later,
    'data.jsonl': jsonl([...rows, { id: 'again', text: 'Text number 3 of many', n: 99 }]),
  });
  const { run: first } = await p.run('w.yaml');
  expect(await ok(p, 'runs', 'tag', 'latest', 'baseline')).toBe(`baseline is ${first}\n`);
  await ok(p, 'runs', 'note', 'baseline', 'before the change');
  p.write({
    'data.jsonl': jsonl([...rows.slice(1), { id: 'r12', text: 'something new', n: 12 }]),
    'w.yaml': workflow.replace('use: filter, from: unique', 'use: filter, description: x, from: unique'),
  });
  const { run: second } = await p.run('w.yaml', '--param', 'least=2');

  // list
  const listed = JSON.parse(
    await ok(p, 'runs', 'list', '--param', 'least', '--metric', 'some.left_out>0', '--since', '1d', '--json'),
  );
  expect(listed.runs).toMatchObject([
    { id: second, tags: [], params: { least: 2 }, metrics: { 'some.left_out': 1 } },
  ]);
  const table = await ok(p, 'runs', 'list', '--sort', 'some.left_out', '--reverse', '--tag', 'baseline');
  expect(table).toMatch(/^run +status +started +took +some\.left_out +steps\n/);
  expect(table).toMatch(new RegExp(`\n${first} .* baseline\n$`));

  // show
  const page = await ok(p, 'runs', 'show', 'baseline');
  expect(page).toContain(`${first} baseline\n`);
  expect(page).toMatch(/notes\n.* before the change\n/);
  expect(page).toMatch(/read\n {2}data\.jsonl .* sha256:/);
  expect(page).toContain(`reprise show ${first} rows\n`);
  expect(JSON.parse(await ok(p, 'runs', 'show', first, '--json'))).toMatchObject({
    id: first,
    tags: ['baseline'],
    notes: [{ text: 'before the change' }],
  });

  // diff
  const text = await ok(p, 'runs', 'diff', 'baseline');
  expect(text).toMatch(/params\n {2}least +0 → 2\n/);
  expect(text).toMatch(/- +some: \{ use: filter, from/);
  expect(text).toMatch(/data\.jsonl +changed +\d+ B \w+… → \d+ B \w+…\n/);
  expect(text).toMatch(/ {4}rows: 1 row added, 2 removed, 11 same\n.*\+ r12: .*\n.*- r0: .*\n.*- again: /);
  expect(text).toMatch(/vectors: .*max \|Δ\| .*cosine/);
  const diff = JSON.parse(await ok(p, 'runs', 'diff', 'baseline', second, '--json'));
  const some = diff.steps.find(({ id }: { id: string }) => id === 'some');
  expect(some.outputs[0]).toMatchObject({
    name: 'rows',
    kind: 'table',
    difference: { added: 1, removed: 2, changed: 0, same: 10, examples: { added: [{ id: 'r12' }] } },
  });
  expect(diff.times).toHaveLength(9);

  // lineage
  const traced = await ok(p, 'lineage', 'baseline', 'all', 'r3@part=1');
  expect(traced).toMatch(/per\[part=1\]\.rows .*\n.*row r3 +by one of a matrix\n/);
  expect(traced).not.toContain('per[part=0]');
  expect(traced).toMatch(/rows\.rows .*\n.*rows r3, again +by same id, dup_of\n.*data\.jsonl {2}file/);
  const { upstream, downstream } = JSON.parse(await ok(p, 'lineage', first, 'rows', 'r3', '--json'));
  expect(upstream).toMatchObject({ step: 'rows', ids: { count: 1 }, files: [{ path: 'data.jsonl' }] });
  const to = Object.fromEntries(downstream.map((step: { step: string }) => [step.step, step]));
  expect(to['all'].outputs[0].ids.first).toEqual(['r3@part=1']);
  expect(to['names'].outputs[0].ids.count).toBe(1);
  const events = (await ok(p, 'lineage', 'baseline', '--openlineage')).trim().split('\n');
  expect(events).toHaveLength(10);
  expect(JSON.parse(events.at(-1)!)).toMatchObject({ eventType: 'COMPLETE', job: { name: 'small' } });

  // A tag in an address, and the run that it led to.
  await p.run('later.yaml');
  expect(await ok(p, 'lineage', 'latest', 'kept', 'r3')).toMatch(
    new RegExp(`run:${first}/some\\.rows .*\n.*row r3 +by same id`),
  );
  expect(await ok(p, 'lineage', 'baseline', 'some')).toMatch(/other runs\n.* read by kept\n$/);

  // Tags move and go; what is gone from the store is said.
  expect(await ok(p, 'runs', 'tag', second, 'baseline')).toBe(`baseline is ${second}; it was ${first}\n`);
  expect(await ok(p, 'runs', 'tag', '--delete', 'baseline')).toBe(`baseline was ${second}\n`);
  const gone = await p.reprise('runs', 'show', 'baseline');
  expect(gone).toMatchObject({ code: 2, err: expect.stringContaining('unknown-run') });
  rmSync(p.path('.reprise/objects'), { recursive: true });
  expect(await ok(p, 'runs', 'diff', first, second)).toContain(
    'rows changed: what one of the runs made is not in the store any more',
  );
  expect(await ok(p, 'runs', 'show', first)).toContain('not in the store any more');
  expect(await ok(p, 'lineage', first, 'all')).toContain('data.jsonl  file');
});
