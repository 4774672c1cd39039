import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { gaussians } from '../../numerics/random.ts';
import { runStep } from '../../test/run-step.ts';
import outliers from './index.ts';

const pool = new WorkerPool({ threads: 1 });
afterAll(() => pool.close());

const ids = (table: Row[] | undefined) => (table ?? []).map(({ id }) => id);
/** 300 rows in three clusters of 8 dimensions, then 20 planted rows of none. */
const [size, planted, columns] = [300, 20, 8];
const noise = gaussians((size + planted) * columns, 5);
const data = Float32Array.from(noise, (value, at) => {
  const [row, column] = [Math.floor(at / columns), at % columns];
  return row < size ? value * 0.3 + (column === row % 3 ? 4 : 0) : value * 3;
});
const rows: Row[] = Array.from({ length: size + planted }, (_, row) => ({
  id: `r${row}`,
  cluster: row % 3,
  x: data[row * columns]!,
  y: data[row * columns + 1]!,
  z: data[row * columns + 2]!,
}));
const vectors = { matrix: { data, rows: size + planted, columns }, ids: ids(rows) };
const find = (options: JsonObject) => runStep(outliers, { pool, with: options, inputs: { rows, vectors } });
const hits = (table: Row[] | undefined) => ids(table).filter((id) => Number(id.slice(1)) >= size).length;

describe('outliers', () => {
  it.each(['knn', 'lof', 'isolation_forest'])('%s: the planted rows top the list', async (method) => {
    const share = planted / (size + planted);
    const { tables, metrics } = await find({ method, metric: 'euclidean', contamination: share });
    expect(metrics).toMatchObject({ outliers: planted, without: 0 });
    expect(hits(tables['outliers'])).toBeGreaterThanOrEqual(0.9 * planted);
    expect(tables['outliers']!.map((row) => row['outlier_rank'])).toEqual(
      Array.from({ length: planted }, (_, at) => at + 1),
    );
    expect(ids(tables['rows'])).toEqual(ids(rows));
    expect(tables['kept']!.length).toBe(size);
    const auto = await find({ method, metric: 'euclidean' });
    expect(hits(auto.tables['outliers'])).toBeGreaterThanOrEqual(0.9 * planted);
  });

  it('within clusters, 18 of 20 are in the top 25', async () => {
    const { tables } = await find({
      by: 'cluster',
      metric: 'euclidean',
      contamination: 25 / (size + planted),
    });
    expect(tables['outliers']!.length).toBe(25);
    expect(hits(tables['outliers'])).toBeGreaterThanOrEqual(18);
  });

  it('by numeric fields, whatever their scale; rows without a number get no score', async () => {
    const scaled = rows.map((row) => ({ ...row, y: Number(row['y']) * 1e4 }));
    const run = (table: Row[]) =>
      runStep(outliers, {
        pool,
        with: { fields: ['x', 'y', 'z'], contamination: 0.05 },
        inputs: { rows: table },
      });
    const found = await run(scaled);
    expect(ids(found.tables['outliers'])).toEqual(ids((await run(rows)).tables['outliers']));
    const missing = await run([...scaled.slice(1), { id: 'none', x: 1, y: null }]);
    expect(missing.metrics['without']).toBe(1);
    expect(missing.tables['rows']!.at(-1)).toMatchObject({ outlier_score: null, is_outlier: false });
    const texts = rows.map((row) => ({ ...row, x: String(row['x']) }));
    const asTexts = { pool, with: { fields: ['x'] }, inputs: { rows: texts } };
    await expect(runStep(outliers, asTexts)).rejects.toMatchObject({
      message: 'no row has a number in x',
      hint: 'numbers of CSV are texts until load casts them: cast: { x: number }, or types: inferred',
    });
    expect(missing.warnings[0]).toContain('1 of 320 rows have no number in x, y, z');
  });

  it('length: texts much longer or shorter than the others', async () => {
    const texts = Array.from({ length: 50 }, (_, row) => 'word '.repeat(10 + (row % 5)));
    const table = [...texts, 'a', 'x'.repeat(100_000), ''].map((text, row) => ({ id: `t${row}`, text }));
    const { tables } = await runStep(outliers, { with: { method: 'length' }, inputs: { rows: table } });
    expect(ids(tables['outliers']).toSorted()).toEqual(['t50', 't51', 't52']);
    const emoji = ['aaaa', '😀😀😀😀', 'bbbb'].map((text, row) => ({ id: `e${row}`, text }));
    const alike = await runStep(outliers, { with: { method: 'length' }, inputs: { rows: emoji } });
    expect(alike.tables['rows']!.map((row) => row['outlier_score'])).toEqual([0, 0, 0]);
  });

  it('tells numbers apart that lie close to each other and far from 0', async () => {
    const table = Array.from({ length: 50 }, (_, row) => ({
      id: `t${row}`,
      ts: 1_767_225_600_000 + (row === 49 ? 60_000 : 10 * row),
    }));
    for (const scaling of ['robust', 'standard']) {
      const { tables } = await runStep(outliers, {
        pool,
        with: { fields: ['ts'], scaling, n_neighbors: 5, contamination: 0.02 },
        inputs: { rows: table },
      });
      expect(ids(tables['outliers'])).toEqual(['t49']);
    }
  });

  it.each(['knn', 'lof', 'isolation_forest', 'length'])(
    '%s: no rows, one row, equal rows',
    async (method) => {
      const variants: JsonObject[] = [{}, { by: 'cluster' }, { contamination: 0.5 }];
      for (const count of [0, 1, 30]) {
        const table = Array.from({ length: count }, (_, row) => ({
          id: `e${row}`,
          text: 'same',
          cluster: row % 2,
        }));
        const alike = {
          matrix: { data: new Float32Array(count * 2), rows: count, columns: 2 },
          ids: ids(table),
        };
        for (const options of variants) {
          const found = await runStep(outliers, {
            pool,
            with: { method, ...options },
            inputs: { rows: table, vectors: alike },
          });
          expect(found.tables['rows']).toHaveLength(count);
          if (!('contamination' in options)) expect(found.metrics['outliers']).toBe(0);
        }
      }
    },
  );

  it('says what is missing', async () => {
    await expect(runStep(outliers, { inputs: { rows } })).rejects.toMatchObject({ code: 'no-vectors' });
    await expect(find({ by: 'clutser' })).rejects.toMatchObject({ code: 'missing-field' });
    expect(outliers.check!({ method: 'length', fields: ['x'] })).toHaveLength(1);
  });
});
