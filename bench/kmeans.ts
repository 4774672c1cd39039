/**
 * k-means against scikit-learn, side by side on the same vectors: V-measure, inertia and time over ten seeds.
 *
 *   npx reprise run workflows/support-topics.yaml
 *   npx reprise export latest vectors -o vectors.npy
 *   npx reprise export latest unique -o rows.jsonl
 *   node bench/kmeans.ts --vectors vectors.npy --rows rows.jsonl --python python3
 *
 * Runs of the two take turns, one at a time. Without a Python that has scikit-learn only our half runs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { clusteringScores, contingency } from '../numerics/clustering-metrics.ts';
import { type Init, type KMeansResult, moduleUrl, type PreparedRows } from '../numerics/kmeans.ts';
import { readNpy } from './npy.ts';

interface Measured {
  seed: number;
  seconds: number;
  v_measure: number;
  ari: number;
  inertia: number;
  iterations: number;
}

const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    rows: { type: 'string' },
    truth: { type: 'string', default: 'label' },
    k: { type: 'string', default: '77' },
    seeds: { type: 'string', default: '10' },
    python: { type: 'string', default: 'python3' },
  },
});
if (!values.vectors || !values.rows)
  throw new Error('usage: node bench/kmeans.ts --vectors x.npy --rows x.jsonl');
const vectors = readNpy(values.vectors);
const labels = readFileSync(values.rows, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => String((JSON.parse(line) as Record<string, unknown>)[values.truth]));
if (labels.length !== vectors.rows)
  throw new Error(`${labels.length} rows do not fit ${vectors.rows} vectors`);
const numbers = new Map([...new Set(labels)].map((label, index) => [label, index]));
const classes = Int32Array.from(labels, (label) => numbers.get(label)!);
const seeds = Number(values.seeds);

console.log(`${vectors.rows} x ${vectors.columns}, k ${values.k}, ${seeds} seeds`);
console.log(
  '                           V-measure (mean, sd)   ARI    inertia   iterations  seconds (median)',
);
print('reprise, default (ward, 2)', await ours('ward', 2));
print('scikit-learn, default', theirs('auto'));
print('reprise, k-means++, 1', await ours('k-means++', 1));
print('scikit-learn, k-means++, 1', theirs('1'));
print('reprise, k-means++, 10', await ours('k-means++', 10));
print('scikit-learn, k-means++, 10', theirs('10'));

async function ours(init: Init, starts: number): Promise<Measured[]> {
  const workers = new WorkerPool();
  const pool = workers.forStep(new AbortController().signal);
  const measured: Measured[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const begin = performance.now();
    const rows = await pool.run<unknown, PreparedRows>(moduleUrl, 'prepareRows', {
      matrix: vectors,
      spherical: false,
    });
    const results = await Promise.all(
      Array.from({ length: starts }, (_, start) =>
        pool.run<unknown, KMeansResult>(moduleUrl, 'kmeansRestart', {
          rows,
          k: Number(values.k),
          init,
          seed: 1 + seed * 1000 + start,
          maxIterations: 300,
          tolerance: 1e-4,
        }),
      ),
    );
    const best = results.reduce((left, right) => (right.inertia < left.inertia ? right : left));
    const seconds = (performance.now() - begin) / 1000;
    const scores = clusteringScores(contingency(classes, best.labels));
    const { inertia, iterations } = best;
    measured.push({ seed, seconds, v_measure: scores.vMeasure, ari: scores.ari, inertia, iterations });
  }
  await workers.close();
  return measured;
}

function theirs(starts: string): Measured[] {
  const script = join(import.meta.dirname, 'kmeans_sklearn.py');
  const args = [script, values.vectors!, values.k, values.seeds, starts];
  const { status, stdout, stderr } = spawnSync(values.python, args, {
    encoding: 'utf8',
    input: JSON.stringify(labels),
  });
  if (status !== 0) {
    console.error(`scikit-learn did not run: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
    return [];
  }
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Measured);
}

function print(name: string, runs: Measured[]): void {
  if (runs.length === 0) return;
  const mean = (key: keyof Measured) => runs.reduce((sum, run) => sum + run[key], 0) / runs.length;
  const deviation = Math.sqrt(
    runs.reduce((sum, run) => sum + (run.v_measure - mean('v_measure')) ** 2, 0) / runs.length,
  );
  const times = runs.map((run) => run.seconds).sort((a, b) => a - b);
  console.log(
    `${name.padEnd(28)} ${mean('v_measure').toFixed(4)}  ${deviation.toFixed(4)}        ${mean('ari').toFixed(4)} ${mean('inertia').toFixed(1).padStart(9)} ${mean('iterations').toFixed(0).padStart(8)}   ${times[times.length >> 1]!.toFixed(2).padStart(10)}`,
  );
}
