import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const workflow = `name: bounded
params:
  min: { type: integer, default: 0 }
steps:
  rows:
    use: load
    with: { path: data.jsonl, text: text, id: id }
  long:
    use: filter
    from: rows
    with: { where: "size(row.text) >= \${{ params.min }}" }
`;

/** Texts that zstd cannot make small. */
function noise(count: number): { id: string; text: string }[] {
  let state = 1;
  return Array.from({ length: count }, (_, index) => {
    let text = '';
    while (text.length < 400) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      text += state.toString(36);
    }
    return { id: `r${index}`, text };
  });
}

function project(files: Record<string, string> = {}): TestProject {
  return new TestProject({ 'w.yaml': workflow, 'data.jsonl': jsonl(noise(500)), ...files });
}

async function heldBytes(p: TestProject): Promise<number> {
  return (JSON.parse((await p.reprise('cache', '--json')).out) as { bytes: number }).bytes;
}

it('a run that takes the store over its cap evicts what was used longest ago, never what it needs itself', async () => {
  // The pinned data takes 213 kB, each result some 136 kB.
  using p = project({
    'reprise.yaml': 'cache_size: 700kB\n',
    'w.yaml': workflow.replace(/where: .*/, `where: "row.id != 'r\${{ params.min }}'" }`),
  });
  const run = (min: number) => p.run('w.yaml', '--param', `min=${min}`);
  for (const min of [1, 2]) expect((await run(min)).err).not.toMatch(/evicted/);
  // A run with nothing to do makes the older result the more recent one.
  expect((await run(1)).statuses).toEqual(['rows:cached', 'long:cached']);
  const over = await run(3);
  expect(over.err).toMatch(/evicted 1 result, 13\d kB: the store was over its 700 kB/);
  expect(await heldBytes(p)).toBeLessThan(700_000);
  expect((await run(3)).statuses).toEqual(['rows:cached', 'long:cached']);
  expect((await run(1)).statuses).toEqual(['rows:cached', 'long:cached']);
  expect((await run(2)).statuses).toEqual(['rows:cached', 'long:ran']);
});

it('a run that needs more than the cap keeps its results and says so', async () => {
  using p = project({ 'reprise.yaml': 'cache_size: 100kB\n' });
  const first = await p.run('w.yaml');
  expect(first.err).toMatch(/warning the store holds 35\d kB, more than its 100 kB: runs need 349 kB of it/);
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:cached', 'long:cached']);
});

it('a hit makes a result recent, so that another goes first', async () => {
  using p = project();
  const files = { a: jsonl(noise(300)), b: jsonl(noise(310)), c: jsonl(noise(320)) };
  for (const [name, text] of Object.entries(files))
    p.write({ [`${name}.yaml`]: workflow.replace('data.jsonl', `${name}.jsonl`), [`${name}.jsonl`]: text });
  await p.run('a.yaml');
  await p.run('b.yaml');
  await p.run('a.yaml');
  await p.run('c.yaml');
  const plan = JSON.parse(
    (await p.reprise('cache', 'gc', '--dry-run', '--json', '--size', `${(await heldBytes(p)) - 1000}B`)).out,
  );
  expect(plan.removed.length).toBeGreaterThan(0);
  expect(new Set(plan.removed.map((item: { workflow: string }) => item.workflow))).toEqual(
    new Set(['b.yaml']),
  );
  const shown = (await p.reprise('cache', 'gc', '--dry-run', '--size', '1kB')).out;
  expect(shown).toMatch(/what +size +last used +workflow +why/);
  expect(shown).toMatch(
    /rows \(load\) +[\d.]+ kB +20\d\d-\d\d-\d\d \d\d:\d\d +b\.yaml +used longest ago \(0 days\); the store is larger than 1.0 kB/,
  );
  expect((await p.run('b.yaml')).statuses).toEqual(['rows:cached', 'long:cached']);
});

it('pinned runs keep their outputs until they are unpinned', async () => {
  using p = project();
  await p.run('w.yaml');
  expect((await p.reprise('cache', 'pin', 'latest')).out).toMatch(/^pinned .*: [12] output files?\n$/);
  await p.run('w.yaml', '--param', 'min=1000');
  const pinned = await p.reprise('cache', 'gc', '--size', '1B');
  expect(pinned.err).toMatch(/more than 1 B: .* is pinned by runs or in use/);
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:cached', 'long:cached']);
  expect((await p.reprise('cache')).out).toMatch(/pinned by runs, the outputs of 1 run among them/);
  expect((await p.reprise('cache', 'unpin', 'latest~2')).out).toMatch(/^unpinned/);
  await p.reprise('cache', 'gc', '--size', '1B');
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:ran', 'long:ran']);
});

it('outputs that only a run names stay while there is room', async () => {
  using p = project({ 'w.yaml': workflow.replace('    from: rows', '    from: rows\n    cache: false') });
  p.write({ 'w.yaml': p.read('w.yaml').replace('size(row.text) >=', 'size(row.id) > ') });
  await p.run('w.yaml', '--param', 'min=2');
  expect((await p.reprise('cache')).out).toMatch(/other outputs +1/);
  await p.reprise('cache', 'gc');
  expect((await p.reprise('show', 'latest', 'long', '--head', '1')).code).toBe(0);
});

