/**
 * Counts, from outside of the process, the files that a run with nothing to do opens, and fails if one of them is an input: an
 * input whose size and times are as they were is not read again. Needs strace (Linux).
 *
 * node bench/no-op-opens.ts [--list]
 */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installed } from './installed.ts';
import { versionOf } from './version.ts';

const { values: options } = parseArgs({ options: { list: { type: 'boolean', default: false } } });

if ((await versionOf('strace', ['-V'])) === null) {
  process.stderr.write('strace is not installed\n');
  process.exit(2);
}
const project = mkdtempSync(join(tmpdir(), 'reprise-opens-'));
mkdirSync(join(project, 'data'));
const inputs = ['data/rows.jsonl', 'data/words.txt', 'step.ts', 'words.ts'];
const texts: Record<string, string> = {
  'package.json': '{ "private": true, "type": "module" }',
  'data/rows.jsonl': '{"id":"a","text":"one"}\n{"id":"b","text":"two"}\n{"id":"c","text":"Two"}\n',
  'data/words.txt': 'some words\n',
  'words.ts': 'export const count = (text: string): number => text.split(/\\s+/).length;\n',
  'step.ts': `import { defineStep } from 'reprise';
import { count } from './words.ts';

export default defineStep({
  type: 'count',
  summary: 'Counts words',
  parameters: { type: 'object', additionalProperties: false, properties: {} },
  inputs: { rows: { kind: 'table', description: 'Texts.' } },
  outputs: { rows: { kind: 'table', description: 'Texts with their number of words.' } },
  example: '',
  async run({ inputs, outputs }) {
    for await (const row of inputs.rows.read()) await outputs.rows.write({ ...row, words: count(String(row['text'])) });
  },
});
`,
  'pipeline.yaml': `name: opens
steps:
  rows: { use: load, with: { path: data/rows.jsonl, id: id, text: text } }
  unique: { use: dedupe, from: rows, with: { method: normalized } }
  counted: { use: ./step.ts, from: unique }
  words: { use: exec, from: counted, with: { run: "cat data/words.txt > out.txt", deps: [data/words.txt], outputs: { text: out.txt } } }
  gate: { use: assert, from: unique, with: { that: "rows == 2" } }
`,
};
const lastHour = Date.now() / 1000 - 3600;
for (const [path, text] of Object.entries(texts)) {
  writeFileSync(join(project, path), text);
  // Files that were written a moment ago may be written again without a trace, so they are read once more.
  utimesSync(join(project, path), lastHour, lastHour);
}

const run = [installed.program, 'run', 'pipeline.yaml'];
const quiet: ExecFileSyncOptions = { cwd: project, stdio: ['ignore', 'ignore', 'pipe'] };
execFileSync(process.execPath, run, quiet);
execFileSync(process.execPath, run, quiet); // notes the times of files that were too new to be trusted at first

const trace = join(project, 'trace');
const calls = 'trace=open,openat,openat2';
execFileSync('strace', ['-f', '-qq', '-e', calls, '-o', trace, process.execPath, ...run], quiet);
const opened = readFileSync(trace, 'utf8')
  .split('\n')
  .filter((line) => !line.includes('O_DIRECTORY') && !/= -1 E/.test(line))
  .map((line) => /"((?:[^"\\]|\\.)*)"/.exec(line)?.[1])
  .filter((path) => path !== undefined);
const inProject = opened.filter((path) => !path.startsWith('/') || path.startsWith(project));
const openedInputs = inputs.filter((input) =>
  opened.some((path) => path === input || path === join(project, input)),
);

process.stdout.write(
  `files opened: ${opened.length}, of them in the project: ${inProject.length}, inputs: ${openedInputs.length} of ${inputs.length}\n`,
);
if (options.list) process.stdout.write(`${opened.join('\n')}\n`);
else process.stdout.write(`${inProject.map((path) => `  ${path.replace(`${project}/`, '')}`).join('\n')}\n`);
rmSync(project, { recursive: true, force: true });
if (openedInputs.length > 0) {
  process.stderr.write(`a run with nothing to do opened its inputs: ${openedInputs.join(', ')}\n`);
  process.exitCode = 1;
}
