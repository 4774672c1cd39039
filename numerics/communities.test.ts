import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { neighbourCommunities } from './communities.ts';
import { nearestNeighbours } from './neighbours.ts';
import { gaussians } from './random.ts';

describe('neighbourCommunities', () => {
  it.each(['leiden', 'louvain'] as const)(
    'finds groups that are apart, the same for the same seed: %s',
    async (method) => {
      const rows = 300;
      const data = Float32Array.from(gaussians(rows * 2, 2), (value, at) => value + ((at >> 1) % 5) * 20);
      const matrix = { data, rows, columns: 2 };
      const { indices, count } = await nearestNeighbours(
        { matrix, metric: 'euclidean', count: 15 },
        inlineWorkers(),
      );
      const run = () => neighbourCommunities({ indices, rows, count, method, resolution: 0.2, seed: 7 });
      const { labels, count: found, modularity } = run();
      expect(found).toBe(5);
      expect(new Set(labels.map((label, row) => label * 10 + (row % 5))).size).toBe(5);
      expect(modularity).toBeGreaterThan(0.7);
      expect(run().labels).toEqual(labels);
    },
  );

  it('takes no rows and one', () => {
    const none = { indices: new Int32Array(0), count: 0, method: 'leiden', resolution: 1, seed: 1 } as const;
    expect(neighbourCommunities({ ...none, rows: 0 })).toMatchObject({ count: 0, modularity: 0 });
    expect([...neighbourCommunities({ ...none, rows: 1 }).labels]).toEqual([0]);
  });
});
