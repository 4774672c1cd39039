/**
 * A step that asks a language model about each row, through faults in one of five requests: refusals, errors, answers that
 * never come, break off or are none. The time is compared with the ideal one, in which every place is taken all the
 * time: 20 ms for a request, and for one that never comes back as long as `request_timeout`.
 *
 * node bench/model-faults.ts [--rows 10000] [--at-once 32] [--latency 20] [--timeout 2] [--share 0.2] [--runs 1]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { everyFault, ModelServer, sometimes } from '../test/model-server.ts';
import { installed } from './installed.ts';
import { measure } from './measure.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '32' },
    latency: { type: 'string', default: '20' },
    timeout: { type: 'string', default: '2' },
    share: { type: 'string', default: '0.2' },
    runs: { type: 'string', default: '1' },
  },
});
const [rows, atOnce, latencyMs, timeout, share, runs] = [
  values.rows,
  values['at-once'],
  values.latency,
  values.timeout,
  values.share,
  values.runs,
].map(Number) as [number, number, number, number, number, number];

process.stdout.write(
  `${rows} rows, ${atOnce} at once, ${latencyMs} ms each, ${100 * share} % faults, ${timeout} s for one that never comes; ${installed.what}\n\n`,
);
process.stdout.write('| requests | s | ideal s | ratio | CPU s | places taken | asked twice | load |\n');
process.stdout.write('|---|---|---|---|---|---|---|---|\n');
for (let round = 0; round < runs; round++) {
  await using server = await ModelServer.start({ latencyMs, fault: sometimes(share, everyFault) });
  const folder = mkdtempSync(join(tmpdir(), 'reprise-faults-'));
  try {
    writeFileSync(join(folder, 'reprise.yaml'), '');
    writeFileSync(
      join(folder, 'texts.jsonl'),
      Array.from(
        { length: rows },
        (_, index) => `{"id":"r${index}","text":"text number ${index} of many"}\n`,
      ).join(''),
    );
    writeFileSync(
      join(folder, 'pipeline.yaml'),
      `models:
  writer: { provider: openai, base_url: "${server.url('openai')}", model: small, concurrency: ${atOnce}, request_timeout: ${timeout}, retries: 8 }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
    );
    const argv = [process.execPath, installed.program, 'run', 'pipeline.yaml'];
    const { seconds, cpuSeconds } = await measure({ argv, cwd: folder, env: process.env }, { usage: true });
    const hung = server.faults.get('hang') ?? 0;
    const requests = server.requests.length;
    const ideal = (((requests - hung) * latencyMs) / 1000 + hung * timeout) / atOnce;
    const twice = [...server.answered.values()].filter((count) => count > 1).length;
    if (server.answered.size !== rows)
      throw new Error(`${server.answered.size} of ${rows} rows were answered`);
    process.stdout.write(
      `| ${requests} | ${seconds.toFixed(1)} | ${ideal.toFixed(1)} | ${(seconds / ideal).toFixed(2)} | ${cpuSeconds?.toFixed(1) ?? '?'} | ${((atOnce * ideal) / seconds).toFixed(1)} | ${twice} | ${loadavg()[0]!.toFixed(1)} |\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
