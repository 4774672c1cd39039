import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { type AgglomerativeOptions, agglomerate, type Linkage, mostRows } from './agglomerative.ts';
import { clusteringScores, contingency } from './clustering-metrics.ts';
import reference from './fixtures/points-2d.json' with { type: 'json' };
import type { MatrixView } from './matrix-product.ts';
import { gatherRows } from './vectors.ts';

const points: MatrixView = { data: Float32Array.from(reference.points.flat()), rows: 560, columns: 2 };
const linkages: readonly Linkage[] = ['ward', 'average', 'complete', 'single'];

function clustered(options: Partial<AgglomerativeOptions> = {}, threads = 1) {
  return agglomerate(
    { matrix: points, linkage: 'ward', metric: 'euclidean', until: { clusters: 6 }, ...options },
    inlineWorkers(threads),
  );
}

describe('agglomerate', () => {
  it.each(['ward', 'average', 'complete'] as const)(
    'cuts %s linkage as scikit-learn does',
    async (linkage) => {
      const { labels, clusters } = await clustered({ linkage });
      expect(clusters).toBe(6);
      expect(clusteringScores(contingency(reference[linkage], labels)).ari).toBe(1);
    },
  );

  // scipy 1.17.1, cluster.hierarchy.linkage of these points: the last four heights, and the sum of all 559.
  it.each([
    ['ward', [47.626263, 53.714616, 73.144186, 171.000064], 892.372355],
    ['average', [5.985641, 6.934442, 7.193437, 10.952635], 289.826266],
    ['complete', [11.684207, 12.34011, 15.067547, 22.331292], 437.879453],
    ['single', [2.085939, 2.146144, 2.35341, 2.447329], 151.608089],
  ] as const)('merges by %s linkage at the heights of scipy', async (linkage, last, sum) => {
    const { distances } = await clustered({ linkage, until: { clusters: 1 } });
    expect(distances).toHaveLength(559);
    // Distances are kept as float32.
    for (const [at, height] of last.entries()) expect(distances[555 + at]! / height).toBeCloseTo(1, 5);
    expect(distances.reduce((total, height) => total + height, 0) / sum).toBeCloseTo(1, 4);
  });

  it('cuts by distance as scikit-learn does', async () => {
    const { labels } = await clustered({ linkage: 'single', until: { distance: 0.5 } });
    expect(clusteringScores(contingency(reference.single, labels)).ari).toBe(1);
    // Cutting just above the distance of a merge, or at it, differs by that merge.
    const all = await clustered({ linkage: 'average' });
    const distance = all.distances.at(-10)!;
    expect((await clustered({ linkage: 'average', until: { distance } })).clusters).toBe(11);
    const above = distance * (1 + 1e-9);
    expect((await clustered({ linkage: 'average', until: { distance: above } })).clusters).toBe(10);
  });

  it('gives merges in rising order, the same with any number of threads', async () => {
    for (const linkage of linkages) {
      const one = await clustered({ linkage });
      expect(one.distances).toEqual(one.distances.toSorted());
      expect(await clustered({ linkage }, 2)).toEqual(one);
    }
  });

  it('takes no rows, one row, equal rows, rows of zeros, and more clusters than rows', async () => {
    for (const linkage of linkages) {
      for (const rows of [0, 1, 3]) {
        const matrix = gatherRows(points, [...Array(rows).keys()]);
        expect((await clustered({ linkage, matrix })).clusters).toBe(rows);
      }
      const equal = { data: new Float32Array(20).fill(3), rows: 10, columns: 2 };
      expect((await clustered({ linkage, matrix: equal, until: { clusters: 2 } })).clusters).toBe(2);
      expect((await clustered({ linkage, matrix: equal, until: { distance: 0.1 } })).clusters).toBe(1);
    }
    const zeros = { data: Float32Array.from([0, 0, 1, 0, 2, 0, 0, 0]), rows: 4, columns: 2 };
    const { labels } = await clustered({
      linkage: 'average',
      matrix: zeros,
      metric: 'cosine',
      until: { clusters: 2 },
    });
    expect([...labels]).toEqual([0, 1, 1, 0]);
  });

  it('refuses more rows than memory is meant for, except by single linkage', async () => {
    const matrix = { data: new Float32Array(mostRows + 1), rows: mostRows + 1, columns: 1 };
    await expect(clustered({ matrix })).rejects.toThrow('16001 rows are more than 16000');
  });
});