it('explains why a step hits or misses', async () => {
  using p = project();
  await p.run('w.yaml');
  const hit = (await p.reprise('cache', 'explain', 'w.yaml', 'long')).out;
  expect(hit).toMatch(
    /^long \(filter\): hit, unchanged\nfiled under {2}sha256:\w{64}\nlast result {2}20.* by long of w\.yaml/,
  );
  const miss = (await p.reprise('cache', 'explain', 'w.yaml', 'long', '--param', 'min=7')).out;
  expect(miss).toMatch(/^long \(filter\): miss, with\.where/);
  expect(miss).toMatch(/\n {2}code +same\n/);
  expect(miss).toMatch(/\n {2}parameters +with\.where .*0 → .*7/);
  p.write({ 'data.jsonl': jsonl(noise(501)) });
  const first = JSON.parse((await p.reprise('cache', 'explain', 'w.yaml', 'rows', '--json')).out);
  expect(first).toMatchObject({ state: 'miss', reason: 'file data.jsonl changed' });
  expect(first.parts.filter(({ changes }: { changes: string[] }) => changes.length > 0)).toEqual([
    { part: 'files', changes: ['file data.jsonl changed'] },
  ]);
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'long')).out).toMatch(
    /^long \(filter\): open, .*rows.* out the same\nlast result/,
  );
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'long', 'r1')).err).toMatch(/input-not-known/);
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'other')).err).toMatch(/unknown-step/);
});

it('explains why a row hits or misses', async () => {
  using p = new TestProject({
    'w.yaml': `name: w
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  loud: { use: ./loud.ts, from: rows, with: { mark: '!' } }
`,
    'data.jsonl': jsonl(numberedTexts(5)),
    'loud.ts': `import { defineRowStep } from 'reprise';
export default defineRowStep({
  type: 'loud', summary: 'A mark behind a text',
  parameters: { type: 'object', additionalProperties: false, properties: { mark: { type: 'string' } } },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: '',
  fields: () => ['text'],
  async open({ parameters }) {
    return {
      identity: null, batchSize: 4, concurrency: 1,
      compute: async (batch) => batch.map(([text]) => text + parameters.mark),
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, text: value });
  },
});
`,
  });
  const explain = async (id: string) => (await p.reprise('cache', 'explain', 'w.yaml', 'loud', id)).out;
  await p.reprise('run', 'w.yaml', '--only', 'rows');
  expect(await explain('r3')).toMatch(/^row r3 of loud: miss, its value was evicted, or never came to be\n/);
  await p.run('w.yaml');
  expect(await explain('r3')).toMatch(
    /^row r3 of loud: hit, a value of these fields is filed, used 20.*\n {2}text +"text number 3 of many"\n$/,
  );
  p.write({ 'w.yaml': p.read('w.yaml').replace('!', '?') });
  expect(await explain('r3')).toMatch(
    /^row r3 of loud: miss, filed with other settings: parameters\.mark ! → \?\n/,
  );
  p.write({ 'w.yaml': p.read('w.yaml').replace('?', '!') });
  const rows = numberedTexts(6);
  rows[3]!.text = 'another text';
  p.write({ 'data.jsonl': jsonl(rows) });
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'loud', 'r3')).err).toMatch(/input-not-known/);
  await p.reprise('run', 'w.yaml', '--only', 'rows');
  expect(await explain('r4')).toMatch(/^row r4 of loud: hit/);
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'loud', 'r9')).err).toMatch(/unknown-row/);
  expect((await p.reprise('cache', 'explain', 'w.yaml', 'rows', 'r1')).err).toMatch(/not-row-wise/);
});

it('a store of a newer version, or with a damaged format file, is refused', async () => {
  using p = project();
  await p.run('w.yaml');
  const format = join(p.folder, '.reprise/objects/format');
  expect(readFileSync(format, 'utf8')).toBe('1\n');
  for (const [text, message] of [
    ['2\n', /store-too-new: the store .* has format 2; this version of reprise knows formats up to 1/],
    ['x\u0000\u0001', /store-format-damaged: .*format does not say which format the store has/],
    ['', /store-format-damaged: .*it is empty/],
  ] as const) {
    writeFileSync(format, text);
    const before = readdirSync(join(p.folder, '.reprise/objects'));
    for (const command of [['run', 'w.yaml'], ['cache'], ['cache', 'gc'], ['show', 'latest', 'rows']]) {
      const result = await p.reprise(...command);
      expect([result.code, result.err]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(readdirSync(join(p.folder, '.reprise/objects'))).toEqual(before);
  }
  writeFileSync(format, '1\n');
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:cached', 'long:cached']);
  const index = new DatabaseSync(join(p.folder, '.reprise/cache/index.sqlite'));
  index.exec('PRAGMA user_version = 99');
  index.close();
  const newer = await p.reprise('run', 'w.yaml');
  expect([newer.code, newer.err]).toEqual([
    2,
    expect.stringMatching(/store-too-new: .*index\.sqlite has format 99/),
  ]);
});

it('an index of the first version is brought to the present one', async () => {
  using p = project();
  await p.run('w.yaml');
  const index = new DatabaseSync(join(p.folder, '.reprise/cache/index.sqlite'));
  index.exec('DROP TABLE size; PRAGMA user_version = 1');
  index.close();
  expect((await p.run('w.yaml')).statuses).toEqual(['rows:cached', 'long:cached']);
  const again = new DatabaseSync(join(p.folder, '.reprise/cache/index.sqlite'), { readOnly: true });
  expect(again.prepare('SELECT stuck FROM size').all()).toEqual([{ stuck: 0 }]);
  again.close();
});
