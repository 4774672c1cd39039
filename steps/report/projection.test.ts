import { describe, expect, test } from 'vitest';
import { randomStream } from '../../engine/execute/random.ts';
import { project, quantize } from './projection.ts';

/** Rows with a strong first, a weaker second and many small directions, mixed by a rotation of pairs of columns. */
function rowsWith(rows: number, columns: number): Float32Array {
  const random = randomStream(7, 'rows');
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      data[row * columns + column] = (random.next() - 0.5) * [9, 5, 2][Math.min(column, 2)]! + column;
    for (let column = 1; column < columns; column++) {
      const at = row * columns + column;
      const [a, b] = [data[at - 1]!, data[at]!];
      data[at - 1] = 0.8 * a - 0.6 * b;
      data[at] = 0.6 * a + 0.8 * b;
    }
  }
  return data;
}

describe('project', () => {
  test('keeps the distances along the two directions of most variance', () => {
    const [rows, columns] = [400, 20];
    const { x, y, width, height, explained } = project({ data: rowsWith(rows, columns), rows, columns });
    expect([x.length, y.length]).toEqual([rows, rows]);
    // The spreads that the rows were made with are as 9 to 5; each of the other columns adds 2.
    expect(width / height).toBeCloseTo(9 / 5, 0);
    expect(explained).toBeCloseTo((81 + 25) / (81 + 25 + 18 * 4), 1);
  });

  test('takes rows that are all alike, few rows of many columns, and numbers that are none', () => {
    expect(project({ data: new Float32Array(30).fill(2), rows: 10, columns: 3 })).toMatchObject({
      explained: 0,
      width: 0,
    });
    expect(project({ data: rowsWith(5, 700), rows: 5, columns: 700 }).explained).toBeGreaterThan(0.3);
    const broken = new Float32Array([1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY, 5]);
    const { x, y } = project({ data: broken, rows: 3, columns: 2 });
    expect([...x, ...y].every(Number.isInteger)).toBe(true);
  });
});

describe('quantize', () => {
  test('keeps the shape on whole numbers', () => {
    expect(quantize([-1, 0, 3, 1, 1, 0.5])).toEqual({
      x: [0, 4095, 2048],
      y: [0, 1024, 512],
      width: 4095,
      height: 1024,
    });
  });

  test('takes points that are all one, or not finite', () => {
    expect(quantize([5, 5, 5, 5])).toEqual({ x: [0, 0], y: [0, 0], width: 0, height: 0 });
    const { x, y } = quantize([0, 0, 2, 2, Number.NaN, 1]);
    expect([x[2], y[2]]).toEqual([2048, 2048]);
    expect(quantize([])).toEqual({ x: [], y: [], width: 0, height: 0 });
  });
});
