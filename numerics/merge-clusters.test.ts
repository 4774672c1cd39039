import { describe, expect, it } from 'vitest';
import { withCentres } from './cluster-centres.ts';
import { mergeBySilhouette, mergeSimilar } from './merge-clusters.ts';
import { gaussians } from './random.ts';

/** Four places, of which the first has been cut into three clusters by a line through it. */
function planted() {
  const rows = 400;
  const data = Float32Array.from(gaussians(rows * 2, 8));
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const place = row % 4;
    labels[row] = place === 0 ? (data[row * 2]! < -0.4 ? 0 : data[row * 2]! < 0.4 ? 4 : 5) : place;
    data[row * 2]! += [20, -20, 0, 0][place]!;
    data[row * 2 + 1]! += [0, 0, 20, -20][place]!;
  }
  const matrix = { data, rows, columns: 2 };
  const found = withCentres({ matrix, labels, k: 6, metric: 'euclidean' });
  return {
    matrix,
    found,
    options: { centres: found.centres, sizes: found.sizes, metric: 'euclidean' } as const,
  };
}

describe('merging', () => {
  it('finds the parts of what was one by a threshold, and by the silhouette', async () => {
    const { matrix, found, options } = planted();
    const seed = 1;
    const bySilhouette = await mergeBySilhouette({ ...options, vectors: matrix, labels: found.labels, seed });
    for (const { groups, merges } of [mergeSimilar({ ...options, threshold: 0.9 }), bySilhouette]) {
      expect(new Set(groups).size).toBe(4);
      expect(merges).toHaveLength(2);
      expect(merges[1]).toMatchObject({ size: 100 });
      expect(merges[1]!.height).toBeLessThan(0.01);
      const merged = [3, 4, 5].map((cluster) => groups[cluster]);
      expect(new Set(merged).size).toBe(1);
    }
  });

  it('leaves alone what is apart, and takes no clusters, one and two', async () => {
    const { matrix, found, options } = planted();
    expect(mergeSimilar({ ...options, threshold: 1 }).merges).toEqual([]);
    expect(mergeSimilar({ ...options, threshold: -1 }).merges).toHaveLength(5);
    for (const k of [0, 1, 2]) {
      const few = {
        centres: { ...found.centres, rows: k, data: found.centres.data.slice(0, k * 2) },
        sizes: found.sizes.slice(0, k),
        metric: 'euclidean',
      } as const;
      expect(mergeSimilar({ ...few, threshold: 0.9 }).groups).toHaveLength(k);
      const labels = new Int32Array(matrix.rows);
      expect((await mergeBySilhouette({ ...few, vectors: matrix, labels, seed: 1 })).merges).toEqual([]);
    }
  });
});
