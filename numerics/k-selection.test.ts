import { describe, expect, it } from 'vitest';
import { bestCandidate, spacedCounts } from './k-selection.ts';

const candidate = (k: number, more: object) => ({
  k,
  inertia: 0,
  silhouette: Number.NaN,
  gap: Number.NaN,
  gapError: Number.NaN,
  ...more,
});

describe('spacedCounts', () => {
  it('takes all numbers, or some whose ratios are even', () => {
    expect(spacedCounts(2, 5, 30)).toEqual([2, 3, 4, 5]);
    expect(spacedCounts(2, 1, 30)).toEqual([]);
    const counts = spacedCounts(2, 100, 30);
    expect(counts).toHaveLength(30);
    expect(new Set(counts).size).toBe(30);
    expect(counts[0]).toBe(2);
    expect(counts.at(-1)).toBe(100);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });
});

describe('bestCandidate', () => {
  it('takes the greatest silhouette, the first of equals', () => {
    const all = [2, 3, 4, 5].map((k) => candidate(k, { silhouette: [0.1, 0.5, 0.5, Number.NaN][k - 2] }));
    expect(bestCandidate(all, 'silhouette')?.k).toBe(3);
    expect(bestCandidate([candidate(2, {})], 'silhouette')).toBeUndefined();
  });

  it('finds the bend of the curve', () => {
    const inertias = [100, 60, 20, 15, 11, 8];
    const all = inertias.map((inertia, at) => candidate(at + 2, { inertia }));
    expect(bestCandidate(all, 'elbow')?.k).toBe(4);
    expect(
      bestCandidate(
        [2, 3].map((k) => candidate(k, {})),
        'elbow',
      ),
    ).toBeUndefined();
  });

  it('takes the first gap that the next one does not beat by its error', () => {
    const gaps = [0.1, 0.4, 0.42, 0.9];
    const all = gaps.map((gap, at) => candidate(at + 1, { gap, gapError: 0.05 }));
    expect(bestCandidate(all, 'gap')?.k).toBe(2);
    expect(bestCandidate(all.slice(0, 2), 'gap')?.k).toBe(2);
  });
});
