import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { clusteringScores, contingency } from './clustering-metrics.ts';
import reference from './fixtures/points-2d.json' with { type: 'json' };
import { type HdbscanOptions, hdbscan } from './hdbscan.ts';
import { assignNew } from './hdbscan-predict.ts';
import type { MatrixView } from './matrix-product.ts';
import { gatherRows } from './vectors.ts';

const points: MatrixView = { data: Float32Array.from(reference.points.flat()), rows: 560, columns: 2 };

function clustered(
  options: Partial<HdbscanOptions> & { selection?: Partial<HdbscanOptions['selection']> } = {},
) {
  return hdbscan(
    {
      matrix: points,
      metric: 'euclidean',
      minClusterSize: 15,
      minSamples: 5,
      ...options,
      selection: { method: 'eom', epsilon: 0, allowSingleCluster: false, ...options.selection },
    },
    inlineWorkers(),
  );
}

/** Adjusted Rand index with noise as a cluster of its own. */
function agreement(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const shift = (labels: ArrayLike<number>) => Int32Array.from(labels, (label) => label + 1);
  return clusteringScores(contingency(shift(a), shift(b))).ari;
}

describe('hdbscan', () => {
  it('finds exactly the clusters of the Python package where no distances are equal', async () => {
    const eom = await clustered({ minSamples: 1 });
    expect(agreement(eom.labels, reference.eom1)).toBe(1);
    const leaf = await clustered({ minSamples: 1, selection: { method: 'leaf' } as never });
    expect(agreement(leaf.labels, reference.leaf1)).toBe(1);
    const joined = await clustered({ minSamples: 1, selection: { method: 'leaf', epsilon: 0.6 } as never });
    expect(agreement(joined.labels, reference.epsilon1)).toBe(1);
  });

  it('agrees with it but for the order of equal edges, with probabilities and outlier scores', async () => {
    const eom = await clustered();
    expect(agreement(eom.labels, reference.eom)).toBeGreaterThan(0.99);
    const leaf = await clustered({ selection: { method: 'leaf' } as never });
    expect(agreement(leaf.labels, reference.leaf)).toBeGreaterThan(0.98);
    const differing = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).filter((value, row) => Math.abs(value - b[row]!) > 1e-4).length;
    expect(differing(eom.probabilities, reference.probabilities)).toBeLessThanOrEqual(2);
    expect(differing(eom.outlierScores, reference.outlier_scores)).toBeLessThanOrEqual(4);
  });

  it('gives the same whatever the number of threads', async () => {
    const one = await clustered();
    const options = { matrix: points, metric: 'euclidean', minClusterSize: 15, minSamples: 5 } as const;
    const selection = { method: 'eom', epsilon: 0, allowSingleCluster: false } as const;
    expect(await hdbscan({ ...options, selection }, inlineWorkers(4))).toEqual(one);
  });

  it('assigns the rows that it was made from to their own clusters, and far ones to none', async () => {
    const fitted = await clustered();
    const added = {
      data: Float32Array.from([...points.data.subarray(0, 200), 90, 90]),
      rows: 101,
      columns: 2,
    };
    const { labels, probabilities } = await assignNew({
      matrix: points,
      metric: 'euclidean',
      minSamples: 5,
      fitted,
      added,
    });
    const same = Array.from(labels.subarray(0, 100)).filter((label, row) => label === fitted.labels[row]);
    expect(same.length).toBeGreaterThan(95);
    expect([labels[100], probabilities[100]]).toEqual([-1, 0]);
    const none = { data: new Float32Array(0), rows: 0, columns: 2 };
    expect(
      (await assignNew({ matrix: points, metric: 'euclidean', minSamples: 5, fitted, added: none })).labels,
    ).toHaveLength(0);
  });

  it('takes no rows, one row, few rows and equal rows', async () => {
    for (const rows of [0, 1, 5]) {
      const { labels, outlierScores } = await clustered({
        matrix: gatherRows(
          points,
          Array.from({ length: rows }, (_, row) => row),
        ),
      });
      expect([...labels]).toEqual(Array(rows).fill(-1));
      expect(outlierScores.every(Number.isFinite)).toBe(true);
    }
    const equal = { data: new Float32Array(120).fill(2), rows: 60, columns: 2 };
    expect(new Set((await clustered({ matrix: equal })).labels)).toEqual(new Set([-1]));
    const single = await clustered({ matrix: equal, selection: { allowSingleCluster: true } as never });
    expect(new Set(single.labels)).toEqual(new Set([0]));
    expect(single.probabilities.every((value) => value === 1)).toBe(true);
    // Two groups of equal rows: infinitely dense, and still two clusters.
    const two = {
      data: Float32Array.from({ length: 120 }, (_, at) => (at < 60 ? 1 : 3)),
      rows: 60,
      columns: 2,
    };
    const { labels } = await clustered({ matrix: two });
    expect([new Set(labels.subarray(0, 30)), new Set(labels.subarray(30))]).toEqual([
      new Set([0]),
      new Set([1]),
    ]);
  });
});
