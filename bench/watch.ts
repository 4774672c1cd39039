/**
 * How soon `reprise watch` works on what was saved: from just before a file is written to the moment in which a reader of
 * its events hears that the first step has started, on a workflow of 100 steps. And how long Ctrl-C takes.
 *
 * node bench/watch.ts [--runs 20]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { installed } from './installed.ts';
import { median } from './measure.ts';

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '20' } } });
const runs = Number(options.runs);
/** Half of them read a file each, the other half filter what these read. */
const steps = 100;
/** Watch starts no two attempts within a second: a person who saves less often never waits for that. */
const apartMs = 1500;

const project = mkdtempSync(join(tmpdir(), 'reprise-watch-'));
const save = (name: string, text: string) => writeFileSync(join(project, name), text);
const data = (saves: number) =>
  Array.from({ length: 100 + saves }, (_, row) => `{"id":"r${row}","text":"text number ${row}"}\n`).join('');
const workflow = (saves: number) =>
  Array.from({ length: steps / 2 }, (_, index) => {
    const least = index === 7 ? saves : 0;
    return `  l${index}: { use: load, with: { path: data/${index}.jsonl, text: text, id: id } }
  f${index}: { use: filter, from: l${index}, with: { where: "size(row.text) > ${least}" } }\n`;
  }).join('');
const yaml = (saves: number) => `name: hundred\nsteps:\n${workflow(saves)}`;
mkdirSync(join(project, 'data'));
save('reprise.yaml', '');
for (let index = 0; index < steps / 2; index++) save(`data/${index}.jsonl`, data(0));
save('flow.yaml', yaml(0));

const child = spawn(process.execPath, [installed.program, 'watch', 'flow.yaml', '--json'], {
  cwd: project,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

/** Resolves when the next event of a type has come. */
async function next(type: string): Promise<void> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the watch ended before ${type}`);
    if ((JSON.parse(value) as { type: string }).type === type) return;
  }
}

const changes: Record<string, (saves: number) => void> = {
  'a data file of one step': (saves) => save('data/7.jsonl', data(saves)),
  'a parameter of one step in the YAML': (saves) => save('flow.yaml', yaml(saves)),
};
const rows: string[] = [];
await next('attempt-ended');
for (const [name, change] of Object.entries(changes)) {
  const milliseconds: number[] = [];
  for (let round = -2; round < runs; round++) {
    await setTimeout(apartMs);
    const begun = performance.now();
    change(round + 3);
    await next('step-started');
    // Two rounds to warm the caches of disk and compiler.
    if (round >= 0) milliseconds.push(performance.now() - begun);
    await next('attempt-ended');
  }
  const sorted = milliseconds.toSorted((a, b) => a - b);
  rows.push(
    `| ${name} | ${median(sorted).toFixed(0)} | ${sorted[0]!.toFixed(0)} | ${sorted.at(-1)!.toFixed(0)} |`,
  );
}
const begun = performance.now();
child.kill('SIGINT');
await new Promise((resolve) => child.once('exit', resolve));
process.stdout.write(
  `${installed.what}; ${steps} steps, ${runs} saves each\n\n| saved | median, ms | minimum | maximum |\n|---|---|---|---|\n${rows.join('\n')}\n\nCtrl-C: ${(performance.now() - begun).toFixed(0)} ms\n`,
);
rmSync(project, { recursive: true, force: true });
