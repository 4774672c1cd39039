import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import type { MatrixView } from './matrix-product.ts';
import { gaussians } from './random.ts';
import { trustworthiness } from './trustworthiness.ts';
import { placeInLayout, type UmapOptions, umap } from './umap.ts';
import { fitCurve } from './umap-curve.ts';
import { gatherRows } from './vectors.ts';

const settings = {
  metric: 'euclidean',
  dimensions: 2,
  neighbours: 15,
  minDist: 0.1,
  spread: 1,
  init: 'spectral',
  epochs: 200,
  learningRate: 1,
  negativeSamples: 5,
  repulsion: 1,
  seed: 3,
} as const;

/** `perGroup` rows round each of six points of a space of ten dimensions, in turns; groups overlap a little. */
function groups(perGroup: number, spread = 1.2): MatrixView {
  const centres = gaussians(60, 1);
  const noise = gaussians(perGroup * 60, 2);
  const data = Float32Array.from(noise, (value, at) => {
    const group = Math.floor(at / 10) % 6;
    return centres[group * 10 + (at % 10)]! * 2 + value * spread;
  });
  return { data, rows: perGroup * 6, columns: 10 };
}

function layout(matrix: MatrixView, options: Partial<UmapOptions> = {}, threads = 1) {
  return umap({ ...settings, ...options, matrix }, inlineWorkers(threads));
}

/** Share of points whose nearest point is of their own group. */
function sameGroup({ data, rows }: MatrixView): number {
  let right = 0;
  for (let row = 0; row < rows; row++) {
    let [least, nearest] = [Number.POSITIVE_INFINITY, -1];
    for (let other = 0; other < rows; other++) {
      const square =
        (data[row * 2]! - data[other * 2]!) ** 2 + (data[row * 2 + 1]! - data[other * 2 + 1]!) ** 2;
      if (other !== row && square < least) [least, nearest] = [square, other];
    }
    if (nearest % 6 === row % 6) right++;
  }
  return right / rows;
}

describe('umap', () => {
  it('fits the curve that umap-learn fits', () => {
    const near = (minDist: number, spread: number) => fitCurve({ minDist, spread });
    expect(near(0.1, 1).a).toBeCloseTo(1.57694, 4);
    expect(near(0.1, 1).b).toBeCloseTo(0.89506, 4);
    expect(near(0, 1).a).toBeCloseTo(1.93281, 3);
    expect(near(0, 1).b).toBeCloseTo(0.7905, 3);
    expect(near(0.5, 1).a).toBeCloseTo(0.58303, 4);
    expect(near(0.5, 1).b).toBeCloseTo(1.33417, 4);
  });

  it.each(['spectral', 'pca'] as const)('keeps neighbourhoods, from a start by %s', async (init) => {
    const matrix = groups(60);
    const { coordinates, init: used } = await layout(matrix, { init });
    expect(used).toBe(init);
    expect(sameGroup(coordinates)).toBeGreaterThan(0.85);
    const trust = await trustworthiness({
      original: matrix,
      projected: coordinates,
      metric: 'euclidean',
      count: 15,
      sampleSize: 1000,
      seed: 1,
    });
    expect(trust).toBeGreaterThan(0.9);
  });

  it('gives the same for a seed with any number of threads, and something else for another', async () => {
    const matrix = groups(20);
    const one = await layout(matrix);
    expect(await layout(matrix, {}, 3)).toEqual(one);
    expect((await layout(matrix, { seed: 4 })).coordinates.data).not.toEqual(one.coordinates.data);
  });

  it('starts from principal axes where the graph falls apart', async () => {
    const { coordinates, init } = await layout(groups(30, 0.01));
    expect(init).toBe('pca');
    expect(sameGroup(coordinates)).toBe(1);
  });

  it('places new rows among those of their group, and leaves the old where they are', async () => {
    const matrix = groups(60, 0.6);
    const rows = [...Array(matrix.rows).keys()];
    const old = gatherRows(matrix, rows.slice(0, 300));
    const added = gatherRows(matrix, rows.slice(300));
    const fitted = await layout(old);
    const before = fitted.coordinates.data.slice();
    const placed = await placeInLayout({ ...settings, epochs: undefined, matrix: old, added, fitted });
    expect(fitted.coordinates.data).toEqual(before);
    const data = Float32Array.from([...before, ...placed.data]);
    expect(sameGroup({ data, rows: 360, columns: 2 })).toBeGreaterThan(0.95);
  });

  it('takes no rows, few rows, equal rows and more neighbours than rows', async () => {
    for (const rows of [0, 1, 2, 3, 4]) {
      const { coordinates } = await layout(gatherRows(groups(2), [...Array(rows).keys()]));
      expect(coordinates).toMatchObject({ rows, columns: 2 });
      expect(coordinates.data.every(Number.isFinite)).toBe(true);
    }
    const equal = { data: new Float32Array(90).fill(1), rows: 30, columns: 3 };
    for (const metric of ['euclidean', 'cosine'] as const)
      expect((await layout(equal, { metric })).coordinates.data.every(Number.isFinite)).toBe(true);
    const wide = await layout(equal, { dimensions: 5, init: 'pca' });
    expect(wide.coordinates.columns).toBe(5);
    expect(wide.coordinates.data.every(Number.isFinite)).toBe(true);
    const zeros = { data: new Float32Array(90), rows: 30, columns: 3 };
    expect((await layout(zeros, { metric: 'cosine' })).coordinates.data.every(Number.isFinite)).toBe(true);
  });
});

describe('trustworthiness', () => {
  it('is 1 for a projection that keeps all, and about a half for random places', async () => {
    const matrix = groups(20);
    const common = { original: matrix, metric: 'euclidean', count: 5, sampleSize: 120, seed: 1 } as const;
    expect(await trustworthiness({ ...common, projected: matrix })).toBe(1);
    const projected = { data: Float32Array.from(gaussians(240, 9)), rows: 120, columns: 2 };
    expect(await trustworthiness({ ...common, projected })).toBeGreaterThan(0.4);
    expect(await trustworthiness({ ...common, projected })).toBeLessThan(0.65);
    const few = gatherRows(matrix, [0, 1, 2]);
    expect(await trustworthiness({ ...common, original: few, projected: few })).toBeNaN();
  });
});
