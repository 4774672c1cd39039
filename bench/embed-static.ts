/**
 * Static embeddings of more and more short texts: the whole process (`reprise run`: load, embed, write), without a row of
 * it in any cache, in seconds and MiB at most. The table is distilled from MiniLM before, which is measured by itself.
 *
 *   node bench/embed-static.ts --sizes 1000,10000,100000,1000000
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installed } from './installed.ts';
import { type Measurement, measure } from './measure.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(root, 'use-cases/support-topics/data/queries.jsonl') },
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
  },
});
const questions = readFileSync(values.data, 'utf8')
  .trim()
  .split('\n')
  .map((line) => String((JSON.parse(line) as { text: unknown }).text));
const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, '.git'));
const { program } = installed;

/** The same in each workflow: all but the first find its result in the cache. */
const distil = `name: static
steps:
  static:
    use: train
    with: { method: static_embedding, encoder: all-minilm-l6-v2 }
`;
writeFileSync(join(folder, 'static.yaml'), distil);
print('distil MiniLM', await run('static.yaml'), null);

for (const size of values.sizes.split(',').map(Number)) {
  const lines: string[] = [];
  // No text twice: each costs what a new one does.
  for (let row = 0; row < size; row++) {
    const round = Math.floor(row / questions.length);
    lines.push(JSON.stringify({ id: `${row}`, text: `${questions[row % questions.length]!} ${round}` }));
  }
  writeFileSync(join(folder, `${size}.jsonl`), `${lines.join('\n')}\n`);
  writeFileSync(
    join(folder, `${size}.yaml`),
    `${distil}  texts:
    use: load
    with: { path: ${size}.jsonl, text: text, id: id }
  vectors:
    use: embed
    from: { rows: texts, model: static }
    with: { method: static }
`,
  );
  print(`${size} texts`, await run(`${size}.yaml`), size);
}
console.log(`load at the end: ${loadavg()[0]!.toFixed(1)}`);

function run(file: string): Promise<Measurement> {
  return measure(
    { argv: [process.execPath, program, 'run', file], cwd: folder, env: process.env },
    { usage: true },
  );
}

function print(name: string, { seconds, rssMiB, cpuSeconds }: Measurement, texts: number | null): void {
  const rate = texts === null ? '' : `${Math.round(texts / seconds)} texts/s`;
  console.log(
    `${name.padEnd(18)} ${seconds.toFixed(2).padStart(8)} s ${(cpuSeconds ?? 0).toFixed(1).padStart(7)} CPU s ${(rssMiB ?? 0).toFixed(0).padStart(6)} MiB  ${rate}`,
  );
}
