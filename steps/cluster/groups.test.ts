import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { corners } from '../../test/corners.ts';
import { runStep } from '../../test/run-step.ts';
import cluster from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

describe('what cluster tells of its clusters', () => {
  it.each<JsonObject>([{}, { k_criterion: 'elbow' }, { k_criterion: 'gap' }, { method: 'agglomerative' }])(
    'finds how many clusters there are: %j',
    async (parameters) => {
      const { rows, vectors } = corners(10);
      const run = () =>
        runStep(cluster, { pool, with: { ...parameters, k: 'auto', k_max: 9 }, inputs: { rows, vectors } });
      const { metrics, tables, warnings } = await run();
      expect(metrics).toMatchObject({ k: 4 });
      expect(warnings).toEqual([]);
      const curve = tables['k_curve']!;
      expect(curve.filter((row) => row['chosen']).map((row) => row['k'])).toEqual([4]);
      expect(curve.at(-1)).toMatchObject({ id: '9', k: 9 });
      expect(curve[0]).toHaveProperty(parameters['k_criterion'] === 'gap' ? 'gap' : 'inertia');
      expect((await run()).tables).toEqual(tables);
    },
  );

  it('takes representatives that are unlike each other, the nearest first', async () => {
    const { rows, vectors } = corners(20);
    vectors.matrix.data = vectors.matrix.data.map((value) => value - 5);
    const of = async (selection: string) => {
      const { tables } = await runStep(cluster, {
        pool,
        with: { k: 4, representatives: 3, representative_selection: selection },
        inputs: { rows, vectors },
      });
      return tables['clusters']!.map((row) => row['representatives'] as string[]);
    };
    const place = (id: string) => vectors.ids.indexOf(id) * 2;
    const angle = (id: string) =>
      Math.atan2(vectors.matrix.data[place(id) + 1]!, vectors.matrix.data[place(id)]!);
    const spread = (ids: string[]) => {
      let sum = 0;
      for (const a of ids) for (const b of ids) sum += 1 - Math.cos(angle(a) - angle(b));
      return sum;
    };
    const nearest = await of('nearest');
    // The first is the medoid: of all rows of its corner the one with the least squared distances to them.
    const members = vectors.ids.filter((_, row) => row % 4 === vectors.ids.indexOf(nearest[0]![0]!) % 4);
    const square = (a: string, b: string) =>
      [0, 1].reduce(
        (sum, axis) =>
          sum + (vectors.matrix.data[place(a) + axis]! - vectors.matrix.data[place(b) + axis]!) ** 2,
        0,
      );
    const cost = (id: string) => members.reduce((sum, other) => sum + square(id, other), 0);
    expect(cost(nearest[0]![0]!)).toBe(Math.min(...members.map(cost)));
    for (const selection of ['mmr', 'k_centre']) {
      const diverse = await of(selection);
      expect(diverse.map((ids) => ids.length)).toEqual([3, 3, 3, 3]);
      expect(diverse.map((ids) => ids[0])).toEqual(nearest.map((ids) => ids[0]));
      expect(spread(diverse[0]!)).toBeGreaterThan(spread(nearest[0]!));
    }
  });

  it('lists what is odd in each cluster', async () => {
    const { rows, vectors } = corners(20);
    vectors.matrix.data.set([3, 3], 0);
    const { tables } = await runStep(cluster, {
      pool,
      with: { k: 4, anomalies: 2 },
      inputs: { rows, vectors },
    });
    const odd = tables['rows']!.toSorted((a, b) => Number(b['outlier_score']) - Number(a['outlier_score']));
    expect(odd[0]!.id).toBe('r0');
    for (const { cluster: number, anomalies } of tables['clusters']!)
      expect(anomalies).toEqual(
        odd
          .filter((row) => row['cluster'] === number)
          .slice(0, 2)
          .map((row) => row.id),
      );
  });

  it.each<JsonObject>([{ merge: 0.99 }, { merge: 'auto' }])(
    'merges clusters that are alike, with %j, and counts stay',
    async (parameters) => {
      const { rows, vectors } = corners(20);
      vectors.matrix.data = vectors.matrix.data.map((value) => value - 5);
      const { tables, metrics } = await runStep(cluster, {
        pool,
        with: { ...parameters, k: 7 },
        inputs: { rows, vectors },
      });
      expect(metrics).toMatchObject({ k: 4, merged: 3, smallest: 20, largest: 20 });
      expect(new Set(tables['rows']!.map((row) => `${row['corner']} ${row['cluster']}`)).size).toBe(4);
      const merges = tables['merges']!;
      expect(merges.map((row) => row['node'])).toEqual([7, 8, 9]);
      for (const row of merges) {
        expect(row['similarity']).toBeGreaterThan(0.9);
        const { size } = tables['clusters']![Number(row['cluster'])]!;
        expect(Number(row['size'])).toBeLessThanOrEqual(Number(size));
      }
      let inertia = 0;
      for (const row of tables['rows']!) inertia += Number(row['distance']) ** 2;
      expect(metrics['inertia']).toBeCloseTo(inertia, 3);
    },
  );

  it('gives noise to the cluster that it is like, if it is enough', async () => {
    const { rows, vectors } = corners(10);
    const data = Float32Array.from([...vectors.matrix.data.map((value) => value - 5), 60, 61, -80, 20]);
    const all = [...rows, { id: 'far' }, { id: 'away' }];
    const run = (options: JsonObject) =>
      runStep(cluster, {
        pool,
        with: { method: 'hdbscan', min_cluster_size: 5, min_samples: 3, ...options },
        inputs: {
          rows: all,
          vectors: { matrix: { data, rows: 42, columns: 2 }, ids: all.map((row) => row.id) },
        },
      });
    expect((await run({})).metrics).toMatchObject({ k: 4, noise: 2 });
    const { tables, metrics } = await run({ reduce_outliers: 0.99 });
    expect(metrics).toMatchObject({ k: 4, noise: 1, reduced: 1, largest: 11 });
    const [far, away] = tables['rows']!.slice(-2);
    expect(away).toMatchObject({ cluster: -1, rank: null });
    // The largest cluster comes first.
    expect(far).toMatchObject({ cluster: 0, rank: 11, probability: 0 });
    expect(tables['rows']!.filter((row) => row['cluster'] === 0).map((row) => row['corner'])).toContain(3);
    expect((await run({ reduce_outliers: -1 })).metrics).toMatchObject({ noise: 0, reduced: 2 });
  });

  it('counts noise once when clusters are merged', async () => {
    const { rows, vectors } = corners(10);
    const data = Float32Array.from([...vectors.matrix.data, 100, 100, -50, 80]);
    const all = [...rows, { id: 'far' }, { id: 'away' }];
    const { tables, metrics } = await runStep(cluster, {
      pool,
      with: { method: 'hdbscan', min_cluster_size: 5, min_samples: 3, merge: -1, hierarchy: 'auto' },
      inputs: {
        rows: all,
        vectors: { matrix: { data, rows: 42, columns: 2 }, ids: all.map((row) => row.id) },
      },
    });
    expect(metrics).toMatchObject({ k: 1, noise: 2, merged: 3, largest: 40 });
    expect(tables['clusters']![0]).not.toHaveProperty('persistence');
    expect(tables['dendrogram']).toEqual([]);
  });

  it.each<JsonObject>([{ k: 9 }, { method: 'agglomerative', linkage: 'average', k: 9 }])(
    'builds levels that each hold every row once: %j',
    async (parameters) => {
      const { rows, vectors } = corners(20);
      const { tables } = await runStep(cluster, {
        pool,
        with: { ...parameters, hierarchy: [4, 2, 500] },
        inputs: { rows, vectors },
      });
      const groups = tables['hierarchy']!;
      expect(groups.map((row) => row['level'])).toEqual([1, 1, 2, 2, 2, 2]);
      const clusters = tables['clusters']!;
      for (const level of [1, 2]) {
        const own = groups.filter((row) => row['level'] === level);
        expect(own.flatMap((row) => row['clusters'] as number[]).sort((a, b) => a - b)).toEqual(
          clusters.map((row) => row['cluster']),
        );
        for (const { group, size } of own)
          expect(tables['rows']!.filter((row) => row[`level_${level}`] === group)).toHaveLength(Number(size));
      }
      for (const { id, children } of groups.slice(0, 2))
        for (const child of children as string[])
          expect(groups.find((row) => row.id === child)).toMatchObject({ parent: id });
      const heights = tables['dendrogram']!.map((row) => Number(row['height']));
      expect(heights).toHaveLength(clusters.length - 1);
      expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    },
  );
});
