import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import { nearestNeighbours } from './neighbours.ts';
import { gaussians } from './random.ts';

/** Every pair in float64, sorted: what the fast search must equal. */
function byBruteForce({ data, rows, columns }: MatrixView, metric: Metric, count: number, of?: number[]) {
  const unit = Array.from({ length: rows }, (_, row) => {
    const vector = [...data.subarray(row * columns, (row + 1) * columns)];
    if (metric === 'euclidean') return vector;
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return length > 0 ? [...vector.map((value) => Math.fround(value / length)), 0] : [...vector, 1];
  });
  return (of ?? [...unit.keys()]).map((row) =>
    unit
      .map((b, other) => ({
        other,
        square: unit[row]!.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0),
      }))
      .filter(({ other }) => other !== row)
      .sort((a, b) => a.square - b.square || a.other - b.other)
      .slice(0, count)
      .map(({ other }) => other),
  );
}

const clouds = fc
  .record({ rows: fc.integer({ min: 0, max: 40 }), columns: fc.integer({ min: 1, max: 4 }) })
  .chain(({ rows, columns }) =>
    fc
      .array(fc.integer({ min: -3, max: 3 }), { minLength: rows * columns, maxLength: rows * columns })
      .map((values): MatrixView => ({ data: Float32Array.from(values, (v) => v / 3), rows, columns })),
  );

describe('nearestNeighbours', () => {
  it('finds what comparing every pair finds, ties in the order of rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        clouds,
        fc.constantFrom<Metric>('euclidean', 'cosine'),
        fc.integer({ min: 1, max: 5 }),
        async (matrix, metric, wanted) => {
          const { count, indices } = await nearestNeighbours(
            { matrix, metric, count: wanted },
            inlineWorkers(),
          );
          const lists = Array.from({ length: matrix.rows }, (_, row) => [
            ...indices.subarray(row * count, (row + 1) * count),
          ]);
          expect(lists).toEqual(byBruteForce(matrix, metric, wanted));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is right over several blocks, far from the origin, and however the rows are parted', async () => {
    const [rows, columns] = [2500, 24];
    const data = Float32Array.from(gaussians(rows * columns, 7), (value, at) => value + (at % 3) * 100);
    const matrix = { data, rows, columns };
    const one = await nearestNeighbours({ matrix, metric: 'euclidean', count: 7 }, inlineWorkers(1));
    expect(await nearestNeighbours({ matrix, metric: 'euclidean', count: 7 }, inlineWorkers(5))).toEqual(one);
    const some = [0, 255, 256, 1024, 2499];
    expect(some.map((row) => [...one.indices.subarray(row * 7, row * 7 + 7)])).toEqual(
      byBruteForce(matrix, 'euclidean', 7, some),
    );
  });

  it('takes rows that are all equal, rows of zeros, one row and none', async () => {
    const equal = { data: new Float32Array(1100 * 2).fill(1), rows: 1100, columns: 2 };
    const found = await nearestNeighbours({ matrix: equal, metric: 'cosine', count: 2 }, inlineWorkers());
    expect([...found.indices.subarray(0, 6)]).toEqual([1, 2, 0, 2, 0, 1]);
    expect(found.distances.every((distance) => distance === 0)).toBe(true);
    const zeros = { data: Float32Array.from([0, 0, 1, 0, 0, 0]), rows: 3, columns: 2 };
    const { indices, distances } = await nearestNeighbours(
      { matrix: zeros, metric: 'cosine', count: 2 },
      inlineWorkers(),
    );
    expect([...indices]).toEqual([2, 1, 0, 2, 0, 1]);
    expect([...distances]).toEqual([0, 1, 1, 1, 0, 1]);
    for (const rows of [0, 1]) {
      const matrix = { data: new Float32Array(rows * 2), rows, columns: 2 };
      expect(
        await nearestNeighbours({ matrix, metric: 'euclidean', count: 3 }, inlineWorkers()),
      ).toMatchObject({
        count: 0,
      });
    }
  });
});
