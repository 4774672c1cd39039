/**
 * Neighbours, HDBSCAN, agglomerative clustering and UMAP beside the Python libraries, on the same vectors.
 *
 *   npx reprise run workflows/support-topics.yaml
 *   npx reprise export latest vectors -o vectors.npy
 *   python3 -m venv bench/.work/peers/python
 *   bench/.work/peers/python/bin/pip install scikit-learn hdbscan umap-learn
 *   node bench/clustering.ts --vectors vectors.npy --rows 5000 --rounds 3
 *
 * The sides take turns. Ours is timed with its threads started anew each time; a peer without its imports, once "first",
 * with what it compiles at its first call, and once more in the same process. Quality is what a library could be
 * compared by: clusters and noise, or trustworthiness. Without the Python packages only our half runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { agglomerate } from '../numerics/agglomerative.ts';
import { hdbscan } from '../numerics/hdbscan.ts';
import type { MatrixView } from '../numerics/matrix-product.ts';
import { nearestNeighbours } from '../numerics/neighbours.ts';
import { trustworthiness } from '../numerics/trustworthiness.ts';
import { umap } from '../numerics/umap.ts';
import type { Workers } from '../numerics/workers.ts';
import { median } from './measure.ts';
import { readNpy } from './npy.ts';

interface Timed {
  first: number;
  again: number;
  result: string;
}

const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    rows: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '5' },
    tasks: { type: 'string', default: 'neighbours,hdbscan,ward,umap' },
    peers: { type: 'boolean', default: true },
    python: { type: 'string', default: join(import.meta.dirname, '.work/peers/python/bin/python') },
  },
  allowNegative: true,
});
if (!values.vectors) throw new Error('usage: node bench/clustering.ts --vectors x.npy');
const all = readNpy(values.vectors);
const rows = Math.min(Number(values.rows), all.rows);
const matrix: MatrixView = { data: all.data.slice(0, rows * all.columns), rows, columns: all.columns };

/** What each task does and how its result is told; the script for the peers does the same. */
const tasks: Record<string, (workers: Workers) => Promise<() => string | Promise<string>>> = {
  async neighbours(workers) {
    const { distances } = await nearestNeighbours({ matrix, metric: 'euclidean', count: 15 }, workers);
    return () => `sum of distances ${distances.reduce((sum, value) => sum + value, 0).toFixed(2)}`;
  },
  async hdbscan(workers) {
    const selection = { method: 'eom', epsilon: 0, allowSingleCluster: false } as const;
    const { labels, selected } = await hdbscan(
      { matrix, metric: 'euclidean', minClusterSize: 10, minSamples: 5, selection },
      workers,
    );
    return () => `${selected.length} clusters, ${labels.filter((label) => label < 0).length} noise`;
  },
  async ward(workers) {
    const { distances } = await agglomerate(
      { matrix, linkage: 'ward', metric: 'euclidean', until: { clusters: 77 } },
      workers,
    );
    return () => `last merge at ${distances.at(-1)!.toFixed(3)}`;
  },
  async umap(workers) {
    const { coordinates } = await umap(
      {
        ...{ matrix, metric: 'cosine', dimensions: 2, neighbours: 15, minDist: 0.1, spread: 1 },
        ...{
          init: 'spectral',
          epochs: undefined,
          learningRate: 1,
          negativeSamples: 5,
          repulsion: 1,
          seed: 1,
        },
      },
      workers,
    );
    const options = { original: matrix, projected: coordinates, metric: 'cosine', count: 15 } as const;
    return async () =>
      `trustworthiness ${(await trustworthiness({ ...options, sampleSize: 2000, seed: 1 })).toFixed(4)}`;
  },
};

console.log(`${rows} x ${matrix.columns}, medians of ${values.rounds}`);
console.log('                          first (s)   again (s)   result');
for (const task of values.tasks.split(',')) {
  if (!tasks[task]) throw new Error(`there are ${Object.keys(tasks).join(', ')}; not ${task}`);
  const sides = new Map<string, Timed[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    add(sides, 'reprise', await ours(tasks[task]));
    if (values.peers) add(sides, 'Python', theirs(task));
  }
  for (const [side, timed] of sides) {
    const of = (key: 'first' | 'again') =>
      median(timed.map((one) => one[key]))
        .toFixed(2)
        .padStart(12);
    console.log(`${`${task}, ${side}`.padEnd(23)}${of('first')}${of('again')}   ${timed[0]!.result}`);
  }
}

function add(sides: Map<string, Timed[]>, side: string, timed: Timed | undefined): void {
  if (timed) sides.set(side, [...(sides.get(side) ?? []), timed]);
}

async function ours(task: (workers: Workers) => Promise<() => string | Promise<string>>): Promise<Timed> {
  const pool = new WorkerPool();
  const workers = pool.forStep(new AbortController().signal);
  const start = performance.now();
  await task(workers);
  const between = performance.now();
  const result = await task(workers);
  const end = performance.now();
  await pool.close();
  return { first: (between - start) / 1000, again: (end - between) / 1000, result: await result() };
}

function theirs(task: string): Timed | undefined {
  if (!existsSync(values.python)) return undefined;
  const script = join(import.meta.dirname, 'clustering_peers.py');
  const { status, stdout, stderr } = spawnSync(values.python, [script, task, values.vectors!, String(rows)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout) as Timed;
  console.error(`${task}: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
  return undefined;
}
