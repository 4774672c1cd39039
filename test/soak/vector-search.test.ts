import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exactSearch } from '../../numerics/exact-search.ts';
import { ivfSearch } from '../../numerics/ivf-search.ts';
import { gaussians, uniform } from '../../numerics/random.ts';
import { temporaryFolder } from '../temporary.ts';

const columns = 384;

/** Points round centres of their own, nearer to each other than a search would like. */
function clustered(rows: number, centres: Float64Array, seed: number) {
  const next = uniform(seed);
  const noise = gaussians(rows * columns, seed);
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const centre = Math.floor(next() * (centres.length / columns)) * columns;
    for (let column = 0; column < columns; column++)
      data[row * columns + column] = 0.5 * centres[centre + column]! + noise[row * columns + column]!;
  }
  return { data, rows, columns };
}

it('an inverted file of 50,000 vectors finds 95 % of the ten nearest at its defaults, and is built in no time', async () => {
  const centres = gaussians(600 * columns, 1);
  const [documents, queries] = [clustered(50_000, centres, 2), clustered(1000, centres, 3)];
  const exact = await exactSearch({ queries, documents, k: 10 });
  const start = performance.now();
  const { found, recall, probes, lists } = await ivfSearch({
    queries,
    documents,
    k: 10,
    recall: 0.96,
    seed: 1,
  });
  // With 1,000 queries; a machine with other work takes a few seconds.
  expect(performance.now() - start).toBeLessThan(120_000);
  let hits = 0;
  exact.forEach((nearest, query) => {
    const own = new Set(found[query]!.map(({ document }) => document));
    hits += nearest.filter(({ document }) => own.has(document)).length;
  });
  expect(recall).toBeGreaterThanOrEqual(0.96);
  expect(hits / 10_000).toBeGreaterThanOrEqual(0.95);
  expect(probes).toBeLessThan(lists);
});

it('a million vectors are searched from the disk within 1 GB of memory', async () => {
  const folder = temporaryFolder();
  const job = join(import.meta.dirname, 'vector-search-job.ts');
  const told = async (what: string) => {
    const child = spawn(process.execPath, [job, what, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit') as Promise<[number]>;
    const pieces: Buffer[] = await child.stdout.toArray();
    expect((await ended)[0]).toBe(0);
    return Buffer.concat(pieces).toString();
  };
  await told('write');
  const { nearest, peakMiB } = JSON.parse(await told('search')) as { nearest: number[]; peakMiB: number };
  // Each query is a row of the matrix.
  expect(nearest).toEqual([0, 123_456, 999_999]);
  expect(peakMiB).toBeLessThan(1024);
});
