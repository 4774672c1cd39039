/**
 * What each step costs as its input grows: the whole process (`reprise run pipeline_1.yaml --only measured`, its inputs in
 * the cache), in seconds, and its peak memory in MiB. Writes a table to bench/results/cost.md.
 *
 * node bench/cost.ts [--sizes 1000,10000,100000,1000000] [--steps "cluster;embed, static"] [--limit 600]
 *
 * Rows are short made-up questions over 77 topics, vectors of 384 numbers lie round a point for each topic.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ModelServer } from '../test/model-server.ts';
import { type CostStep, costSteps } from './cost/steps.ts';
import { installed } from './installed.ts';
import { type Measurement, measure, TooLong } from './measure.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
    steps: { type: 'string', default: '' },
    limit: { type: 'string', default: '600' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const limitSeconds = Number(values.limit);
const wanted = values.steps.split(';').filter(Boolean);
const chosen = costSteps.filter(
  ({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
);

/** Reads the rows on $REPRISE_INPUT, writes a vector for each: a point of its topic, and some noise. */
const vectorsProgram = `import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
const columns = 384;
let state = 7;
const noise = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
};
const points = new Map();
const point = (topic) => {
  if (!points.has(topic)) points.set(topic, Float32Array.from({ length: columns }, () => noise() / 10));
  return points.get(topic);
};
const topics = [];
for await (const line of createInterface(createReadStream(process.env.REPRISE_INPUT)))
  if (line) topics.push(JSON.parse(line).topic);
const out = createWriteStream(process.env.REPRISE_OUTPUT_VECTORS);
const shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + topics.length + ", " + columns + "), }";
const head = Buffer.alloc(128, 32);
head.write('\\x93NUMPY', 0, 'latin1');
head[6] = 1; head[7] = 0; head.writeUInt16LE(118, 8);
head.write(shape, 10); head[127] = 10;
out.write(head);
for (let start = 0; start < topics.length; start += 1000) {
  const part = topics.slice(start, start + 1000);
  const data = new Float32Array(part.length * columns);
  part.forEach((topic, row) => {
    const centre = point(topic);
    for (let at = 0; at < columns; at++) data[row * columns + at] = centre[at] + noise() / 10;
  });
  if (!out.write(Buffer.from(data.buffer))) await once(out, 'drain');
}
out.end();
`;

await using server = await ModelServer.start();
const pipeline = `models:
  m: { provider: openai, base_url: "${server.url('openai')}", model: small, concurrency: 16, price: { input: 1, output: 10 } }
steps:
  rows: { use: load, with: { path: rows.jsonl, id: id, text: text } }
  vectors:
    use: exec
    from: rows
    with: { run: [node, vectors.mjs], deps: [vectors.mjs], outputs: { vectors: vectors.npy } }
  table: { use: train, with: { method: static_embedding, encoder: all-minilm-l6-v2 } }
  few: { use: sample, from: { rows: rows, vectors: vectors.vectors }, with: { size: 1000 } }
  clusters: { use: cluster, from: { rows: rows, vectors: vectors.vectors }, with: { method: minibatch_kmeans, k: 77 } }
`;
/** A workflow for each step, so that one that is refused leaves the others. */
const fileOf = (index: number) => `pipeline_${index}.yaml`;
const workflowWith = ({ step }: CostStep) =>
  `${pipeline}  measured: { ${step.replaceAll('vectors: vectors', 'vectors: vectors.vectors').replaceAll('few_vectors', 'few.vectors')} }\n`;

/** For each step, by size, what it took; a text where it did not end. */
const cells = new Map<string, Map<number, Measurement | string>>();
for (const size of sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-cost-'));
  try {
    writeProject(folder, size);
    for (const [index, step] of chosen.entries()) {
      if (size > (step.most ?? 100_000)) continue;
      await prepare(folder, step);
      const cell = await timed(folder, fileOf(index));
      const row = cells.get(step.name) ?? new Map<number, Measurement | string>();
      cells.set(step.name, row.set(size, cell));
      process.stderr.write(`${size} ${step.name}: ${show(cell)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const table = markdown();
mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
writeFileSync(join(import.meta.dirname, 'results/cost.md'), table);
process.stdout.write(table);

function writeProject(folder: string, size: number): void {
  writeFileSync(join(folder, 'reprise.yaml'), '');
  writeFileSync(join(folder, 'pipeline.yaml'), pipeline);
  for (const [index, step] of chosen.entries())
    writeFileSync(join(folder, fileOf(index)), workflowWith(step));
  mkdirSync(join(folder, 'runs'));
  const words = Array.from(
    { length: 4000 },
    (_, index) => `${'bcdfgklmnprstv'[index % 14]}${'aeiou'[index % 5]}${(index * 7919).toString(36)}`,
  );
  let state = 1;
  const draw = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const day = (number: number) => new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10);
  const lines: string[] = [];
  for (let n = 0; n < size; n++) {
    const topic = draw(77);
    const text = Array.from({ length: 8 + draw(8) }, () =>
      // Half of the words are the topic's own; frequent ones are frequent.
      draw(2) === 0 ? words[topic * 20 + draw(20)] : words[Math.floor(4000 * (draw(1000) / 1000) ** 3)],
    ).join(' ');
    lines.push(JSON.stringify({ id: `r${n}`, text, topic: `topic ${topic}`, at: day(draw(60)), n }));
  }
  writeFileSync(join(folder, 'rows.jsonl'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'vectors.mjs'), vectorsProgram);
}

/** Runs what the step needs, so that it is in the cache. */
async function prepare(folder: string, { step, needs }: CostStep): Promise<void> {
  const before = [...needs, ...(step.includes('few') ? ['few'] : [])];
  if (before.length === 0) return;
  await run(folder, 'pipeline.yaml', before);
}

async function timed(folder: string, file: string): Promise<Measurement | string> {
  try {
    return await run(folder, file, ['measured'], limitSeconds);
  } catch (error) {
    if (error instanceof TooLong) return `over ${limitSeconds} s`;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 'refused';
  }
}

function run(folder: string, file: string, ids: readonly string[], limit?: number): Promise<Measurement> {
  const argv = [process.execPath, installed.program, 'run', file, ...ids.flatMap((id) => ['--only', id])];
  return measure(
    { argv, cwd: folder, env: process.env },
    { usage: true, ...(limit !== undefined && { limitSeconds: limit }) },
  );
}

function show(cell: Measurement | string | undefined): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  const seconds = cell.seconds < 10 ? cell.seconds.toFixed(2) : cell.seconds.toFixed(0);
  return cell.rssMiB === null ? seconds : `${seconds} · ${cell.rssMiB.toFixed(0)}`;
}

function markdown(): string {
  const head = ['step', ...sizes.map((size) => size.toLocaleString('en')), 'grows'];
  const lines = chosen.map(({ name, growth }) => [
    name,
    ...sizes.map((size) => show(cells.get(name)?.get(size))),
    growth ?? '',
  ]);
  return [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |\n`).join('');
}
