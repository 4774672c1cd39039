import { describe, expect, it } from 'vitest';
import reference from './fixtures/points.json' with { type: 'json' };
import { pca, project } from './pca.ts';

const matrix = {
  data: Float32Array.from(reference.points.flat()),
  rows: reference.points.length,
  columns: 5,
};

describe('pca', () => {
  it('gives the components of scikit-learn, up to their signs', () => {
    const result = pca({ matrix, count: 3 });
    const coordinates = project({ ...matrix, data: matrix.data.subarray(0, 15), rows: 3 }, result);
    reference.pca.explained_variance.forEach((value, component) => {
      expect(result.explainedVariance[component]).toBeCloseTo(value, 9);
      expect(result.explainedVarianceRatio[component]).toBeCloseTo(
        reference.pca.explained_variance_ratio[component]!,
        9,
      );
      const own = [...result.components.subarray(component * 5, component * 5 + 5)];
      const theirs = reference.pca.components[component]!;
      const largest = own.reduce(
        (best, entry, at) => (Math.abs(entry) > Math.abs(own[best]!) ? at : best),
        0,
      );
      expect(own[largest]).toBeGreaterThan(0);
      const sign = Math.sign(theirs[largest]!);
      own.forEach((entry, at) => {
        expect(entry).toBeCloseTo(sign * theirs[at]!, 9);
      });
      for (let row = 0; row < 3; row++)
        expect(coordinates[row * 3 + component]).toBeCloseTo(sign * reference.pca.first[row]![component]!, 9);
    });
  });

  it('gives the same components with fewer rows than columns', () => {
    // Seven rows of five columns, and the same with five columns of 0 beside them: only then are there fewer rows.
    const rows = 7;
    const narrow = { data: matrix.data.slice(0, rows * 5), rows, columns: 5 };
    const wide = { data: new Float32Array(rows * 10), rows, columns: 10 };
    for (let row = 0; row < rows; row++) wide.data.set(narrow.data.subarray(row * 5, row * 5 + 5), row * 10);
    const [expected, found] = [pca({ matrix: narrow, count: 3 }), pca({ matrix: wide, count: 3 })];
    for (let component = 0; component < 3; component++) {
      expect(found.explainedVariance[component]).toBeCloseTo(expected.explainedVariance[component]!, 10);
      expect(found.explainedVarianceRatio[component]).toBeCloseTo(
        expected.explainedVarianceRatio[component]!,
        10,
      );
      for (let column = 0; column < 5; column++)
        expect(found.components[component * 10 + column]).toBeCloseTo(
          expected.components[component * 5 + column]!,
          8,
        );
    }
    expect(pca({ matrix: wide, count: 9 }).explainedVariance[8]).toBeCloseTo(0, 10);
  });

  it('fits on a sample when asked to', () => {
    const options = { matrix, count: 2, sampleSize: 100 };
    expect(pca({ ...options, seed: 1 })).toEqual(pca({ ...options, seed: 1 }));
    expect(pca({ ...options, seed: 1 })).not.toEqual(pca({ ...options, seed: 2 }));
    expect(pca({ matrix, count: 2, sampleSize: 240 })).toEqual(pca({ matrix, count: 2 }));
  });

  it('has no variance to explain in one row, or in equal ones', () => {
    for (const rows of [0, 1, 4]) {
      const same = { data: new Float32Array(rows * 3).fill(2), rows, columns: 3 };
      const result = pca({ matrix: same, count: 2 });
      expect([...result.explainedVarianceRatio]).toEqual([0, 0]);
      expect([...project(same, result)].every((value) => Math.abs(value) < 1e-12)).toBe(true);
    }
  });
});
