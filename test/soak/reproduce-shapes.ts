import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commitAll, git } from '../git-project.ts';
import { jsonl, numberedTexts, type RunSummary, type TestProject } from '../project.ts';

/** A run of some shape, and what happened to the project afterwards. */
export interface Shape {
  name: string;
  files?: Record<string, string>;
  /** Without a repository. */
  bare?: boolean;
  /** Makes the run, and what comes after it; gives the run. */
  make(project: TestProject): Promise<RunSummary>;
  /** More flags of `reproduce`. */
  flags?: string[];
}

const data = jsonl(numberedTexts(12));
const load = '  rows: { use: load, with: { path: data.jsonl, text: text, id: id } }\n';
const workflow = (steps: string, head = '') => `name: shape\n${head}steps:\n${load}${steps}`;
const base = {
  'data.jsonl': data,
  '.gitignore': '.reprise/\nruns/\nignored/\n',
  'w.yaml': workflow('  unique: { use: dedupe, from: rows }\n'),
};

/** A step file that writes a word into each row. */
export const stepFile = (word: string, imports = '') => `${imports}import { defineStep } from 'reprise';
export default defineStep({
  type: 'mark',
  summary: 'Marks rows',
  parameters: { type: 'object', additionalProperties: false, properties: {} },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: 'mark: { use: ./steps/mark.ts, from: texts }',
  async run({ inputs, outputs }) {
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, mark: ${word} });
  },
});
`;

const failing = `import { defineRowStep, RowFailure } from 'reprise';
export default defineRowStep({
  type: 'picky',
  summary: 'Fails at some rows',
  parameters: { type: 'object', additionalProperties: false, properties: {} },
  inputs: { rows: { kind: 'table', description: 'Rows.' } },
  outputs: { rows: { kind: 'table', description: 'Rows.' } },
  example: 'picky: { use: ./steps/picky.ts, from: texts }',
  fields: () => ['text'],
  async open() {
    return {
      batchSize: 4,
      concurrency: 2,
      async compute(batch) {
        return batch.map(([text]) => (String(text).includes('3') ? new RowFailure('no threes') : String(text).length));
      },
    };
  },
  async emit({ outputs }, rows) {
    for await (const { row, value } of rows) await outputs.rows.write({ ...row, length: value });
  },
});
`;

const upper = `const { readFileSync, writeFileSync } = require('node:fs');
const word = readFileSync('prompts/word.txt', 'utf8').trim();
const rows = readFileSync(process.env.REPRISE_INPUT, 'utf8').trim().split('\\n').map(JSON.parse);
writeFileSync('out.jsonl', rows.map((row) => JSON.stringify({ ...row, text: word + row.text }) + '\\n').join(''));
`;

const run = (p: TestProject, ...args: string[]) => p.run(...(args.length > 0 ? args : ['w.yaml']));

/** Runs; then changes files and commits them, so that nothing of the run is where it was. */
async function ranThen(
  p: TestProject,
  later: Record<string, string>,
  args: string[] = [],
): Promise<RunSummary> {
  commitAll(p.folder);
  const made = await run(p, ...args);
  p.write(later);
  commitAll(p.folder, 'later');
  return made;
}

