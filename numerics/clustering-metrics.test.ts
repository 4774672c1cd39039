import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignment, clusteringScores, contingency } from './clustering-metrics.ts';
import reference from './fixtures/clustering-metrics.json' with { type: 'json' };
import { silhouette } from './silhouette.ts';

const labels = (most: number) =>
  fc
    .integer({ min: 1, max: most })
    .chain((k) => fc.array(fc.integer({ min: 0, max: k - 1 }), { minLength: 1, maxLength: 60 }));

describe('clusteringScores', () => {
  it('gives the values of scikit-learn', () => {
    const scores = clusteringScores(contingency(reference.classes, reference.clusters));
    expect(scores.homogeneity).toBeCloseTo(reference.homogeneity, 12);
    expect(scores.completeness).toBeCloseTo(reference.completeness, 12);
    expect(scores.vMeasure).toBeCloseTo(reference.v_measure, 12);
    expect(scores.nmi).toBeCloseTo(reference.nmi_arithmetic, 12);
    expect(scores.ami).toBeCloseTo(reference.ami_arithmetic, 12);
    expect(scores.ari).toBeCloseTo(reference.ari, 12);
  });

  it('gives 1 for the same partition, whatever its numbers', () => {
    fc.assert(
      fc.property(labels(6), (classes) => {
        const renamed = classes.map((label) => 9 - label);
        const scores = clusteringScores(contingency(classes, renamed));
        for (const score of Object.values(scores)) expect(score).toBeCloseTo(1, 9);
      }),
    );
  });

  it('stays within its bounds, and does not care which side is which where it should not', () => {
    fc.assert(
      fc.property(labels(8), fc.integer({ min: 1, max: 7 }), (classes, turn) => {
        const clusters = classes.map((label, index) => (label + (index % turn)) % 5);
        const there = clusteringScores(contingency(classes, clusters));
        const back = clusteringScores(contingency(clusters, classes));
        expect(there.homogeneity).toBeCloseTo(back.completeness, 9);
        for (const key of ['vMeasure', 'nmi', 'ami', 'ari', 'accuracy'] as const)
          expect(there[key]).toBeCloseTo(back[key], 9);
        for (const key of ['homogeneity', 'completeness', 'vMeasure', 'nmi', 'purity', 'accuracy'] as const) {
          expect(there[key]).toBeGreaterThanOrEqual(0);
          expect(there[key]).toBeLessThanOrEqual(1 + 1e-12);
        }
        expect(there.accuracy).toBeLessThanOrEqual(there.purity + 1e-12);
      }),
    );
  });

  it('knows the limits: one cluster, all alone, nothing', () => {
    expect(clusteringScores(contingency([0, 0, 1, 1], [0, 0, 0, 0]))).toMatchObject({
      homogeneity: 0,
      completeness: 1,
      vMeasure: 0,
      nmi: 0,
      ami: 0,
      ari: 0,
      purity: 0.5,
    });
    expect(clusteringScores(contingency([0, 0, 1, 1], [0, 1, 2, 3]))).toMatchObject({
      homogeneity: 1,
      ari: 0,
    });
    expect(clusteringScores(contingency([], []))).toMatchObject({ vMeasure: 1, ari: 1, purity: 1 });
    expect(() => contingency([1], [])).toThrow('1 classes do not fit 0 clusters');
  });
});

describe('assignment', () => {
  it('costs as little as the best of all permutations', () => {
    const permutations = (items: number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item) =>
            permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
          );
    const square = fc
      .integer({ min: 1, max: 5 })
      .chain((size) =>
        fc.array(fc.integer({ min: -20, max: 20 }), { minLength: size * size, maxLength: size * size }),
      );
    fc.assert(
      fc.property(square, (values) => {
        const size = Math.sqrt(values.length);
        const cost = (columns: number[]) =>
          columns.reduce((sum, column, row) => sum + values[row * size + column]!, 0);
        const columns = assignment(Float64Array.from(values), size);
        expect([...columns].sort()).toEqual([...Array(size).keys()]);
        expect(cost(columns)).toBe(Math.min(...permutations([...Array(size).keys()]).map(cost)));
      }),
    );
  });
});

describe('silhouette', () => {
  const vectors = {
    data: Float32Array.from(reference.points.flat()),
    rows: reference.points.length,
    columns: 4,
  };
  const all = { vectors, labels: Int32Array.from(reference.clusters), sampleSize: 1e6, seed: 1 };

  it('gives the values of scikit-learn', async () => {
    // The reference has float64 points; as float32 they are off by 3e-8.
    expect(await silhouette({ ...all, metric: 'euclidean' })).toBeCloseTo(
      reference.silhouette_euclidean_on_y_prob,
      6,
    );
    expect(await silhouette({ ...all, metric: 'cosine' })).toBeCloseTo(
      reference.silhouette_cosine_on_y_prob,
      6,
    );
  });

  it('estimates the mean from a sample of rows', async () => {
    const estimate = await silhouette({ ...all, metric: 'euclidean', sampleSize: 60 });
    expect(estimate).not.toBe(await silhouette({ ...all, metric: 'euclidean' }));
    expect(Math.abs(estimate - reference.silhouette_euclidean_on_y_prob)).toBeLessThan(0.1);
    expect(await silhouette({ ...all, metric: 'euclidean', sampleSize: 60 })).toBe(estimate);
  });

  it('changes by a thousandth at most where many pairs go over a grid', async () => {
    const rows = 1500;
    const columns = 160;
    const data = Float32Array.from(
      { length: rows * columns },
      (_, i) => Math.sin(i * i * 0.37) + ((i / columns) & 3),
    );
    const big = {
      vectors: { data, rows, columns },
      labels: Int32Array.from({ length: rows }, (_, row) => row & 3),
      seed: 1,
    };
    const gridded = await silhouette({ ...big, metric: 'euclidean', sampleSize: rows });
    // The same rows in two halves stay below the limit.
    const exact = await silhouette({ ...big, metric: 'euclidean', sampleSize: 1200 });
    expect(Math.abs(gridded - exact)).toBeLessThan(0.01);
  });

  it('is undefined for one cluster, and for rows all alone', async () => {
    const points = { data: Float32Array.of(0, 1, 2), rows: 3, columns: 1 };
    for (const clusters of [[0, 0, 0], [0, 1, 2], []])
      expect(
        await silhouette({
          vectors: clusters.length > 0 ? points : { ...points, data: new Float32Array(0), rows: 0 },
          labels: Int32Array.from(clusters),
          metric: 'cosine',
          sampleSize: 10,
          seed: 1,
        }),
      ).toBeNaN();
  });
});
