/**
 * Softmax regression against scikit-learn's LogisticRegression, side by side on the same vectors: time of a fit, iterations and
 * accuracy on held-out rows.
 *
 *   npx reprise run workflows/intent-classifier.yaml
 *   for part in train test; do
 *     npx reprise export latest parts.$part -o $part.jsonl
 *     npx reprise export latest parts.${part}_vectors -o $part.npy
 *   done
 *   node bench/classify.ts --train train --test test --python python3
 *
 * Runs of the two take turns. On a machine with other work to do, set OPENBLAS_NUM_THREADS=1: threads that wait for each other
 * would cost scikit-learn several times what it needs. A Python without scikit-learn leaves our half alone.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { fitSoftmax, softmaxRows } from '../numerics/softmax-regression.ts';
import { measure } from '../steps/train/softmax.ts';
import { readNpy } from './npy.ts';

interface Measured {
  seconds: number;
  /** Processor time of all threads: what a busy machine does not stretch. */
  cpu: number;
  accuracy: number;
  iterations: number;
}

const { values } = parseArgs({
  options: {
    train: { type: 'string' },
    test: { type: 'string' },
    label: { type: 'string', default: 'label' },
    strengths: { type: 'string', default: '1,10' },
    runs: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
  },
});
if (!values.train || !values.test)
  throw new Error('usage: node bench/classify.ts --train train --test test: each a .npy and a .jsonl');
const parts = { train: readPart(values.train), test: readPart(values.test) };
const names = [...new Set([...parts.train.labels, ...parts.test.labels])].sort();
const numbers = new Map(names.map((name, number) => [name, number]));
const classesOf = (labels: string[]) => Int32Array.from(labels, (label) => numbers.get(label)!);
const [train, test] = [classesOf(parts.train.labels), classesOf(parts.test.labels)];

const { rows, columns } = parts.train.vectors;
console.log(`${rows} x ${columns}, ${names.length} classes; ${parts.test.vectors.rows} rows held out`);
console.log('                     seconds (median, minimum)   processor s   iterations   accuracy');
for (const C of values.strengths.split(',').map(Number)) {
  const found: { [name: string]: Measured[] } = { reprise: [], 'scikit-learn': [] };
  for (let run = 0; run < Number(values.runs); run++) {
    found['reprise']!.push(await ours(C));
    found['scikit-learn']!.push(...theirs(C));
  }
  for (const [name, runs] of Object.entries(found)) print(`${name}, C = ${C}`, runs);
}

/** A fit with workers that were just started: a cold one. */
async function ours(C: number): Promise<Measured> {
  const workers = new WorkerPool();
  const pool = workers.forStep(new AbortController().signal);
  const used = process.cpuUsage();
  const start = performance.now();
  const learnt = await fitSoftmax(softmaxRows(parts.train.vectors, train), names.length, pool, {
    C,
    maxIterations: 1000,
    tolerance: 1e-4,
  });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  await workers.close();
  const { accuracy } = await measure(learnt, { vectors: parts.test.vectors, classes: test });
  return { seconds, cpu: (user + system) / 1e6, accuracy, iterations: learnt.iterations };
}

function theirs(C: number): Measured[] {
  const script = join(import.meta.dirname, 'classify_sklearn.py');
  const args = [script, `${values.train}.npy`, `${values.test}.npy`, String(C)];
  const { status, stdout, stderr } = spawnSync(values.python, args, {
    encoding: 'utf8',
    input: JSON.stringify({ train: parts.train.labels, test: parts.test.labels }),
  });
  if (status === 0) return [JSON.parse(stdout) as Measured];
  console.error(`scikit-learn did not run: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
  return [];
}

function print(name: string, runs: Measured[]): void {
  if (runs.length === 0) return;
  const times = runs.map((run) => run.seconds).sort((a, b) => a - b);
  const { iterations, accuracy } = runs[0]!;
  const cpu = runs.map((run) => run.cpu).sort((a, b) => a - b)[runs.length >> 1]!;
  console.log(
    `${name.padEnd(24)} ${times[times.length >> 1]!.toFixed(2).padStart(8)} ${times[0]!.toFixed(2).padStart(8)} ${cpu.toFixed(2).padStart(17)} ${String(iterations).padStart(12)} ${accuracy.toFixed(4).padStart(12)}`,
  );
}

function readPart(name: string) {
  const labels = readFileSync(`${name}.jsonl`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => String((JSON.parse(line) as Record<string, unknown>)[values.label]));
  const vectors = readNpy(`${name}.npy`);
  if (labels.length !== vectors.rows)
    throw new Error(`${labels.length} rows do not fit ${vectors.rows} vectors`);
  return { labels, vectors };
}
