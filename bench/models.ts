/**
 * A step that asks a language model about each row, beside the bare SDK with p-queue: the same calls to a loopback
 * server, whole processes from start to exit; then the run with nothing to do, and the one in which the step's code has
 * changed and all answers are known.
 *
 * node bench/models.ts [--calls 500] [--at-once 16] [--latency 20] [--runs 5]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ModelServer } from '../test/model-server.ts';
import { installed } from './installed.ts';
import { measure, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '500' },
    'at-once': { type: 'string', default: '16' },
    latency: { type: 'string', default: '20' },
    runs: { type: 'string', default: '5' },
  },
});
const [calls, atOnce, latencyMs, runs] = [values.calls, values['at-once'], values.latency, values.runs].map(
  Number,
) as [number, number, number, number];

await using server = await ModelServer.start({ latencyMs });
const base = server.url('openai');
const folder = mkdtempSync(join(tmpdir(), 'reprise-models-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'reprise.yaml'), '');
writeFileSync(
  join(folder, 'texts.jsonl'),
  Array.from(
    { length: calls },
    (_, index) => `{"id":"r${index}","text":"text number ${index} of many"}\n`,
  ).join(''),
);
mkdirSync(join(folder, 'runs'));
writeFileSync(
  join(folder, 'pipeline.yaml'),
  `models:
  writer: { provider: openai, base_url: "${base}", model: small, concurrency: ${atOnce}, price: { input: 1, output: 10 } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
);

const reprise = {
  argv: [process.execPath, installed.program, 'run', 'pipeline.yaml'],
  cwd: folder,
  env: process.env,
};
const sdk = {
  argv: [process.execPath, join(import.meta.dirname, 'models/sdk.ts'), base, String(calls), String(atOnce)],
  cwd: folder,
  env: process.env,
};
const rows: { [name: string]: { seconds: number[]; calls: number } } = {};
async function timed(name: string, command: typeof sdk): Promise<void> {
  const before = server.requests.length;
  const { seconds } = await measure(command);
  rows[name] ??= { seconds: [], calls: 0 };
  rows[name].seconds.push(seconds);
  rows[name].calls = server.requests.length - before;
}
for (let round = 0; round < runs; round++) {
  rmSync(join(folder, '.reprise'), { recursive: true, force: true });
  await timed('openai SDK with p-queue', sdk);
  await timed('reprise, first run', reprise);
  await timed('reprise, nothing to do', reprise);
  for (const cache of ['index', 'rows'])
    rmSync(join(folder, `.reprise/cache/${cache}.sqlite`), { force: true });
  await timed('reprise, answers known', reprise);
}
const ideal = (Math.ceil(calls / atOnce) * latencyMs) / 1000;
process.stdout.write(
  `${calls} calls, ${atOnce} at once, ${latencyMs} ms each: ${ideal.toFixed(3)} s at least; ${installed.what}; ${runs} runs\n\n`,
);
process.stdout.write('| | s: median (min) | calls |\n|---|---|---|\n');
for (const [name, { seconds, calls: made }] of Object.entries(rows))
  process.stdout.write(
    `| ${name} | ${median(seconds).toFixed(2)} (${Math.min(...seconds).toFixed(2)}) | ${made} |\n`,
  );
