import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll } from '../git-project.ts';
import { jsonl, numberedTexts } from '../project.ts';
import { load, ranThen, run, type Shape, stepFile, workflow } from './reproduce-shape.ts';

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

/** Runs that differ in what they do. */
export const shapesOfWork: Shape[] = [
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
    name: 'instances for each row of another step, and gathered',
    files: {
      'w.yaml': workflow(
        '  part: { use: filter, from: rows, for_each: rows.rows, with: { where: "row.id == \'${{ item.id }}\'" } }\n  all: { use: dedupe, from: part }\n',
      ),
    },
    make: (p) => ranThen(p, { 'data.jsonl': jsonl(numberedTexts(5)) }),
  },
  {
    name: 'a secret of a file that is in no record',
    files: {
      'w.yaml': workflow(
        `  told: { use: exec, from: rows, env: { TOKEN: "\${{ secrets.TOKEN }}" }, with: { run: 'test "$TOKEN" = hush-hush && cp "$REPRISE_INPUT" out.jsonl', outputs: { rows: out.jsonl } } }\n`,
      ),
      '.env': 'TOKEN=hush-hush\n',
      '.gitignore': '.reprise/\nruns/\n.env\n',
    },
    make: (p) => ranThen(p, { 'w.yaml': workflow('') }),
  },
  {
    name: 'a secret of a file that the commit has with another value',
    files: {
      'w.yaml': workflow(
        `  told: { use: exec, from: rows, env: { TOKEN: "\${{ secrets.TOKEN }}" }, with: { run: 'test "$TOKEN" = hush-hush && cp "$REPRISE_INPUT" out.jsonl', outputs: { rows: out.jsonl } } }\n`,
      ),
      '.env': 'TOKEN=of-the-commit\n',
    },
    async make(p) {
      commitAll(p.folder);
      p.write({ '.env': 'TOKEN=hush-hush\n' });
      return run(p);
    },
  },
];
