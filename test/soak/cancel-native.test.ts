import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith } from '../run-step.ts';

/** Cancels tasks that are inside onnxruntime most of the time, again and again. */
const script = `
import { WorkerPool } from ${JSON.stringify(new URL('../../engine/execute/pool.ts', import.meta.url).href)};
import { moduleUrl } from ${JSON.stringify(new URL('../../numerics/kmeans.ts', import.meta.url).href)};
const rows = 20_000, columns = 256;
const matrix = { data: Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i)), rows, columns };
for (let round = 0; round < 10; round++) {
  const pool = new WorkerPool({ threads: 2 });
  const stop = new AbortController();
  const tasks = pool.forStep(stop.signal);
  const options = { k: 200, init: 'k-means++', maxIterations: 300, tolerance: 0, seed: 1 };
  const prepared = await tasks.run(moduleUrl, 'prepareRows', { matrix, spherical: false });
  const runs = [1, 2].map((seed) => tasks.run(moduleUrl, 'kmeansRestart', { ...options, rows: prepared, seed }));
  setTimeout(() => stop.abort(new Error('enough')), 50 + 37 * round);
  const results = await Promise.allSettled(runs);
  if (results.some((result) => result.status === 'fulfilled')) throw new Error('nothing was cancelled');
  await pool.close();
}
process.stdout.write('done');
`;

it('survives the cancelling of native work', () => {
  const folder = folderWith({ 'cancel.ts': script });
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'cancel.ts')], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done', stderr: '' });
});
