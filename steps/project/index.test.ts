import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { gaussians } from '../../numerics/random.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { runStep } from '../../test/run-step.ts';
import project from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

/** Rows of four groups in six dimensions, in turns. */
function groups(count: number) {
  const centres = gaussians(24, 1);
  const noise = gaussians(count * 6, 2);
  const data = Float32Array.from(noise, (value, at) => {
    const group = Math.floor(at / 6) % 4;
    return centres[group * 6 + (at % 6)]! * 2 + value * 0.8;
  });
  const rows = Array.from({ length: count }, (_, row) => ({ id: `r${row}`, group: row % 4 }));
  return { rows, vectors: { matrix: { data, rows: count, columns: 6 }, ids: rows.map((row) => row.id) } };
}

function apart(tables: Record<string, Record<string, unknown>[]>): number {
  const rows = tables['rows']! as { x: number; y: number; group: number }[];
  const right = rows.filter((row) => {
    const nearest = rows
      .filter((other) => other !== row)
      .reduce((best, other) =>
        Math.hypot(other.x - row.x, other.y - row.y) < Math.hypot(best.x - row.x, best.y - row.y)
          ? other
          : best,
      );
    return nearest.group === row.group;
  });
  return right.length / rows.length;
}

describe('project', () => {
  it('lays rows out so that those alike are near each other, the same for the same seed', async () => {
    const inputs = groups(120);
    const run = (seed: number) => runStep(project, { pool, with: { n_epochs: 100 }, inputs, seed });
    const { tables, matrices, metrics } = await run(1);
    expect(tables['rows']![0]).toMatchObject({ id: 'r0', group: 0 });
    expect(matrices['coordinates']).toMatchObject({ rows: 120, columns: 2, ids: inputs.vectors.ids });
    expect(tables['rows']![7]!['y']).toBeCloseTo(matrices['coordinates']!.data[15]!, 4);
    expect(apart(tables)).toBeGreaterThan(0.9);
    expect(metrics).toMatchObject({ rows: 120 });
    expect(metrics['trustworthiness']).toBeGreaterThan(0.85);
    expect((await run(1)).matrices).toEqual(matrices);
    expect((await run(2)).matrices).not.toEqual(matrices);
  });

  it('takes the directions of greatest variance by pca', async () => {
    const { tables, metrics, matrices } = await runStep(project, {
      pool,
      with: { method: 'pca', n_components: 4 },
      inputs: groups(80),
    });
    expect(Object.keys(tables['rows']![0]!)).toEqual(['id', 'group', 'x', 'y', 'z']);
    expect(matrices['coordinates']!.columns).toBe(4);
    const variance = (column: number) =>
      matrices['coordinates']!.data.filter((_, at) => at % 4 === column).reduce(
        (sum, value) => sum + value ** 2,
        0,
      );
    expect(variance(0)).toBeGreaterThan(variance(1));
    expect(metrics['explained_variance']).toBeGreaterThan(0.5);
    expect(metrics['explained_variance']).toBeLessThan(1);
  });

  it.each(['umap', 'pca'] as const)('places new rows in an old map by %s', async (method) => {
    const { rows, vectors } = groups(160);
    const part = (from: number, to: number) => {
      const chosen = Array.from({ length: to - from }, (_, index) => from + index);
      return {
        rows: rows.slice(from, to),
        vectors: { matrix: gatherRows(vectors.matrix, chosen), ids: vectors.ids.slice(from, to) },
      };
    };
    const old = part(0, 120);
    const first = await runStep(project, { pool, with: { method }, inputs: old });
    const added = part(120, 160);
    const map = { matrix: first.matrices['coordinates']!, ids: old.vectors.ids };
    const second = await runStep(project, {
      pool,
      with: { method },
      inputs: { ...added, map, map_vectors: old.vectors },
    });
    expect(second.metrics).not.toHaveProperty('trustworthiness');
    expect(second.tables['rows']).toHaveLength(40);
    expect(apart({ rows: [...first.tables['rows']!, ...second.tables['rows']!] })).toBeGreaterThan(0.75);
    await expect(
      runStep(project, {
        pool,
        with: { method, n_components: 3 },
        inputs: { ...added, map, map_vectors: old.vectors },
      }),
    ).rejects.toMatchObject({ code: 'dimensions-differ' });
    await expect(
      runStep(project, { pool, with: { method }, inputs: { ...added, map } }),
    ).rejects.toMatchObject({
      code: 'rows-differ',
      message: 'map and map_vectors go together',
    });
  });

  it('lays rows out by tsne, and says what that cannot', async () => {
    const data = Float32Array.from(gaussians(40 * 4, 3), (value, at) => value + ((at >> 2) % 2) * 30);
    const rows = Array.from({ length: 40 }, (_, row) => ({ id: `t${row}` }));
    const vectors = { matrix: { data, rows: 40, columns: 4 }, ids: rows.map((row) => row.id) };
    const options = { method: 'tsne', perplexity: 8 };
    const run = () => runStep(project, { pool, with: options, inputs: { rows, vectors } });
    const { tables, matrices } = await run();
    const at = (row: number) =>
      [Number(tables['rows']![row]!['x']), Number(tables['rows']![row]!['y'])] as const;
    const apart = (a: number, b: number) => Math.hypot(at(a)[0] - at(b)[0], at(a)[1] - at(b)[1]);
    for (let row = 0; row < 40; row++) {
      const others = rows.map((_, other) => other).filter((other) => other !== row);
      expect(others.toSorted((a, b) => apart(row, a) - apart(row, b))[0]! % 2).toBe(row % 2);
    }
    expect((await run()).tables).toEqual(tables);
    const map = { matrix: matrices['coordinates']!, ids: vectors.ids };
    await expect(
      runStep(project, { pool, with: options, inputs: { rows, vectors, map, map_vectors: vectors } }),
    ).rejects.toMatchObject({ code: 'fixed-map' });
    expect(project.check!({ method: 'tsne', n_components: 3 })).toHaveLength(1);
  });

  it('refuses vectors that are no numbers, and more components than there are dimensions', async () => {
    const inputs = groups(8);
    await expect(
      runStep(project, { pool, with: { method: 'pca', n_components: 7 }, inputs }),
    ).rejects.toMatchObject({ code: 'dimensions-differ' });
    inputs.vectors.matrix.data[13] = Number.POSITIVE_INFINITY;
    await expect(runStep(project, { pool, inputs })).rejects.toMatchObject({
      code: 'bad-vector',
      message: 'the vector of row 3 holds Infinity',
    });
    expect(project.check!({ min_dist: 2, spread: 1 } as JsonObject)).toEqual([
      { parameter: 'min_dist', message: 'min_dist is at most spread; 2 is above 1' },
    ]);
  });

  it.each(['umap', 'tsne', 'pca'] as const)(
    'takes no rows, one row, equal rows and rows of zeros by %s',
    async (method) => {
      for (const data of [[], [1, 2], [1, 2, 3, 4], Array(40).fill(1), Array(40).fill(0)] as number[][]) {
        const rows = Array.from({ length: data.length / 2 }, (_, row) => ({ id: `r${row}` }));
        const matrix = { data: Float32Array.from(data), rows: rows.length, columns: 2 };
        const { tables, matrices } = await runStep(project, {
          pool,
          with: { method, metric: 'cosine' },
          inputs: { rows, vectors: { matrix, ids: rows.map((row) => row.id) } },
        });
        expect(tables['rows']).toHaveLength(rows.length);
        expect(matrices['coordinates']!.data.every(Number.isFinite)).toBe(true);
      }
    },
  );
});