export const shapes: Shape[] = [
  { name: 'a clean commit', make: (p) => ranThen(p, {}) },
  {
    name: 'a dirty tree, cleaned since',
    async make(p) {
      commitAll(p.folder);
      p.write({
        'w.yaml': workflow('  kept: { use: filter, from: rows, with: { where: "row.id != \'r1\'" } }\n'),
      });
      const made = await run(p);
      git(p.folder, 'checkout', '-q', '.');
      return made;
    },
  },
  {
    name: 'an untracked step file, deleted since',
    async make(p) {
      commitAll(p.folder);
      p.write({
        'w.yaml': workflow('  mark: { use: ./steps/mark.ts, from: rows }\n'),
        'steps/mark.ts': stepFile("'x'"),
      });
      const made = await run(p);
      rmSync(p.path('steps'), { recursive: true });
      git(p.folder, 'checkout', '-q', '.');
      return made;
    },
  },
  {
    name: 'a staged file, before the first commit',
    async make(p) {
      git(p.folder, 'add', 'w.yaml');
      const made = await run(p);
      p.write({ 'w.yaml': workflow(''), 'data.jsonl': jsonl(numberedTexts(2)) });
      return made;
    },
  },
  {
    name: 'a matrix, gathered',
    files: {
      'w.yaml': workflow(
        '  part: { use: filter, from: rows, matrix: { digit: [1, 2] }, with: { where: "row.text.contains(\'${{ matrix.digit }}\')" } }\n  all: { use: dedupe, from: part }\n',
      ),
    },
    make: (p) => ranThen(p, { 'w.yaml': workflow('') }),
  },
  {
    name: 'an include, edited since',
    files: {
      'w.yaml': `name: shape\ninclude: ./parts/clean.yaml\nsteps:\n${load}`,
      'parts/clean.yaml': 'steps:\n  unique: { use: dedupe, from: rows }\n',
    },
    make: (p) =>
      ranThen(p, {
        'parts/clean.yaml': 'steps:\n  kept: { use: filter, from: rows, with: { where: "false" } }\n',
      }),
  },
  {
    name: 'exec with deps, the program edited since',
    files: {
      'w.yaml': workflow(
        `  up: { use: exec, from: rows, with: { run: ["${process.execPath}", tools/up.cjs], deps: [tools/up.cjs, prompts/word.txt], outputs: { rows: out.jsonl } } }\n`,
      ),
      'tools/up.cjs': upper,
      'prompts/word.txt': 'loud ',
    },
    make: (p) => ranThen(p, { 'tools/up.cjs': 'process.exit(1)' }),
  },
  {
    name: 'a prompt, edited since and not committed',
    files: {
      'w.yaml': workflow(
        `  up: { use: exec, from: rows, with: { run: ["${process.execPath}", tools/up.cjs], deps: ["{tools,prompts}/*"], outputs: { rows: out.jsonl } } }\n`,
      ),
      'tools/up.cjs': upper,
      'prompts/word.txt': 'loud ',
    },
    async make(p) {
      const made = await ranThen(p, {});
      p.write({ 'prompts/word.txt': 'quiet ', 'prompts/more.txt': 'more' });
      return made;
    },
  },
  {
    name: 'a project folder that was moved',
    async make(p) {
      p.write({ 'sub/reprise.yaml': '', 'sub/w.yaml': base['w.yaml'], 'sub/data.jsonl': data });
      commitAll(p.folder);
      const made = await runIn(p, 'sub', 'w.yaml');
      mkdirSync(p.path('elsewhere'));
      renameSync(p.path('sub'), p.path('elsewhere/project'));
      p.write({ 'elsewhere/project/data.jsonl': '' });
      return { ...made, at: 'elsewhere/project' } as RunSummary;
    },
  },
  {
    name: 'a workflow file that was deleted',
    async make(p) {
      const made = await ranThen(p, {});
      rmSync(p.path('w.yaml'));
      commitAll(p.folder, 'without');
      return made;
    },
  },
  { name: 'data changed since', make: (p) => ranThen(p, { 'data.jsonl': jsonl(numberedTexts(5)) }) },
  {
    name: 'params, their defaults changed since',
    files: {
      'w.yaml': workflow(
        '  kept: { use: filter, from: rows, with: { where: "row.id != \'${{ params.id }}\' && ${{ params.on }}" } }\n',
        'params:\n  id: { type: string, default: r0 }\n  on: { type: boolean, default: true }\n',
      ),
    },
    make: (p) =>
      ranThen(
        p,
        {
          'w.yaml': workflow(
            '  kept: { use: filter, from: rows, with: { where: "row.id != \'${{ params.id }}\'" } }\n',
            'params:\n  id: { type: string, default: r9 }\n',
          ),
        },
        ['w.yaml', '--param', 'id=r5'],
      ),
  },
  {
    name: 'a seed, changed since, with vectors and clusters',
    files: {
      'w.yaml': workflow(
        '  vectors: { use: embed, from: rows }\n  topics: { use: cluster, from: { rows: rows, vectors: vectors }, with: { k: 3 } }\n  names: { use: summarize, from: topics }\n  page: { use: report, from: { topics: topics, names: names } }\n',
        'seed: 7\n',
      ),
    },
    async make(p) {
      const made = await ranThen(p, {});
      p.write({ 'w.yaml': p.read('w.yaml').replace('seed: 7', 'seed: 8') });
      return made;
    },
  },
  {
    name: 'steps skipped by a condition',
    files: {
      'w.yaml': workflow(
        '  off: { use: dedupe, from: rows, when: "params.on" }\n  behind: { use: dedupe, from: off }\n  kept: { use: filter, from: rows, when: "steps.rows.metrics.rows > 3", with: { where: "true" } }\n',
        'params:\n  on: { type: boolean, default: false }\n',
      ),
    },
    make: (p) => ranThen(p, {}),
  },
  {
    name: 'rows that failed',
    files: {
      'w.yaml': workflow('  picky: { use: ./steps/picky.ts, from: rows, max_row_failures: 3 }\n'),
      'steps/picky.ts': failing,
    },
    make: (p) => ranThen(p, { 'steps/picky.ts': '' }),
  },
  {
    name: 'a step that failed',
    files: {
      'w.yaml': workflow(
        '  broken: { use: exec, from: rows, with: { run: "echo the reason >&2; exit 3", outputs: { rows: out.jsonl } } }\n  behind: { use: dedupe, from: broken }\n  beside: { use: dedupe, from: rows }\n',
      ),
    },
    make: (p) => ranThen(p, {}, ['w.yaml', '--keep-going']),
  },
  {
    name: 'modules that a step file imports, edited since',
    files: {
      'w.yaml': workflow('  mark: { use: ./steps/mark.ts, from: rows }\n'),
      'steps/mark.ts': stepFile(
        'word(data.n)',
        "import { word } from './lib/word.ts';\nimport data from './lib/data.json' with { type: 'json' };\n",
      ),
      'steps/lib/word.ts': 'export const word = (n: number) => "w".repeat(n);\n',
      'steps/lib/data.json': '{ "n": 3 }',
    },
    make: (p) =>
      ranThen(p, {
        'steps/lib/word.ts': 'export const word = () => "other";\n',
        'steps/lib/data.json': '{ "n": 4 }',
      }),
  },
  {
    name: 'a subfolder of a bigger repository, with files of its neighbours',
    async make(p) {
      p.write({
        'jobs/topics/reprise.yaml': '',
        'jobs/topics/w.yaml':
          'name: shape\ninclude: ../shared/clean.yaml\nsteps:\n  rows: { use: load, with: { path: ../../data.jsonl, text: text, id: id } }\n  mark: { use: ./mark.ts, from: rows }\n',
        'jobs/shared/clean.yaml': 'steps:\n  unique: { use: dedupe, from: rows }\n',
        'jobs/shared/word.ts': "export const word = 'shared';\n",
        'jobs/topics/mark.ts': stepFile('word', "import { word } from '../shared/word.ts';\n"),
      });
      commitAll(p.folder);
      p.write({ 'jobs/shared/word.ts': "export const word = 'not committed';\n" });
      const made = await runIn(p, 'jobs/topics', 'w.yaml');
      rmSync(p.path('jobs/shared'), { recursive: true });
      p.write({ 'data.jsonl': '' });
      commitAll(p.folder, 'later');
      return { ...made, at: 'jobs/topics' } as RunSummary;
    },
  },
  {
    name: 'a detached HEAD whose commit no branch has',
    async make(p) {
      commitAll(p.folder);
      git(p.folder, 'checkout', '-q', '--detach');
      p.write({ 'w.yaml': workflow('  again: { use: dedupe, from: rows }\n') });
      commitAll(p.folder, 'loose');
      const made = await run(p);
      git(p.folder, 'checkout', '-q', 'main');
      return made;
    },
  },
  {
    name: 'a branch that was renamed and went on',
    async make(p) {
      const made = await ranThen(p, { 'w.yaml': workflow('') });
      git(p.folder, 'branch', '-m', 'main', 'trunk');
      return made;
    },
  },
  {
    name: 'no repository',
    bare: true,
    files: {
      'w.yaml': workflow('  mark: { use: ./steps/mark.ts, from: rows }\n'),
      'steps/mark.ts': stepFile("'x'"),
    },
    async make(p) {
      const made = await run(p);
      for (const name of ['w.yaml', 'data.jsonl', 'steps']) rmSync(p.path(name), { recursive: true });
      return made;
    },
  },
  {
    name: 'a data file that git ignores, deleted since',
    files: { 'w.yaml': workflow('').replace('data.jsonl', 'ignored/data.jsonl'), 'ignored/data.jsonl': data },
    async make(p) {
      const made = await ranThen(p, {});
      rmSync(p.path('ignored'), { recursive: true });
      return made;
    },
  },
  {
    name: 'data by an absolute path, in the file and as a param, both gone since',
    async make(p) {
      const outside = `${p.folder}-outside`;
      mkdirSync(outside);
      cpSync(p.path('data.jsonl'), join(outside, 'a.jsonl'));
      cpSync(p.path('data.jsonl'), join(outside, 'b.jsonl'));
      p.write({
        'w.yaml': `name: shape\nparams:\n  path: { type: string }\nsteps:\n  a: { use: load, with: { path: ${outside}/a.jsonl, text: text, id: id } }\n  b: { use: load, with: { path: "\${{ params.path }}", text: text, id: id } }\n`,
      });
      const made = await run(p, 'w.yaml', '--param', `path=${outside}/b.jsonl`);
      rmSync(outside, { recursive: true });
      return made;
    },
  },
  {
    name: 'a param with a path of the folder of the call',
    async make(p) {
      p.write({
        'deep/w.yaml':
          'name: shape\nparams:\n  path: { type: string }\nsteps:\n  rows: { use: load, with: { path: "${{ params.path }}", text: text, id: id } }\n',
        'deep/er/own.jsonl': data,
      });
      commitAll(p.folder);
      const made = await runIn(p, 'deep/er', '../w.yaml', '--param', 'path=./own.jsonl');
      p.write({ 'deep/er/own.jsonl': '' });
      return made;
    },
  },
  {
    name: 'a run with everything from the cache, which was deleted since, outputs and all',
    async make(p) {
      commitAll(p.folder);
      await run(p);
      const made = await run(p);
      if (made.statuses.some((status) => !status.endsWith(':cached'))) throw new Error('it is not cached');
      const record = JSON.parse(p.read(`runs/${made.run}/run.json`)) as { pins: string[] };
      rmSync(p.path('.reprise/cache'), { recursive: true });
      await p.reprise('cache', 'gc', '--size', '1B');
      if (record.pins.length === 0) throw new Error('nothing is pinned');
      return made;
    },
  },
  {
    name: 'steps of an earlier run, of which another is the latest by now',
    async make(p) {
      await run(p);
      p.write({
        'v.yaml':
          'name: next\nsteps:\n  again: { use: filter, from: "run:latest/unique", with: { where: "true" } }\n',
      });
      const made = await run(p, 'v.yaml');
      p.write({ 'data.jsonl': jsonl(numberedTexts(3)) });
      await run(p);
      return made;
    },
  },
  {
    name: 'an encoder of the project that git does not have',
    files: {
      'w.yaml': workflow('  vectors: { use: embed, from: rows, with: { model: ignored/tiny } }\n'),
    },
    make(p) {
      cpSync(join(import.meta.dirname, '../fixtures/encoders/tiny'), p.path('ignored/tiny'), {
        recursive: true,
      });
      return ranThen(p, {});
    },
  },
  {
    name: 'a profile, changed since',
    files: {
      'w.yaml': workflow(
        '  kept: { use: filter, from: rows, with: { where: "row.id != \'${{ params.id }}\'" } }\n',
        'params:\n  id: { type: string, default: r0 }\nprofiles:\n  other: { params: { id: r3 } }\n',
      ),
    },
    make: (p) => ranThen(p, { 'w.yaml': workflow('') }, ['w.yaml', '--profile', 'other']),
  },
  {
    name: 'data behind a link, and a file that a step puts somewhere',
    async make(p) {
      const outside = `${p.folder}-outside`;
      mkdirSync(outside);
      cpSync(p.path('data.jsonl'), join(outside, 'data.jsonl'));
      symlinkSync(outside, p.path('linked'));
      p.write({
        'w.yaml': `${workflow('  file: { use: export, from: rows, with: { path: out/rows.csv } }\n').replace('data.jsonl', 'linked/data.jsonl')}`,
      });
      commitAll(p.folder);
      const made = await run(p);
      p.write({ 'out/rows.csv': 'mine', 'linked/data.jsonl': 'changed' });
      return { ...made, outside } as RunSummary;
    },
  },
  {
    name: 'a work tree of git that stands beside the repository',
    async make(p) {
      commitAll(p.folder);
      const beside = `${p.folder}-outside`;
      git(p.folder, 'worktree', 'add', '-q', beside);
      const made = await runIn(p, beside, 'w.yaml');
      p.write({ [`../${beside.split('/').at(-1)}/data.jsonl`]: '' });
      return { ...made, at: beside } as RunSummary;
    },
  },
];

/** Runs in another folder than the project's. */
async function runIn(p: TestProject, folder: string, ...args: string[]): Promise<RunSummary> {
  const out = execFileSync(
    process.execPath,
    [join(dirname(import.meta.dirname), '../bin/reprise.mjs'), 'run', ...args, '--json'],
    {
      cwd: join(folder.startsWith('/') ? '' : p.folder, folder),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return JSON.parse(out) as RunSummary;
}

export const shapeFiles = base;
