import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const launcher = resolve(import.meta.dirname, '..', '..', 'bin', 'reprise.mjs');
const count = 1_000_000;
/** Every thousandth line is cut. */
const cut = count / 1000;

/** Writes the process's peak memory in MB to the file in `PEAK_FILE` when it ends. */
const watch = `data:text/javascript,${encodeURIComponent(`
  import { writeFileSync } from 'node:fs';
  process.on('exit', () => writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS / 1024)));
`)}`;

describe('a million rows through load, filter and export', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'reprise-million-'));
    const lines = (function* () {
      for (let n = 0; n < count; n++) {
        const line = JSON.stringify({
          id: `row-${n}`,
          text: `A question number ${n} about cards — ${(n * 7919) % 1000}`,
          n,
        });
        yield n % 1000 === 7 ? `${line.slice(0, -5)}\n` : `${line}\n`;
      }
    })();
    await pipeline(Readable.from(lines), createWriteStream(join(root, 'rows.jsonl')));
    await writeFile(join(root, 'package.json'), '{}');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(['jsonl', 'csv', 'parquet'])('as %s, in less than 400 MB', async (format) => {
    await writeFile(
      join(root, 'w.yaml'),
      `name: million
steps:
  rows: { use: load, with: { path: rows.jsonl, id: id, text: text } }
  some: { use: filter, from: rows, with: { where: "row.n % 10 != 3" } }
  out: { use: export, from: some, with: { path: out.${format} } }
`,
    );
    const peak = join(root, 'peak');
    const process_ = spawn(process.execPath, ['--import', watch, launcher, 'run', 'w.yaml', '--json'], {
      cwd: root,
      env: { ...process.env, PEAK_FILE: peak },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of process_.stdout) output += String(chunk);
    const run = JSON.parse(output) as {
      status: string;
      steps: { id: string; metrics: Record<string, number> }[];
    };
    expect(run.status).toBe('succeeded');
    const metrics = Object.fromEntries(run.steps.map((step) => [step.id, step.metrics]));
    expect(metrics['rows']).toMatchObject({ records: count, rows: count - cut, rejected: cut });
    // Every tenth row ends in 3; none of those is cut.
    expect(metrics['some']!['rows']).toBe(count - cut - count / 10);
    expect(metrics['out']!['rows']).toBe(metrics['some']!['rows']);
    if (format === 'jsonl') {
      let lines = 0;
      for await (const line of createInterface(createReadStream(join(root, 'out.jsonl')))) if (line) lines++;
      expect(lines).toBe(metrics['some']!['rows']);
    }
    const megabytes = Number(await readFile(peak, 'utf8'));
    console.log(`1,000,000 rows to ${format}: ${megabytes.toFixed(0)} MB at most`);
    expect(megabytes).toBeLessThan(400);
    await rm(join(root, '.reprise'), { recursive: true });
  });
});
