import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commitAll, git, snapshot } from '../git-project.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';
import { temporaryFolder } from '../temporary.ts';

const mark = `import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { defineStep } from 'reprise';
import { word } from './word.ts';
export default defineStep({
  type: 'mark',
  summary: 'Marks rows',
  parameters: { type: 'object', additionalProperties: false, properties: {} },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: 'mark: { use: ./steps/mark.ts, from: texts }',
  async run({ inputs, outputs }) {
    // Code of a user's own writes where it likes.
    writeFileSync('left.txt', word);
    if (existsSync('node_modules')) mkdirSync('node_modules/.cache', { recursive: true });
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, mark: word + (process.env['NOISE'] ?? '') });
  },
});
`;

const files = {
  '.gitignore': '.reprise/\nruns/\nnode_modules/\n*.tgz\nleft.txt\n',
  'data.jsonl': jsonl(numberedTexts(10)),
  'steps/word.ts': "export const word = 'x';\n",
  'w.yaml': `name: again
params:
  skip: { type: string, default: r0 }
steps:
  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }
  kept: { use: filter, from: rows, with: { where: "row.id != '\${{ params.skip }}'" } }
  mark: { use: ./steps/mark.ts, from: kept }
`,
};

it('does a run again from its id, whatever became of its files, and touches none of them', async () => {
  using p = new TestProject(files);
  git(p.folder, 'init', '-q');
  commitAll(p.folder);
  p.write({ 'steps/mark.ts': mark, 'node_modules/some/package.json': '{}' });
  const { run } = await p.run('w.yaml', '--param', 'skip=r3');
  for (const written of ['left.txt', 'node_modules/.cache']) rmSync(p.path(written), { recursive: true });
  p.write({ 'data.jsonl': '', 'w.yaml': 'name: another', 'steps/mark.ts': 'no longer' });
  const before = snapshot(p.folder);

  const { code, out, err } = await p.reprise('reproduce', run);
  expect(code, err).toBe(0);
  expect(err).toMatch(
    /restored commit [0-9a-f]{12}, 1 file that the commit does not have\nenvironment as recorded\n/,
  );
  expect(out.replace(/· .*\n$/, '· …\n')).toBe(
    `  identical         rows  10 rows
  identical         kept  9 rows
  identical         mark  9 rows
identical: 3 of 3 steps, 28 of 28 rows came out the same · …
`,
  );
  expect(snapshot(p.folder)).toEqual(before);
});

it('says what differs, where first and why, and ends with exit code 3', async () => {
  using p = new TestProject({ ...files, 'steps/mark.ts': mark });
  const { run } = await p.run('w.yaml');
  const { code, out } = await p.start(['reproduce', run, '--examples', '1'], { NOISE: '!' }).ended;
  expect(code).toBe(3);
  expect(out.replace(/· .*\n/, '· …\n')).toBe(
    `  identical         rows  10 rows
  identical         kept  9 rows
  different         mark  rows: 9 of 9 rows different
    rows: 9 rows changed
      changed: mark in 9
      ~ r1: mark x → x!
different: 2 of 3 steps, 19 of 28 rows came out the same · …
the first step that differs is mark
  because nothing that is in the record differs: it depends on something else (the time, the network, a program, a file that it does not name), or is not deterministic
`,
  );
  const json = await p.start(['reproduce', run, '--json'], { NOISE: '!' }).ended;
  expect(json.code).toBe(3);
  expect(Object.keys(JSON.parse(json.out) as object)).toEqual([
    'run',
    'workflow',
    'engine',
    'interrupted',
    'restored',
    'environment',
    'verdict',
    'steps',
    'first_difference',
    'score',
    'drift',
    'duration_ms',
  ]);
});

