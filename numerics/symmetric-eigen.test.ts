import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from './symmetric-eigen.ts';

describe('symmetricEigen', () => {
  it('gives the eigenvalues of a known matrix', () => {
    // [[2, 1], [1, 2]] has 3 with (1, 1)/√2 and 1 with (1, -1)/√2.
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect(values[0]).toBeCloseTo(3, 12);
    expect(values[1]).toBeCloseTo(1, 12);
    expect(vectors[0]).toBeCloseTo(Math.SQRT1_2, 12);
    expect(vectors[2]).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('takes any symmetric matrix apart: M v = λ v, vectors orthonormal', () => {
    const matrices = fc.integer({ min: 1, max: 12 }).chain((n) =>
      fc
        .array(fc.oneof(fc.constant(0), fc.double({ min: -100, max: 100, noNaN: true })), {
          minLength: n * n,
          maxLength: n * n,
        })
        .map((cells) => ({ n, cells })),
    );
    fc.assert(
      fc.property(matrices, ({ n, cells }) => {
        const matrix = Float64Array.from(
          cells,
          (_, at) => cells[Math.max(at, (at % n) * n + Math.floor(at / n))]!,
        );
        const { values, vectors } = symmetricEigen(matrix, n);
        const size = Math.max(1, ...matrix.map(Math.abs));
        for (let a = 0; a < n; a++) {
          if (a > 0) expect(values[a]!).toBeLessThanOrEqual(values[a - 1]!);
          for (let row = 0; row < n; row++) {
            let product = 0;
            for (let k = 0; k < n; k++) product += matrix[row * n + k]! * vectors[k * n + a]!;
            expect(Math.abs(product - values[a]! * vectors[row * n + a]!)).toBeLessThan(1e-10 * size * n);
          }
          for (let b = 0; b <= a; b++) {
            let dot = 0;
            for (let k = 0; k < n; k++) dot += vectors[k * n + a]! * vectors[k * n + b]!;
            expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-10);
          }
        }
      }),
    );
  });
});
