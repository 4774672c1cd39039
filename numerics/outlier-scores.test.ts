import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inlineWorkers } from '../test/inline-workers.ts';
import { isolationScores } from './isolation-forest.ts';
import { localOutlierFactors } from './local-outlier-factor.ts';
import { modifiedZScores } from './robust-score.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')) as Record<string, number[]>;
const { points } = fixture('points-2d.json') as unknown as { points: number[][] };
const expected = fixture('outliers.json');
const matrix = { data: Float32Array.from(points.flat()), rows: points.length, columns: 2 };

describe('localOutlierFactors', () => {
  it.each([
    ['euclidean', 5, 'lof5', 1e-6],
    ['euclidean', 20, 'lof20', 1e-6],
  ] as const)('%s, %i neighbours: those of scikit-learn', async (metric, count, name, most) => {
    const found = await localOutlierFactors({ matrix, metric, count }, inlineWorkers(2));
    found.forEach(
      (factor, row) => void expect(Math.abs(factor / expected[name]![row]! - 1)).toBeLessThan(most),
    );
  });

  it('is 1 for a row alone, and for rows that are all alike', async () => {
    for (const rows of [0, 1, 4]) {
      const alike = { data: new Float32Array(rows * 2).fill(3), rows, columns: 2 };
      const found = await localOutlierFactors(
        { matrix: alike, metric: 'euclidean', count: 20 },
        inlineWorkers(),
      );
      expect([...found]).toEqual(new Array(rows).fill(1));
    }
  });
});

describe('isolationScores', () => {
  it('are those of scikit-learn, but for chance', async () => {
    const run = (threads: number) =>
      isolationScores({ matrix, estimators: 500, samples: 256, seed: 3 }, inlineWorkers(threads));
    const found = await run(1);
    const mean = expected['isolation']!;
    found.forEach((score, row) => void expect(Math.abs(score - mean[row]!)).toBeLessThan(0.03));
    expect(await run(3)).toEqual(found);
  });

  it('takes one row and equal rows', async () => {
    for (const rows of [0, 1, 5]) {
      const alike = { data: new Float32Array(rows * 2), rows, columns: 2 };
      const found = await isolationScores(
        { matrix: alike, estimators: 5, samples: 256, seed: 3 },
        inlineWorkers(),
      );
      expect(found.every((score) => Math.abs(score - 0.5) < 1e-9)).toBe(true);
    }
  });
});

describe('modifiedZScores', () => {
  it('are distances from the median in deviations', () => {
    expect(modifiedZScores(Float64Array.of(1, 2, 3, 4, 100))[4]).toBeCloseTo(97 / 1.4826, 3);
    expect(modifiedZScores(Float64Array.of(5, 5, 5, 5, 9))[4]).toBeCloseTo(4 / (1.2533 * 0.8), 3);
    expect([...modifiedZScores(Float64Array.of(2, 2))]).toEqual([0, 0]);
    expect(modifiedZScores(new Float64Array(0))).toHaveLength(0);
  });
});