it('says what is gone before anything runs, with exit code 2', async () => {
  using p = new TestProject({ ...files, 'steps/mark.ts': mark });
  const { run } = await p.run('w.yaml');
  rmSync(p.path('.reprise'), { recursive: true });
  rmSync(p.path('data.jsonl'));
  const { code, err } = await p.reprise('reproduce', run);
  expect(code).toBe(2);
  expect(err).toContain(
    `cannot be done again without data.jsonl: its bytes are not in the store any more, and the file is gone (needed by rows)`,
  );
  expect(err).not.toContain('→ rows');
});

it('does without a repository that git cannot read any more, and says so', async () => {
  using p = new TestProject({ ...files, 'steps/mark.ts': mark });
  git(p.folder, 'init', '-q');
  commitAll(p.folder);
  const { run } = await p.run('w.yaml');
  rmSync(p.path('.git'), { recursive: true });
  p.write({ '.git': 'gitdir: /nowhere\n' });
  const { code, err } = await p.reprise('reproduce', run);
  expect(code, err).toBe(0);
  expect(err).toContain('note git cannot read the repository here: not a git repository: /nowhere\n');
});

it('packs a run, and takes it in where nothing else of it is: it comes out the same there', async () => {
  const pack = join(temporaryFolder(), 'run.tgz');
  let run: string;
  {
    using p = new TestProject({
      ...files,
      'steps/mark.ts': mark,
      'w.yaml': `${files['w.yaml']}  old: { use: dedupe, from: "run:latest/rows" }\n  vectors: { use: embed, from: mark, with: { model: small } }\nmodels:\n  small: { provider: local, path: models/tiny }\n`,
      'first.yaml': `name: first\nsteps:\n  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n`,
    });
    git(p.folder, 'init', '-q');
    cpSync(join(import.meta.dirname, '../fixtures/encoders/tiny'), p.path('models/tiny'), {
      recursive: true,
    });
    commitAll(p.folder);
    p.write({ 'steps/word.ts': "export const word = 'not committed';\n" });
    await p.run('first.yaml');
    const made = await p.run('w.yaml');
    expect(made.status, made.err).toBe('succeeded');
    run = made.run;
    const refused = await p.reprise('runs', 'export', run, '-o', 'none/run.tgz');
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/cannot-write: .*run\.tgz cannot be written \(ENOENT\)\n.*-o/);
    const { code, err } = await p.reprise('runs', 'export', run, '-o', pack, '--with-outputs');
    expect(code, err).toBe(0);
    expect(err).toMatch(
      /: \d+ files, .* before compression\n {2}record .*\n {2}data .*\n {2}outputs .*\n {2}models .*\n/,
    );
    const again = await p.reprise('runs', 'export', run, '-o', pack);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/file-exists: .*there already.*\n.*--force/);
    const light = JSON.parse(
      (await p.reprise('runs', 'export', run, '-o', 'b.tgz', '--without-models', '--json')).out,
    ) as {
      bytes: number;
      sizes: object;
    };
    expect(light.sizes).toMatchObject({ outputs: 0, models: 0 });
    expect(light.bytes).toBeLessThan(statSync(pack).size);
  }
  using q = new TestProject({});
  mkdirSync(q.path('home'));
  const home = { HOME: q.path('home') };
  const taken = await q.start(['runs', 'import', pack, '--json'], home).ended;
  expect(taken.code, taken.err).toBe(0);
  expect(taken.err).toBe('');
  expect(JSON.parse(taken.out)).toMatchObject({ run });
  expect(readdirSync(q.path('runs'))).toHaveLength(2);
  const { code, out, err } = await q.start(['reproduce', run, '--json'], home).ended;
  expect(code, `${err}\n${out}`).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ verdict: 'identical', score: { steps: { same: 5, of: 5 } } });
  expect(err).toMatch(/note the commit [0-9a-f]{12} is not in a repository here/);
  expect((await q.reprise('runs', 'import', pack)).out).toContain('was here already');
  expect((await q.reprise('runs', 'import', 'none.tgz')).err).toContain('file-not-readable');
});
