import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusteringScores, contingency } from './clustering-metrics.ts';
import reference from './fixtures/points.json' with { type: 'json' };
import { type Init, kmeans, kmeansFrom, kmeansRestart, prepareRows } from './kmeans.ts';
import type { MatrixView } from './matrix-product.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { squaredDistance } from './vectors.ts';
import { wardGroups } from './ward.ts';

const columns = 5;
const points: MatrixView = {
  data: Float32Array.from(reference.points.flat()),
  rows: reference.points.length,
  columns,
};
const settings = { init: 'ward', maxIterations: 300, tolerance: 1e-4, spherical: false } as const;

/** The same partition whatever its numbers. */
function samePartition(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return clusteringScores(contingency(a, b)).ari === 1;
}

/** Points of small numbers, many of them equal. */
const clouds = fc
  .record({ rows: fc.integer({ min: 0, max: 30 }), columns: fc.integer({ min: 1, max: 4 }) })
  .chain(({ rows, columns: width }) =>
    fc
      .array(fc.integer({ min: -4, max: 4 }), { minLength: rows * width, maxLength: rows * width })
      .map((values): MatrixView => ({ data: Float32Array.from(values, (v) => v / 3), rows, columns: width })),
  );

describe('openNearestCentre', () => {
  it('finds what float64 arithmetic finds, ties and near ties included', async () => {
    await fc.assert(
      fc.asyncProperty(clouds, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), async (cloud, picks) => {
        fc.pre(cloud.rows > 0);
        // Centres among the points, some twice, some moved by the last bits of a float32.
        const data = new Float32Array(picks.length * cloud.columns);
        picks.forEach((pick, j) => {
          const start = (pick % cloud.rows) * cloud.columns;
          for (let c = 0; c < cloud.columns; c++)
            data[j * cloud.columns + c] = cloud.data[start + c]! * (1 + (pick % 3) * 1e-7);
        });
        const labels = new Int32Array(cloud.rows).fill(-1);
        const nearest = await openNearestCentre(cloud);
        const centres = { data, rows: picks.length, columns: cloud.columns };
        expect(await nearest.assign(centres, labels)).toBe(cloud.rows);
        expect(await nearest.assign(centres, labels)).toBe(0);
        for (let row = 0; row < cloud.rows; row++) {
          const at = (j: number) =>
            squaredDistance(cloud.data, row * cloud.columns, data, j * cloud.columns, cloud.columns);
          const least = Math.min(...picks.map((_, j) => at(j)));
          expect(at(labels[row]!)).toBeCloseTo(least, 12);
        }
      }),
    );
  });

  it('finds for centres that move what it finds at a first look', async () => {
    const moves = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        clouds,
        fc.array(moves, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 0, max: 6 }),
        async (cloud, rounds, digits) => {
          fc.pre(cloud.rows > 0);
          const centres = { data: new Float32Array(3 * cloud.columns), rows: 3, columns: cloud.columns };
          const labels = new Int32Array(cloud.rows).fill(-1);
          const nearest = await openNearestCentre(cloud);
          for (const round of rounds) {
            for (let at = 0; at < centres.data.length; at++) centres.data[at]! += round[at]! * 10 ** -digits;
            await nearest.assign(centres, labels);
            const fresh = new Int32Array(cloud.rows).fill(-1);
            await (await openNearestCentre(cloud)).assign(centres, fresh);
            expect(labels).toEqual(fresh);
          }
        },
      ),
    );
  });
});

