import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { differenceInterval } from '../../numerics/proportion.ts';
import { gaussians, uniform } from '../../numerics/random.ts';
import { runStep } from '../../test/run-step.ts';
import drift from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

const columns = 6;

/** 1,200 rows of two sets in eight clusters; with a shift, cluster 2 is rarer in the second, and its rows lie elsewhere. */
function data(shift: boolean, seed: number) {
  const next = uniform(seed);
  const noise = gaussians(1200 * columns, seed);
  const rows: Row[] = [];
  const vectors = new Float32Array(1200 * columns);
  for (let at = 0; at < 1200; at++) {
    const isNew = at % 2 === 1;
    let cluster = Math.floor(next() * 8);
    if (shift && isNew && cluster === 2 && next() < 0.7) cluster = 5;
    rows.push({ id: `r${at}`, set: isNew ? 'new' : 'old', cluster });
    for (let column = 0; column < columns; column++)
      vectors[at * columns + column] =
        noise[at * columns + column]! + (shift && isNew && column === 0 ? 1 : 0);
  }
  const ids = rows.map((row) => row.id);
  return { rows, vectors: { matrix: { data: vectors, rows: 1200, columns }, ids } };
}

const run = (
  inputs: { rows: Row[]; vectors?: ReturnType<typeof data>['vectors'] },
  options: JsonObject = {},
) => runStep(drift, { pool, with: { source: 'set', ...options }, inputs });

describe('drift', () => {
  it('finds the clusters whose share differs, and that the sets can be told apart', async () => {
    const { tables, metrics, warnings } = await run(data(true, 1));
    expect(warnings).toEqual([]);
    expect(metrics).toMatchObject({ sources: 2, changed: 2, rows: 1200, excluded: 0 });
    // Two normal distributions one deviation apart: Φ(1/√2).
    expect(metrics['domain_auc']).toBeCloseTo(0.76, 1);
    expect(metrics['psi']).toBeGreaterThan(0.1);
    const [first, second] = tables['rows']!;
    expect([first!['cluster'], second!['cluster']].sort()).toEqual([2, 5]);
    for (const row of tables['rows']!) {
      expect(Number(row['difference_low'])).toBeLessThan(Number(row['difference']));
      expect(Number(row['difference_high'])).toBeGreaterThan(Number(row['difference']));
    }
    expect(tables['sources']).toMatchObject([{ id: 'new', set: 'new', rows: 600, changed: 2 }]);
    expect((await run(data(true, 1))).tables).toEqual(tables);
  });

  it('finds nothing where nothing is', async () => {
    let wrong = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { rows } = data(false, seed);
      if (Number((await run({ rows })).metrics['changed']) > 0) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(2);
    const { metrics, tables } = await run(data(false, 4));
    expect(Math.abs(Number(metrics['domain_auc']) - 0.5)).toBeLessThan(0.06);
    const { domain_auc_low: low, domain_auc_high: high } = tables['sources']![0]!;
    expect(Number(low)).toBeLessThan(0.5);
    expect(Number(high)).toBeGreaterThan(0.5);
  });

  it('takes no rows, one set, rows of none and several; says what it does not know', async () => {
    expect((await run({ rows: [] })).metrics).toMatchObject({ sources: 0, changed: 0, rows: 0 });
    const one = [{ id: 'a', set: 'x', cluster: 1 }];
    expect((await run({ rows: one })).tables).toEqual({ rows: [], sources: [] });
    const rows = [
      ...one,
      { id: 'b', set: 'y', cluster: -1 },
      { id: 'c', set: 7, cluster: 1 },
      { id: 'd', set: null, cluster: 0 },
    ];
    const several = await run({ rows }, { reference: 7 });
    expect(several.warnings).toEqual(['1 of 4 rows have no set; they are left out']);
    expect(several.tables['sources']!.map(({ set }) => set)).toEqual(['x', 'y']);
    expect(several.tables['rows']!.find(({ id }) => id === 'y/-1')).toMatchObject({
      share: 1,
      reference_share: 0,
    });
    await expect(run({ rows }, { reference: 'z' })).rejects.toMatchObject({ code: 'unknown-source' });
  });

  it('keeps sets and clusters apart that read alike', async () => {
    const values = [1, '1', null, 'null', 'b/c'];
    const rows = ['old', 1, '1', 'a', 'a/b'].flatMap((set, at) =>
      values.map((cluster, place) => ({ id: `r${at}${place}`, set, cluster })),
    );
    rows.push({ id: 'c', set: 'a/b', cluster: 'c' });
    const { tables } = await run({ rows });
    expect(tables['sources']!.map(({ id, set, rows: size }) => [id, set, size])).toEqual([
      ['1', 1, 5],
      ['"1"', '1', 5],
      ['a', 'a', 5],
      ['a/b', 'a/b', 6],
    ]);
    const found = tables['rows']!.map(({ id }) => id);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(['1/1', '1/"1"', 'a/null', 'a/"null"', 'a/b/c', '"a/b"/c']));
    for (const [reference, base] of [
      [1, 1],
      ['1', '1'],
    ] as const) {
      const own = await run({ rows }, { reference });
      expect(own.tables['sources']!.map(({ set }) => set)).not.toContain(base);
    }
  });

  it('gives the intervals of Newcombe', () => {
    // Newcombe 1998, table II: 56/70 and 48/80.
    const [low, high] = differenceInterval({ count: 56, total: 70 }, { count: 48, total: 80 });
    expect(low).toBeCloseTo(0.0524, 4);
    expect(high).toBeCloseTo(0.3339, 4);
  });
});
