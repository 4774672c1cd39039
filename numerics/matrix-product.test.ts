import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MatrixView, openProduct } from './matrix-product.ts';

/** A matrix of whole numbers so small that float32 products are exact. */
function matrix(rows: number, columns: number, seed: number): MatrixView {
  const data = Float32Array.from(
    { length: rows * columns },
    (_, i) => ((i * 7919 + seed * 104_729) % 41) - 20,
  );
  return { data, rows, columns };
}

function transpose({ data, rows, columns }: MatrixView): MatrixView {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = data[row * columns + column]!;
  return { data: turned, rows: columns, columns: rows };
}

function naive(a: MatrixView, b: MatrixView): number[] {
  const result: number[] = [];
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < b.columns; j++) {
      let sum = 0;
      for (let l = 0; l < a.columns; l++) sum += a.data[i * a.columns + l]! * b.data[l * b.columns + j]!;
      result.push(sum);
    }
  return result;
}

describe('openProduct', () => {
  it('multiplies matrices of any shape, either of them transposed', async () => {
    const size = fc.integer({ min: 0, max: 20 });
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        size,
        fc.boolean(),
        fc.boolean(),
        async (n, inner, m, transposeA, transposeB) => {
          const a = matrix(n, inner, 1);
          const b = matrix(inner, m, 2);
          const product = await openProduct({ transposeA, transposeB });
          const { data, rows, columns } = await product(
            transposeA ? transpose(a) : a,
            transposeB ? transpose(b) : b,
          );
          expect([rows, columns]).toEqual([n, m]);
          expect([...data].map((value) => value + 0)).toEqual(naive(a, b).map((value) => value + 0));
        },
      ),
    );
  });

  it('gives the same bits with one thread and with two', async () => {
    const a = { ...matrix(700, 384, 1) };
    a.data = a.data.map((value) => Math.sin(value + 0.1));
    const [one, two] = await Promise.all([
      openProduct({ transposeB: true, threads: 1 }),
      openProduct({ transposeB: true, threads: 2 }),
    ]);
    expect((await two(a, a)).data).toEqual((await one(a, a)).data);
  });

  it('writes into memory that it is given, and takes memory that threads share', async () => {
    const product = await openProduct();
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set([1, 2, 3, 4]);
    const into = new Float32Array(10);
    const { data } = await product(
      { data: shared, rows: 2, columns: 2 },
      { data: Float32Array.of(1, 1), rows: 2, columns: 1 },
      into,
    );
    expect([...data]).toEqual([3, 7]);
    expect([...into.subarray(0, 3)]).toEqual([3, 7, 0]);
  });

  it('refuses matrices that do not fit', async () => {
    const product = await openProduct();
    await expect(product(matrix(2, 3, 1), matrix(2, 3, 1))).rejects.toThrow('inner sizes are 3 and 2');
    await expect(product({ ...matrix(2, 3, 1), rows: 3 }, matrix(3, 3, 1))).rejects.toThrow('rows * columns');
  });
});