describe('kmeans', () => {
  it('goes the way of scikit-learn from the same centres', async () => {
    const rows = prepareRows({ matrix: points, spherical: false });
    const centres = { data: rows.points.data.slice(0, 6 * columns), rows: 6, columns };
    const result = await kmeansFrom({ rows, centres, maxIterations: 300, tolerance: 0 });
    expect(samePartition(result.labels, reference.kmeans.labels)).toBe(true);
    expect(result.inertia / reference.kmeans.inertia).toBeCloseTo(1, 6);
    expect(Math.abs(result.iterations - reference.kmeans.iterations)).toBeLessThanOrEqual(1);
    expect(result.converged).toBe(true);
  });

  it.each(['ward', 'k-means++'] as Init[])('finds a low inertia from %s', async (init) => {
    const result = await kmeans({ ...settings, init, matrix: points, k: 6, seeds: [1, 2, 3] });
    expect(result.inertia).toBeLessThanOrEqual(reference.kmeans.inertia * 1.001);
    expect(result.k).toBe(6);
  });

  it('keeps its promises for any points, any k and any start', async () => {
    await fc.assert(
      fc.asyncProperty(
        clouds,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom<Init>('ward', 'k-means++'),
        fc.boolean(),
        fc.nat(),
        async (matrix, k, init, spherical, seed) => {
          const options = { ...settings, init, spherical, matrix, k, seeds: [seed] };
          const result = await kmeans(options);
          const { labels, centres, sizes, distances } = result;
          const rows = prepareRows({ matrix, spherical }).points;
          const different = new Set(
            Array.from({ length: matrix.rows }, (_, row) =>
              rows.data.subarray(row * matrix.columns, (row + 1) * matrix.columns).join(),
            ),
          ).size;
          expect(result.k).toBe(Math.min(k, different));
          expect(centres.rows).toBe(result.k);
          expect([...sizes]).toEqual([...sizes].sort((a, b) => b - a));
          for (let cluster = 0; cluster < result.k; cluster++) {
            expect(sizes[cluster]).toBeGreaterThan(0);
            expect(labels.filter((label) => label === cluster)).toHaveLength(sizes[cluster]!);
          }
          expect(distances.every((distance) => distance >= 0 || distance > -1e-12)).toBe(true);
          if (!spherical) {
            // Every row is with a centre that is nearest, and inertia is what the distances say.
            for (let row = 0; row < matrix.rows; row++) {
              const at = (cluster: number) =>
                Math.sqrt(
                  squaredDistance(
                    matrix.data,
                    row * matrix.columns,
                    centres.data,
                    cluster * matrix.columns,
                    matrix.columns,
                  ),
                );
              expect(distances[row]).toBeCloseTo(at(labels[row]!), 5);
              for (let cluster = 0; cluster < result.k; cluster++)
                expect(at(labels[row]!)).toBeLessThanOrEqual(at(cluster) + 1e-5);
            }
            const sum = distances.reduce((total, distance) => total + distance ** 2, 0);
            expect(result.inertia).toBeCloseTo(sum, 6);
          }
          expect(await kmeans(options)).toEqual(result);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('has results for no rows, one row, and rows that are all the same', async () => {
    const same = (rows: number) => ({ data: new Float32Array(rows * 3).fill(0.25), rows, columns: 3 });
    for (const init of ['ward', 'k-means++'] as const) {
      expect(await kmeans({ ...settings, init, matrix: same(0), k: 5, seeds: [1] })).toMatchObject({
        k: 0,
        inertia: 0,
        converged: true,
      });
      for (const rows of [1, 2, 400]) {
        const result = await kmeans({ ...settings, init, matrix: same(rows), k: 5, seeds: [1] });
        expect(result).toMatchObject({ k: 1, inertia: 0, converged: true });
        expect([...result.centres.data]).toEqual([0.25, 0.25, 0.25]);
        expect([...result.sizes]).toEqual([rows]);
      }
    }
  });

  it('tells apart rows that differ by less than a step of the grid', async () => {
    const data = Float32Array.from([0, 0.01, 0.02, 1000]);
    const result = await kmeans({ ...settings, matrix: { data, rows: 4, columns: 1 }, k: 4, seeds: [3] });
    expect(result).toMatchObject({ k: 4, inertia: 0 });
  });

  it('separates directions if spherical, whatever the lengths', async () => {
    const data = Float32Array.from([1, 0, 100, 1, 0, 0.01, 3, 200]);
    const result = await kmeans({
      ...settings,
      spherical: true,
      matrix: { data, rows: 4, columns: 2 },
      k: 2,
      seeds: [1],
    });
    expect([...result.labels]).toEqual([0, 0, 1, 1]);
    for (const distance of result.distances) expect(distance).toBeLessThan(1e-3);
  });

  it('stops after the given iterations, and says that it was not done', async () => {
    const rows = prepareRows({ matrix: points, spherical: false });
    const result = await kmeansRestart({
      ...settings,
      rows,
      init: 'k-means++',
      k: 30,
      seed: 1,
      maxIterations: 1,
    });
    expect(result).toMatchObject({ iterations: 1, converged: false, k: 30 });
  });
});

describe('wardGroups', () => {
  it('merges as scikit-learn does', async () => {
    const groups = await wardGroups(points, new Float64Array(points.rows).fill(1), 6);
    expect(samePartition(groups, reference.ward)).toBe(true);
  });

  it('takes a weighted point for as many points', async () => {
    const twice = {
      ...points,
      data: Float32Array.from([...points.data, ...points.data]),
      rows: 2 * points.rows,
    };
    const single = await wardGroups(points, new Float64Array(points.rows).fill(2), 6);
    const double = await wardGroups(twice, new Float64Array(twice.rows).fill(1), 6);
    expect(samePartition(double.subarray(0, points.rows), single)).toBe(true);
  });
});
