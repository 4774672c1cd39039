import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniform } from './random.ts';
import { type SparseMatrix, transpose } from './sparse.ts';
import { truncatedSvd } from './svd.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

/** A sparse matrix with about a quarter of its cells filled. */
function randomMatrix(rows: number, columns: number, seed: number): SparseMatrix {
  const next = uniform(seed);
  const starts = new Float64Array(rows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (next() > 0.25) continue;
      indices.push(column);
      values.push(next() - 0.3);
    }
    starts[row + 1] = values.length;
  }
  return { rows, columns, starts, indices: Int32Array.from(indices), values: Float64Array.from(values) };
}

function dense({ rows, columns, starts, indices, values }: SparseMatrix): Float64Array {
  const cells = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++)
      cells[row * columns + indices[entry]!] = values[entry]!;
  return cells;
}

/** Exact singular values, from the eigenvalues of AᵀA. */
function exactSingularValues(a: SparseMatrix): Float64Array {
  const cells = dense(a);
  const gram = new Float64Array(a.columns * a.columns);
  for (let row = 0; row < a.rows; row++)
    for (let i = 0; i < a.columns; i++)
      for (let j = 0; j < a.columns; j++)
        gram[i * a.columns + j]! += cells[row * a.columns + i]! * cells[row * a.columns + j]!;
  return symmetricEigen(gram, a.columns).values.map((value) => Math.sqrt(Math.max(0, value)));
}

describe('transpose', () => {
  it('swaps rows and columns', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.nat(8), fc.nat(), (rows, columns, seed) => {
        const a = randomMatrix(rows, columns, seed);
        const turned = transpose(a);
        const [cells, turnedCells] = [dense(a), dense(turned)];
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++)
            expect(turnedCells[column * rows + row]).toBe(cells[row * columns + column]);
        expect(transpose(turned)).toEqual(a);
      }),
    );
  });
});

describe('truncatedSvd', () => {
  it('finds singular values and orthonormal vectors that belong to them', async () => {
    const a = randomMatrix(80, 60, 7);
    const exact = exactSingularValues(a);
    const { vectors, singularValues } = await truncatedSvd(a, { components: 50, seed: 1 });
    expect(vectors).toMatchObject({ rows: 60, columns: 50 });
    singularValues.forEach(
      (value, j) => void expect(Math.abs(value - exact[j]!)).toBeLessThan(1e-3 * exact[0]!),
    );
    const cells = dense(a);
    for (let j = 0; j < 50; j++) {
      for (let k = 0; k <= j; k++) {
        let dot = 0;
        for (let i = 0; i < 60; i++) dot += vectors.data[i * 50 + j]! * vectors.data[i * 50 + k]!;
        expect(Math.abs(dot - (j === k ? 1 : 0))).toBeLessThan(1e-4);
      }
      let squares = 0;
      for (let row = 0; row < 80; row++) {
        let score = 0;
        for (let i = 0; i < 60; i++) score += cells[row * 60 + i]! * vectors.data[i * 50 + j]!;
        squares += score * score;
      }
      expect(Math.sqrt(squares)).toBeCloseTo(singularValues[j]!, 2);
      const column = Array.from({ length: 60 }, (_, i) => vectors.data[i * 50 + j]!);
      expect(
        column.reduce((top, value) => (Math.abs(value) > Math.abs(top) ? value : top), 0),
      ).toBeGreaterThan(0);
    }
  });

  it('gives the same for the same seed', async () => {
    const a = randomMatrix(40, 90, 3);
    const first = await truncatedSvd(a, { components: 5, seed: 9 });
    expect(await truncatedSvd(a, { components: 5, seed: 9 })).toEqual(first);
    expect(await truncatedSvd(a, { components: 5, seed: 10 })).not.toEqual(first);
  });

  it('gives no more vectors than the rank', async () => {
    // Rows 0 and 1 twice: rank 2.
    const a: SparseMatrix = {
      rows: 4,
      columns: 3,
      starts: Float64Array.of(0, 1, 3, 4, 6),
      indices: Int32Array.of(0, 1, 2, 0, 1, 2),
      values: Float64Array.of(1, 2, 3, 1, 2, 3),
    };
    const { vectors, singularValues } = await truncatedSvd(a, { components: 3, seed: 0 });
    expect(vectors.columns).toBe(2);
    expect(singularValues[0]).toBeCloseTo(Math.sqrt(26), 5);
    expect(singularValues[1]).toBeCloseTo(Math.SQRT2, 5);
    const empty = await truncatedSvd(
      { ...a, rows: 0, starts: Float64Array.of(0), indices: new Int32Array(0), values: new Float64Array(0) },
      { components: 3, seed: 0 },
    );
    expect(empty.vectors).toMatchObject({ rows: 3, columns: 0 });
    const zeros = await truncatedSvd({ ...a, starts: new Float64Array(5) }, { components: 3, seed: 0 });
    expect(zeros.vectors.columns).toBe(0);
  });
});
