/**
 * How long the command takes to start: `--version`, and the main job when all of it is cached, beside `node -e 0`.
 *
 * node bench/startup.ts [--runs 20]
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installed } from './installed.ts';
import { type Command, measure, median } from './measure.ts';

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '20' }, 'main-job': { type: 'boolean', default: true } },
  allowNegative: true,
});
const runs = Number(options.runs);
const root = join(import.meta.dirname, '..');
const workflow = 'workflows/support-topics.yaml';

/** The main job in a folder of its own: no git repository around it, no runs of the checkout. */
const project = mkdtempSync(join(tmpdir(), 'reprise-startup-'));
for (const path of ['package.json', workflow, 'use-cases/support-topics']) {
  mkdirSync(join(project, path, '..'), { recursive: true });
  cpSync(join(root, path), join(project, path), { recursive: true });
}

const node = (...args: string[]): Command => ({
  argv: [process.execPath, ...args],
  cwd: project,
  env: process.env,
});
const commands: { name: string; command: Command }[] = [
  { name: 'node -e 0', command: node('-e', '0') },
  { name: 'reprise --version', command: node(installed.program, '--version') },
  { name: 'reprise --help', command: node(installed.program, '--help') },
  { name: `reprise validate ${workflow}`, command: node(installed.program, 'validate', workflow) },
];
if (options['main-job']) {
  const command = node(installed.program, 'run', workflow);
  const first = await measure(command, { usage: true });
  process.stderr.write(
    `first run of the main job: ${first.seconds.toFixed(1)} s, ${first.rssMiB?.toFixed(0)} MiB\n`,
  );
  commands.push({ name: `reprise run ${workflow} (all cached)`, command });
}

const seconds = commands.map((): number[] => []);
for (let round = -2; round < runs; round++) {
  for (const [index, { command }] of commands.entries()) {
    const measured = await measure(command);
    if (round >= 0) seconds[index]!.push(measured.seconds); // two rounds to warm the caches of disk and compiler
  }
}
const floor = median(seconds[0]!);
const ms = (value: number) => (1000 * value).toFixed(0);
const rows = commands.map(
  ({ name }, index) =>
    `| ${name} | ${ms(median(seconds[index]!))} | ${ms(Math.min(...seconds[index]!))} | ${ms(median(seconds[index]!) - floor)} |`,
);
process.stdout.write(
  `${installed.what}; ${runs} runs, taken in turns\n\n| | median, ms | minimum, ms | above node -e 0, ms |\n|---|---|---|---|\n${rows.join('\n')}\n`,
);
rmSync(project, { recursive: true, force: true });
