/**
 * `reprise query` beside DuckDB's own Python package: filter and group over a table of a run, from the start of the process to
 * its end. Ours reads the table from the store and finds its types; Python reads the same rows from a JSON Lines file.
 *
 *   python3 -m venv bench/.work/peers/python
 *   bench/.work/peers/python/bin/pip install duckdb
 *   node bench/query.ts --rows 1000000 --rounds 5
 *
 * The sides take turns. Without the Python package only our half runs.
 */
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, type Measurement, measure, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: join(import.meta.dirname, '.work/peers/python/bin/python') },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
const file = join(folder, 'rows.jsonl');
writeRows(file, Number(values.rows));
writeFileSync(join(folder, 'reprise.yaml'), '');
writeFileSync(
  join(folder, 'w.yaml'),
  'name: w\nsteps:\n  rows: { use: load, with: { path: rows.jsonl, id: id } }\n',
);

const reprise = [process.execPath, join(import.meta.dirname, '../bin/reprise.mjs')];
const command = (argv: readonly string[]): Command => ({ argv, cwd: folder, env: process.env });
const sql = (table: string) =>
  `SELECT label, count(*) AS n, avg(score) AS score FROM ${table} WHERE score > 0.5 GROUP BY label ORDER BY label`;
await measure(command([...reprise, 'run', 'w.yaml']));
const sides = new Map<string, Command>([
  ['reprise query', command([...reprise, 'query', 'latest', sql('rows')])],
]);
const script = `import duckdb; print(duckdb.sql("""${sql(`read_json_auto('${file}')`)}""").fetchall())`;
if (existsSync(values.python)) sides.set('duckdb (Python)', command([values.python, '-c', script]));

const results = new Map<string, Measurement[]>();
for (let round = 0; round < Number(values.rounds); round++)
  for (const [name, side] of sides)
    results.set(name, [...(results.get(name) ?? []), await measure(side, { usage: true })]);
rmSync(folder, { recursive: true });
console.log(`filter and group over ${Number(values.rows).toLocaleString('en')} rows, cold`);
console.log('                   seconds: median   least    most   CPU seconds     MiB');
for (const [name, measured] of results) {
  const seconds = measured.map((each) => each.seconds);
  const figures = [median(seconds), Math.min(...seconds), Math.max(...seconds)];
  const cpu = median(measured.map(({ cpuSeconds }) => cpuSeconds ?? Number.NaN));
  const memory = Math.max(...measured.map(({ rssMiB }) => rssMiB ?? Number.NaN));
  console.log(
    `${name.padEnd(26)}${figures.map((value) => value.toFixed(2).padStart(8)).join('')}${cpu.toFixed(2).padStart(14)}${memory.toFixed(0).padStart(8)}`,
  );
}

function writeRows(path: string, rows: number): void {
  const out = openSync(path, 'w');
  let text = '';
  for (let row = 0; row < rows; row++) {
    const words = `how do I activate my card number ${(row * 7919) % 100_003} please`;
    text += `${JSON.stringify({ id: `q${row}`, text: words, label: `label_${(row * 31) % 77}`, score: ((row * 97) % 1000) / 1000, n: row % 50 })}\n`;
    if (text.length < 2 ** 20 && row < rows - 1) continue;
    writeSync(out, text);
    text = '';
  }
}
