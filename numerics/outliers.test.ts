import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { neighbourDistances } from './outliers.ts';
import { gaussians } from './random.ts';

describe('neighbourDistances', () => {
  it('is the distance to the neighbour of that rank', async () => {
    const matrix = { data: Float32Array.from([0, 1, 3, 10]), rows: 4, columns: 1 };
    const found = await neighbourDistances(
      { matrix, metric: 'euclidean', count: 2, seed: 1 },
      inlineWorkers(),
    );
    expect([...found]).toEqual([3, 2, 3, 9]);
    const alone = { data: Float32Array.from([5]), rows: 1, columns: 1 };
    expect([
      ...(await neighbourDistances({ matrix: alone, metric: 'cosine', count: 2, seed: 1 }, inlineWorkers())),
    ]).toEqual([0]);
  });

  it('finds 20 rows planted between clusters, and is the same for any number of threads', async () => {
    const [rows, columns] = [820, 16];
    const centres = gaussians(8 * columns, 1);
    const noise = gaussians(rows * columns, 2);
    // Clusters of different width, then rows of no cluster.
    const data = Float32Array.from(noise, (value, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const cluster = row % 8;
      return row < 800
        ? 3 * centres[cluster * columns + column]! + value * (0.4 + cluster / 16)
        : value * 2.5;
    });
    const matrix = { data, rows, columns };
    const run = (threads: number) =>
      neighbourDistances({ matrix, metric: 'euclidean', count: 5, seed: 1 }, inlineWorkers(threads));
    const found = await run(1);
    const top = [...found.keys()].sort((a, b) => found[b]! - found[a]!).slice(0, 25);
    expect(top.filter((row) => row >= 800).length).toBeGreaterThanOrEqual(18);
    expect(await run(3)).toEqual(found);
  });

  it('finds what lies apart also by a sample of very many rows', async () => {
    const rows = 2000;
    const data = Float32Array.from(gaussians(rows * 2, 3));
    data.set([40, 40], 2 * 777);
    const found = await neighbourDistances(
      { matrix: { data, rows, columns: 2 }, metric: 'euclidean', count: 5, seed: 1, mostPairs: 400_000 },
      inlineWorkers(),
    );
    expect(found.indexOf(Math.max(...found))).toBe(777);
  });
});
