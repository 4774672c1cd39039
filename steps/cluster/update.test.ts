import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { clusteringScores, contingency } from '../../numerics/clustering-metrics.ts';
import { gaussians } from '../../numerics/random.ts';
import { runStep, type StepOutputs } from '../../test/run-step.ts';
import cluster from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

const middles: [number, number][] = [
  [0, 0],
  [30, 0],
  [0, 30],
  [30, 30],
  [90, 90],
];

/** Rows `<place>-<number>` round the middles of places, so many of each from a number on. */
function rowsOf(counts: readonly number[], from = 0): { rows: Row[]; data: number[] } {
  const rows: Row[] = [];
  const data: number[] = [];
  counts.forEach((count, place) => {
    const noise = gaussians(2 * (from + count), place + 1);
    for (let number = from; number < from + count; number++) {
      rows.push({ id: `${place}-${number}`, place });
      data.push(middles[place]![0] + noise[number * 2]!, middles[place]![1] + noise[number * 2 + 1]!);
    }
  });
  return { rows, data };
}

function run(parts: { rows: Row[]; data: number[] }[], options: JsonObject, earlier?: StepOutputs) {
  const rows = parts.flatMap((part) => part.rows);
  const data = Float32Array.from(parts.flatMap((part) => part.data));
  const centers = earlier?.matrices['centers'];
  return runStep(cluster, {
    pool,
    with: options,
    inputs: {
      rows,
      vectors: { matrix: { data, rows: rows.length, columns: 2 }, ids: rows.map((row) => row.id) },
      ...(earlier &&
        centers && {
          earlier: earlier.tables['rows']!,
          earlier_clusters: earlier.tables['clusters']!,
          earlier_centers: { matrix: centers, ids: centers.ids },
        }),
    },
  });
}

const clusterOf = ({ tables }: StepOutputs) =>
  new Map(tables['rows']!.map((row) => [row.id, row['cluster']] as const));
const statuses = ({ tables }: StepOutputs) =>
  Object.fromEntries(tables['evolution']!.map((row) => [String(row['cluster']), row['status']]));

