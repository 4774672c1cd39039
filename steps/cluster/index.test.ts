import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { corners } from '../../test/corners.ts';
import { runStep } from '../../test/run-step.ts';
import cluster from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

describe('cluster', () => {
  it('finds clusters, and keeps every row with its place in one', async () => {
    const { rows, vectors } = corners(10);
    const { tables, matrices, metrics, warnings } = await runStep(cluster, {
      pool,
      with: { k: 4 },
      inputs: { rows, vectors },
    });
    expect(warnings).toEqual([]);
    expect(tables['rows']).toHaveLength(40);
    const clusterOf = new Map<unknown, unknown>();
    tables['rows']!.forEach((row, index) => {
      expect(row).toMatchObject(rows[index]!);
      const known = clusterOf.get(row['corner']);
      if (known !== undefined) expect(row['cluster']).toBe(known);
      clusterOf.set(row['corner'], row['cluster']);
    });
    expect(new Set(clusterOf.values()).size).toBe(4);
    for (const { id, cluster: number, size, representatives } of tables['clusters']!) {
      const members = tables['rows']!.filter((row) => row['cluster'] === number);
      expect(id).toBe(String(number));
      expect(size).toBe(members.length);
      const ordered = members.toSorted((a, b) => Number(a['rank']) - Number(b['rank']));
      expect(ordered.map((row) => row['rank'])).toEqual(members.map((_, index) => index + 1));
      expect(ordered.map((row) => row['distance'])).toEqual(
        members.map((row) => Number(row['distance'])).sort((a, b) => a - b),
      );
      expect(representatives).toEqual(ordered.slice(0, 5).map((row) => row.id));
      expect(ordered.filter((row) => row['is_representative'])).toHaveLength(5);
    }
    expect(matrices['centers']).toMatchObject({ rows: 4, columns: 2, ids: ['0', '1', '2', '3'] });
    expect(matrices['vectors']!.data).toEqual(vectors.matrix.data);
    expect(metrics).toMatchObject({ k: 4, smallest: 10, largest: 10 });
    expect(metrics['silhouette']).toBeGreaterThan(0);
  });

  it('gives the same outputs for the same seed', async () => {
    const { rows, vectors } = corners(30);
    const run = (seed: number) => runStep(cluster, { pool, with: { k: 9 }, inputs: { rows, vectors }, seed });
    expect(await run(1)).toEqual(await run(1));
  });

  it('clusters by direction if spherical', async () => {
    const data = Float32Array.from([1, 0, 100, 1, 0, 1, 1, 90]);
    const rows = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
    const { tables } = await runStep(cluster, {
      pool,
      with: { k: 2, spherical: true },
      inputs: { rows, vectors: { matrix: { data, rows: 4, columns: 2 }, ids: ['a', 'b', 'c', 'd'] } },
    });
    expect(tables['rows']!.map((row) => row['cluster'])).toEqual([0, 0, 1, 1]);
  });

  it('makes fewer clusters when fewer vectors differ, and says so', async () => {
    const rows = ['a', 'b', 'c'].map((id) => ({ id }));
    const vectors = {
      matrix: { data: Float32Array.from([1, 2, 1, 2, 3, 4]), rows: 3, columns: 2 },
      ids: ['a', 'b', 'c'],
    };
    const { metrics, warnings, tables } = await runStep(cluster, {
      pool,
      with: { k: 5 },
      inputs: { rows, vectors },
    });
    expect(metrics).toMatchObject({ k: 2, inertia: 0 });
    expect(tables['rows']!.map((row) => row['cluster'])).toEqual([0, 0, 1]);
    expect(warnings).toEqual(['there are 2 clusters instead of 5: only 2 of the 3 vectors differ']);
  });

  it('takes an empty table', async () => {
    const vectors = { matrix: { data: new Float32Array(0), rows: 0, columns: 3 }, ids: [] };
    const { metrics, tables, matrices } = await runStep(cluster, {
      pool,
      with: { k: 5 },
      inputs: { rows: [], vectors },
    });
    expect(metrics).toMatchObject({ k: 0, smallest: 0, largest: 0 });
    expect(tables).toEqual({ rows: [], clusters: [] });
    expect(matrices['centers']).toMatchObject({ rows: 0, columns: 3 });
  });

  it('refuses vectors of other rows, and vectors that are no numbers', async () => {
    const { rows, vectors } = corners(2);
    const shuffled = { ...vectors, ids: vectors.ids.toReversed() };
    await expect(
      runStep(cluster, { pool, with: { k: 2 }, inputs: { rows, vectors: shuffled } }),
    ).rejects.toMatchObject({
      code: 'rows-differ',
      message: 'the 8 rows and the 8 vectors have different ids, or another order',
    });
    await expect(
      runStep(cluster, { pool, with: { k: 2 }, inputs: { rows: rows.slice(1), vectors } }),
    ).rejects.toMatchObject({ code: 'rows-differ', message: 'there are 7 rows, but vectors of 8 rows' });
    vectors.matrix.data[3] = Number.NaN;
    await expect(runStep(cluster, { pool, with: { k: 2 }, inputs: { rows, vectors } })).rejects.toMatchObject(
      {
        code: 'bad-vector',
        message: 'the vector of row 2 holds NaN',
      },
    );
  });

  it.each<JsonObject>([
    { method: 'minibatch_kmeans', k: 4, batch_size: 16 },
    { method: 'spherical_kmeans', k: 4 },
    { method: 'agglomerative', k: 4 },
    { method: 'leiden', n_neighbors: 6, resolution: 0.5 },
    { method: 'louvain', n_neighbors: 6, resolution: 0.5 },
  ])('clusters by %j', async (parameters) => {
    // Round the corners of a square, seen from its middle: apart by direction too.
    const { rows, vectors } = corners(10);
    vectors.matrix.data = vectors.matrix.data.map((value) => value - 5);
    const run = () => runStep(cluster, { pool, with: parameters, inputs: { rows, vectors } });
    const { tables, metrics, warnings } = await run();
    expect(warnings).toEqual([]);
    expect(metrics).toMatchObject({ k: 4, smallest: 10, largest: 10 });
    const pairs = tables['rows']!.map((row) => `${row['corner']} ${row['cluster']}`);
    expect(new Set(pairs).size).toBe(4);
    expect(metrics).not.toHaveProperty('noise');
    expect(await run()).toMatchObject({ tables, metrics });
  });

  it('leaves out as noise what lies in no dense place, and numbers the clusters by size', async () => {
    const { rows, vectors } = corners(10);
    const data = Float32Array.from([...vectors.matrix.data, 100, 100, -50, 80]);
    const all = [...rows, { id: 'far' }, { id: 'away' }];
    const { tables, metrics, matrices } = await runStep(cluster, {
      pool,
      with: { method: 'hdbscan', min_cluster_size: 5, min_samples: 3 },
      inputs: {
        rows: all,
        vectors: { matrix: { data, rows: 42, columns: 2 }, ids: all.map((row) => row.id) },
      },
    });
    expect(metrics).toMatchObject({ k: 4, noise: 2, smallest: 10, largest: 10 });
    expect(metrics).not.toHaveProperty('inertia');
    expect(tables['rows']!.at(-1)).toMatchObject({
      id: 'away',
      cluster: -1,
      distance: null,
      rank: null,
      is_representative: false,
      probability: 0,
    });
    expect(tables['rows']!.at(-1)!['outlier_score']).toBeGreaterThan(0.9);
    expect(tables['rows']![0]).toMatchObject({ rank: 1, is_representative: true });
    expect(tables['rows']![0]!['probability']).toBeGreaterThan(0);
    expect(tables['clusters']![0]).toMatchObject({ cluster: 0, size: 10 });
    expect(tables['clusters']![0]!['persistence']).toBeGreaterThan(0);
    expect(matrices['centers']).toMatchObject({ rows: 4, columns: 2 });
  });

  it('cuts a hierarchy by distance', async () => {
    const { rows, vectors } = corners(10);
    const { metrics } = await runStep(cluster, {
      pool,
      with: { method: 'agglomerative', linkage: 'average', distance_threshold: 5 },
      inputs: { rows, vectors },
    });
    expect(metrics).toMatchObject({ k: 4 });
  });

  it('says which parameters do not go together', () => {
    const check = (given: JsonObject) =>
      cluster.check!(compileSchema(cluster.parameters).parse(given)).map(({ message }) => message);
    expect(check({ k: 3 })).toEqual([]);
    expect(check({})).toEqual(['kmeans needs the number of clusters']);
    expect(check({ method: 'hdbscan', k: 3 })).toEqual([
      'hdbscan finds the number of clusters itself: say min_cluster_size',
    ]);
    expect(check({ method: 'agglomerative' })).toEqual(['agglomerative needs k or distance_threshold']);
    expect(check({ method: 'agglomerative', k: 3, metric: 'cosine' })).toEqual([
      'ward takes euclidean distances; for cosine take average, complete or single',
    ]);
    expect(check({ k: 'auto', k_min: 9, k_max: 8 })).toEqual(['k_max is at least k_min; 8 is below 9']);
    expect(check({ method: 'agglomerative', k: 'auto', k_criterion: 'gap' })).toHaveLength(1);
    expect(check({ k: 3, update: 'predict' })).toEqual([
      'predict goes by the density that hdbscan found; with kmeans take update: assign',
    ]);
    expect(check({ method: 'hdbscan', update: 'predict', merge: 0.9 })).toHaveLength(1);
    expect(check({ k: 3, distance_threshold: 1 })).toEqual(['kmeans has no distance_threshold']);
  });

  it.each<JsonObject>([
    { method: 'hdbscan' },
    { method: 'hdbscan', metric: 'cosine', allow_single_cluster: true, merge: 0.5, hierarchy: [2] },
    { k: 3, anomalies: 3, representative_selection: 'mmr', merge: 'auto', hierarchy: 'auto' },
    { k: 'auto' },
    { k: 'auto', k_criterion: 'elbow' },
    { method: 'agglomerative', k: 'auto' },
    { method: 'leiden' },
    { method: 'louvain' },
    { method: 'minibatch_kmeans', k: 3 },
    { method: 'spherical_kmeans', k: 3 },
    { method: 'agglomerative', k: 3 },
    { method: 'agglomerative', metric: 'cosine', linkage: 'average', distance_threshold: 0.5 },
  ])('takes no rows, one, two, equal rows and rows of zeros: %j', async (parameters) => {
    for (const data of [[], [1, 2], [1, 2, 3, 4], Array(16).fill(1), Array(16).fill(0)] as number[][]) {
      const rows = Array.from({ length: data.length / 2 }, (_, row) => ({ id: `r${row}` }));
      const matrix = { data: Float32Array.from(data), rows: rows.length, columns: 2 };
      const { tables } = await runStep(cluster, {
        pool,
        with: parameters,
        inputs: { rows, vectors: { matrix, ids: rows.map((row) => row.id) } },
      });
      expect(tables['rows']).toHaveLength(rows.length);
      for (const row of tables['rows']!) {
        expect(row['cluster']).toBeTypeOf('number');
        expect(row['distance'] === null).toBe(row['cluster'] === -1);
      }
    }
  });
});
