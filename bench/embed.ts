/**
 * Texts to vectors: rows a second of the whole `embed` step (opening the encoder included), cold, without a row cache.
 * With a Python that has onnxruntime and tokenizers, the usual loop of sentence-transformers over the same networks
 * takes turns with it: sorted by length, batches of 32 padded to their longest text, all cores.
 *
 *   node bench/embed.ts --rows 10003 --repeats 3 --python python3
 *
 * With --batches the peer is asked with each of these batch sizes, and with --mixed the texts are of one to twenty
 * questions: what ours chooses by itself stands against the best fixed size. Static embeddings: bench/embed-static.ts.
 *
 *   node bench/embed.ts --rows 1000 --mixed --batches 1,8,16,32,64
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Row } from '../engine/artefacts.ts';
import { digestOf, digestOfJson } from '../engine/digest.ts';
import { WorkerPool } from '../engine/execute/pool.ts';
import { runRows } from '../engine/execute/rows.ts';
import type { JsonObject } from '../engine/json.ts';
import type { MatrixParts, RowStepType, StepContext } from '../engine/step.ts';
import { compileSchema } from '../engine/workflow/schema-check.ts';
import { builtInEncoders } from '../models/catalogue.ts';
import { createModelResolver } from '../models/resolver.ts';
import embed from '../steps/embed/index.ts';
import { tableInput } from '../test/run-step.ts';
import { median } from './measure.ts';

/** Seconds: on the clock, and of all cores together. The latter tells more on a machine that has other work. */
interface Time {
  wall: number;
  cpu: number;
}

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(root, 'use-cases/support-topics/data/queries.jsonl') },
    rows: { type: 'string', default: '10003' },
    repeats: { type: 'string', default: '3' },
    python: { type: 'string', default: 'python3' },
    batches: { type: 'string', default: '32' },
    mixed: { type: 'boolean', default: false },
  },
});
const all = readFileSync(values.data, 'utf8').trim().split('\n');
const every = Math.max(1, Math.floor(all.length / Number(values.rows)));
const rows = all
  .filter((_, index) => index % every === 0)
  .slice(0, Number(values.rows))
  .map((line, index): Row => ({ id: `${index}`, text: textOf(line, index) }));
const table = tableInput(rows);
const repeats = Number(values.repeats);
const resolver = createModelResolver({ root });

/** Of mixed lengths: seven of ten are one question, two are two to six, one is seven to twenty. */
function textOf(line: string, index: number): string {
  const text = (of: string) => String((JSON.parse(of) as Row)['text']);
  const place = index % 10;
  if (!values.mixed || place < 7) return text(line);
  const count = place < 9 ? 2 + (Math.floor(index / 10) % 5) : 7 + (Math.floor(index / 10) % 14);
  return Array.from({ length: count }, (_, at) => text(all[(index * 7 + at * 131) % all.length]!)).join(' ');
}

console.log(`${rows.length} rows, ${availableParallelism()} cores, median of ${repeats}`);
for (const { name } of builtInEncoders) {
  const ours: Time[] = [];
  const theirs = new Map(values.batches.split(',').map((size): [string, Time[]] => [size, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    ours.push(await seconds({ model: name }));
    for (const [size, times] of theirs) {
      const peer = peerSeconds(name, size);
      if (peer !== undefined) times.push(peer);
    }
  }
  print(name, ours);
  for (const [size, times] of theirs) print(`  Python, batches of ${size}`, times);
}
const lexical: Time[] = [];
for (let repeat = 0; repeat < repeats; repeat++) lexical.push(await seconds({ method: 'lexical' }));
print('lexical (fit and transform)', lexical);
console.log(`load at the end: ${loadavg()[0]!.toFixed(1)}`);

/** One run of the step in new threads. */
async function seconds(parameters: JsonObject): Promise<Time> {
  const workers = new WorkerPool();
  const controller = new AbortController();
  const context: Partial<StepContext> = {
    signal: controller.signal,
    pool: workers.forStep(controller.signal),
    model(name) {
      const { folder, files } = resolver.find(name)!;
      return {
        name,
        folder,
        digest: digestOfJson(name),
        files: files.map((file) => ({ name: file, digest: digestOf(file) })),
      };
    },
    warn: (message) => console.log(message),
    scratch: async () =>
      (await import('node:fs')).mkdtempSync(join((await import('node:os')).tmpdir(), 'reprise-')),
  };
  let found = 0;
  const outputs = {
    vectors: {
      write: async ({ rows: written, parts }: MatrixParts) => {
        for await (const _ of parts);
        found = written;
      },
    },
    fit: { write: async () => {} },
  };
  const start = performance.now();
  const used = process.cpuUsage();
  await runRows({
    type: embed as RowStepType,
    run: {
      parameters: compileSchema(embed.parameters).parse(parameters),
      inputs: { rows: table },
      outputs,
      context,
    } as never,
    writeFailed: async () => {},
    identity: null,
    forced: false,
    cache: null,
    leases: null as never,
    maxFailures: { count: 0 },
    onProgress: () => {},
    onWait: () => {},
  });
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  await workers.close();
  if (found !== rows.length) throw new Error(`${found} vectors for ${rows.length} rows`);
  return { wall, cpu: (user + system) / 1e6 };
}

function peerSeconds(name: string, batch: string): Time | undefined {
  const { folder, files } = resolver.find(name)!;
  const network = files.find((file) => file.endsWith('.onnx'))!;
  const { status, stdout, stderr } = spawnSync(
    values.python,
    [join(import.meta.dirname, 'embed_onnxruntime.py'), folder, network, batch],
    { encoding: 'utf8', input: JSON.stringify(rows.map((row) => row['text'])) },
  );
  if (status === 0) return JSON.parse(stdout) as Time;
  console.log(`the peer did not run: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
  return undefined;
}

function print(name: string, times: Time[]): void {
  if (times.length === 0) return;
  const of = (key: keyof Time) => median(times.map((time) => time[key]));
  const wall = of('wall');
  console.log(
    `${name.padEnd(30)} ${wall.toFixed(2).padStart(7)} s ${(rows.length / wall).toFixed(0).padStart(6)} rows/s ${of('cpu').toFixed(2).padStart(7)} CPU s`,
  );
}
