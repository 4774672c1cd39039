import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { agglomerate } from './agglomerative.ts';
import { withCentres } from './cluster-centres.ts';
import { centreDendrogram, cutDendrogram, treeDendrogram } from './dendrogram.ts';
import { gaussians } from './random.ts';

const matrix = { data: Float32Array.from(gaussians(200 * 5, 4)), rows: 200, columns: 5 };

async function clustersBy(linkage: 'ward' | 'average', k: number) {
  const found = await agglomerate(
    { matrix, linkage, metric: 'euclidean', until: { clusters: k } },
    inlineWorkers(),
  );
  return { found, ...withCentres({ matrix, labels: found.labels, k, metric: 'euclidean' }) };
}

describe('centreDendrogram', () => {
  it('goes on as Ward’s method on all rows does', async () => {
    const { found, centres, sizes } = await clustersBy('ward', 20);
    const merges = centreDendrogram({ centres, sizes, metric: 'euclidean' });
    const reference = found.distances.slice(-19);
    expect(merges).toHaveLength(19);
    // Those of all rows are sums of float32 numbers.
    for (const [at, { height }] of merges.entries()) expect(height).toBeCloseTo(reference[at]!, 4);
    expect(merges.at(-1)!.size).toBe(200);
  });

  it('of cosines is scipy’s average linkage of the centres', () => {
    // scipy.cluster.hierarchy.linkage([[1,0],[1,0.1],[0,1],[0.2,1]], 'average', 'cosine'), sizes 1.
    const centres = { data: Float32Array.from([1, 0, 1, 0.1, 0, 1, 0.2, 1]), rows: 4, columns: 2 };
    const merges = centreDendrogram({ centres, sizes: [1, 1, 1, 1], metric: 'cosine' });
    expect(merges.map(({ left, right, size }) => [left, right, size])).toEqual([
      [0, 1, 2],
      [2, 3, 2],
      [4, 5, 4],
    ]);
    expect(merges[0]!.height).toBeCloseTo(0.00496281, 6);
    expect(merges[1]!.height).toBeCloseTo(0.01941932, 6);
    expect(merges[2]!.height).toBeCloseTo(0.85291647, 6);
  });
});

describe('treeDendrogram', () => {
  it('is the upper part of the tree', async () => {
    const { found, labels, sizes } = await clustersBy('average', 12);
    const merges = treeDendrogram(found.tree, labels, sizes);
    expect(merges.map(({ height }) => height)).toEqual([...found.distances.slice(-11)]);
    expect(merges.at(-1)).toMatchObject({ size: 200 });
  });
});

describe('cutDendrogram', () => {
  it('gives levels of which each is part of the one above', async () => {
    const { centres, sizes } = await clustersBy('ward', 20);
    const merges = centreDendrogram({ centres, sizes, metric: 'euclidean' });
    for (let count = 1; count < 20; count++) {
      const [coarse, fine] = [cutDendrogram(merges, count), cutDendrogram(merges, count + 1)];
      expect(new Set(coarse).size).toBe(count);
      expect(new Set([...fine].map((group, cluster) => `${group} ${coarse[cluster]}`)).size).toBe(count + 1);
    }
  });
});
