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
