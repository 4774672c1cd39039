import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { Quadtree } from './quadtree.ts';
import { gaussians } from './random.ts';
import { trustworthiness } from './trustworthiness.ts';
import { tsne } from './tsne.ts';

describe('Quadtree', () => {
  it('sums forces as all pairs do, within a percent', () => {
    const points = gaussians(600, 4);
    // Some at one place.
    points.set([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 0);
    const forces = new Float64Array(600);
    const tree = new Quadtree(300);
    tree.build(points);
    const total = tree.repulsion(points, forces);
    let exactTotal = 0;
    let error = 0;
    let size = 0;
    for (let i = 0; i < 300; i++) {
      let [x, y] = [0, 0];
      for (let j = 0; j < 300; j++) {
        if (i === j) continue;
        const [dx, dy] = [points[i * 2]! - points[j * 2]!, points[i * 2 + 1]! - points[j * 2 + 1]!];
        const near = 1 / (1 + dx * dx + dy * dy);
        exactTotal += near;
        x += near * near * dx;
        y += near * near * dy;
      }
      error += (forces[i * 2]! - x) ** 2 + (forces[i * 2 + 1]! - y) ** 2;
      size += x * x + y * y;
    }
    expect(Math.abs(total / exactTotal - 1)).toBeLessThan(0.01);
    expect(Math.sqrt(error / size)).toBeLessThan(0.02);
  });
});

describe('tsne', () => {
  it('keeps neighbours together, the same for any number of threads', async () => {
    const rows = 250;
    const data = Float32Array.from(gaussians(rows * 6, 2), (value, at) =>
      at % 6 === Math.floor(at / 6) % 5 ? value + 12 : value,
    );
    const matrix = { data, rows, columns: 6 };
    const run = (threads: number) =>
      tsne({ matrix, metric: 'euclidean', perplexity: 20, epochs: 400, seed: 1 }, inlineWorkers(threads));
    const projected = await run(1);
    const options = { original: matrix, projected, metric: 'euclidean', count: 10 } as const;
    expect(await trustworthiness({ ...options, sampleSize: rows, seed: 1 })).toBeGreaterThan(0.93);
    expect(await run(3)).toEqual(projected);
  });

  it('takes no rows, one, two, and equal ones', async () => {
    for (const data of [[], [1, 2], [1, 2, 3, 4], Array(20).fill(1), Array(20).fill(0)] as number[][]) {
      const matrix = { data: Float32Array.from(data), rows: data.length / 2, columns: 2 };
      const found = await tsne(
        { matrix, metric: 'cosine', perplexity: 30, epochs: 20, seed: 1 },
        inlineWorkers(),
      );
      expect(found.data).toHaveLength(data.length);
      expect(found.data.every(Number.isFinite)).toBe(true);
    }
  });
});