describe('cluster goes on from an earlier run', () => {
  it('assign: touches new rows only, finds new clusters, and never gives a number twice', async () => {
    const old = rowsOf([40, 30, 20, 10]);
    const first = await run([old], { k: 4 });
    // Cluster 1 grows, one is born, cluster 3 loses all its rows.
    const kept = { rows: old.rows.slice(0, 90), data: old.data.slice(0, 180) };
    const second = await run([kept, rowsOf([2, 12, 1, 0, 9], 40)], { update: 'assign' }, first);
    const [before, after] = [clusterOf(first), clusterOf(second)];
    for (const { id } of kept.rows) expect(after.get(id)).toBe(before.get(id));
    for (const row of second.tables['rows']!)
      expect(row['cluster']).toBe(row['place'] === 4 ? 4 : before.get(`${row['place']}-0`));
    expect(statuses(second)).toEqual({ 0: 'stable', 1: 'grown', 2: 'stable', 3: 'gone', 4: 'new' });
    const changes = second.tables['evolution']!;
    expect(changes.find((row) => row['cluster'] === 1)).toMatchObject({
      size_before: 30,
      size: 42,
      kept: 30,
      came: 12,
      left: 0,
    });
    expect(changes.find((row) => row['cluster'] === 4)).toMatchObject({ size_before: null, size: 9 });
    expect(second.matrices['centers']!.ids).toEqual(['0', '1', '2', '4']);

    const without = rowsOf([40, 30, 20]);
    const third = await run([without], { update: 'assign' }, second);
    const fourth = await run([without, rowsOf([0, 0, 0, 0, 9])], { update: 'assign' }, third);
    expect(statuses(third)).toMatchObject({ 4: 'gone' });
    expect(statuses(fourth)).toMatchObject({ 5: 'new' });
  });

  it('recluster: parts and mergers are told, and the larger keeps the number', async () => {
    const rows = rowsOf([40, 30, 20, 10]);
    const two = await run([rows], { method: 'agglomerative', k: 2 });
    const four = await run([rows], { method: 'agglomerative', k: 4, update: 'recluster' }, two);
    expect(Object.values(statuses(four)).sort()).toEqual(['split', 'split', 'split', 'split']);
    expect(new Set(clusterOf(four).values())).toEqual(new Set([0, 1, 2, 3]));
    const again = await run([rows], { method: 'agglomerative', k: 2, update: 'recluster' }, four);
    expect(clusterOf(again)).toEqual(clusterOf(two));
    expect(statuses(again)).toEqual({ 0: 'merged', 1: 'merged', 2: 'merged', 3: 'merged' });
    expect(again.tables['evolution']!.find((row) => row['cluster'] === 2)).toMatchObject({ size: 0 });
  });

  it('recluster: k-means starts from the earlier centres, so that little moves', async () => {
    const first = await run([rowsOf([40, 30, 20, 10])], { k: 7 });
    const second = await run([rowsOf([44, 33, 22, 11])], { update: 'recluster' }, first);
    const [before, after] = [clusterOf(first), clusterOf(second)];
    expect([...before].filter(([id, number]) => after.get(id) !== number).length).toBeLessThan(10);
  });

  it('hdbscan: new rows in no dense place are noise, and noise may become a cluster', async () => {
    const options = { method: 'hdbscan', min_cluster_size: 5, min_samples: 2 };
    const far = { rows: [{ id: 'far' }], data: [200, -100] };
    const first = await run([rowsOf([40, 30, 20, 10, 2]), far], options);
    expect(clusterOf(first).get('4-0')).toBe(-1);
    const more = { rows: [{ id: 'lost' }], data: [-200, -100] };
    const second = await run(
      [rowsOf([40, 30, 20, 10, 12]), far, more],
      { ...options, update: 'assign' },
      first,
    );
    expect(clusterOf(second).get('far')).toBe(-1);
    expect(clusterOf(second).get('lost')).toBe(-1);
    expect(clusterOf(second).get('4-0')).toBe(4);
    expect(second.metrics).toMatchObject({ k: 5, noise: 2 });
  });

  it.each<JsonObject>([
    { k: 5 },
    { method: 'spherical_kmeans', k: 5 },
    { method: 'hdbscan', min_cluster_size: 8 },
  ])(
    'assign: a tenth more rows give what clustering all of them gives, and nothing is renumbered: %j',
    async (options) => {
      const counts = [90, 72, 54, 36, 27];
      const all = rowsOf(counts.map((count) => Math.round(count / 0.9)));
      const first = await run([rowsOf(counts)], options);
      const second = await run([all], { ...options, update: 'assign' }, first);
      const whole = await run([all], options);
      const labels = ({ tables }: StepOutputs) => tables['rows']!.map((row) => Number(row['cluster']) + 1);
      const { ari } = clusteringScores(contingency(labels(whole), labels(second)));
      expect(ari).toBeGreaterThanOrEqual(0.9);
      const [before, after] = [clusterOf(first), clusterOf(second)];
      const moved = [...before].filter(([id, number]) => number !== -1 && after.get(id) !== number);
      expect(moved).toEqual([]);
      // The centre of each number is where it was.
      for (const [at, id] of first.matrices['centers']!.ids.entries())
        expect(second.matrices['centers']!.ids[at]).toBe(id);
    },
  );

  it('predict: each new row goes where the density of the earlier rows puts it, whatever else is new', async () => {
    const options = { method: 'hdbscan', min_cluster_size: 5, min_samples: 2 };
    const old = rowsOf([40, 30, 20, 10, 2]);
    const first = await run([old], options);
    const added = rowsOf([0, 12, 1, 0, 9], 40);
    const predicted = (rows: ReturnType<typeof rowsOf>) =>
      run([old, rows], { ...options, update: 'predict' }, first);
    const second = await predicted(added);
    const [before, after] = [clusterOf(first), clusterOf(second)];
    for (const { id } of old.rows) expect(after.get(id)).toBe(before.get(id));
    // Nine rows in a place where there was no cluster make none.
    const own = added.rows.map((row) => (row['place'] === 4 ? -1 : before.get(`${row['place']}-0`)));
    expect(added.rows.map(({ id }) => after.get(id))).toEqual(own);
    expect(second.metrics).toMatchObject({ k: 4, noise: 11 });
    for (const row of second.tables['rows']!) {
      expect(Number(row['probability']) > 0).toBe(row['cluster'] !== -1);
      expect(row).not.toHaveProperty('outlier_score');
    }
    for (const at of [0, 12, 20]) {
      const alone = await predicted({ rows: [added.rows[at]!], data: added.data.slice(2 * at, 2 * at + 2) });
      expect(alone.tables['rows']!.at(-1)!['cluster']).toBe(after.get(added.rows[at]!.id));
    }
    // From an empty run, and of nothing new.
    expect((await predicted({ rows: [], data: [] })).metrics).toMatchObject({ k: 4, noise: 2 });
    const none = await run([], options);
    expect((await run([old], { ...options, update: 'predict' }, none)).metrics).toMatchObject({ k: 0 });
  });

  it('takes no rows, and none before; says what it needs', async () => {
    const none = await run([], { k: 3 });
    const some = await run([rowsOf([8, 8])], { update: 'assign' }, none);
    expect(some.tables['rows']).toHaveLength(16);
    expect(some.tables['rows']!.every((row) => Number(row['cluster']) >= 0)).toBe(true);
    const empty = await run([], { update: 'assign' }, some);
    expect(Object.values(statuses(empty)).every((status) => status === 'gone')).toBe(true);
    const again = await run([], { update: 'recluster' }, some);
    expect(again.metrics).toMatchObject({ k: 0 });
    const rows = rowsOf([3]);
    await expect(run([rows], { update: 'assign' })).rejects.toMatchObject({ code: 'no-earlier-clusters' });
    await expect(run([rows], { k: 2 }, none)).rejects.toMatchObject({ code: 'no-earlier-clusters' });
  });
});
