import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  binShares,
  categoryShares,
  jensenShannonDistance,
  kolmogorovSmirnov,
  populationStabilityIndex,
  quantileEdges,
} from './distribution-shift.ts';

const { u, v, psi, ks } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/distribution-shift.json'), 'utf8'),
) as {
  u: number[];
  v: number[];
  psi: { inner_edges: number[]; expected: number[]; actual: number[]; psi: number };
  ks: number;
};

it('bins by quantiles and gives the population stability index', () => {
  const edges = quantileEdges(u, 5);
  edges.forEach((edge, at) => void expect(edge).toBeCloseTo(psi.inner_edges[at]!, 10));
  const [expected, actual] = [binShares(u, edges), binShares(v, edges)];
  expected.forEach((share, at) => void expect(share).toBeCloseTo(psi.expected[at]!, 10));
  actual.forEach((share, at) => void expect(share).toBeCloseTo(psi.actual[at]!, 10));
  expect(populationStabilityIndex(expected, actual)).toBeCloseTo(psi.psi, 10);
  expect(populationStabilityIndex(expected, expected)).toBe(0);
  expect(populationStabilityIndex([1, 0], [0, 1])).toBeGreaterThan(10);
});

it('gives the Kolmogorov-Smirnov statistic of SciPy', () => {
  expect(kolmogorovSmirnov(u, v)).toBeCloseTo(ks, 12);
  expect(kolmogorovSmirnov(u, u)).toBe(0);
  expect(kolmogorovSmirnov([1, 1, 2], [3])).toBe(1);
  expect(kolmogorovSmirnov([], [])).toBe(0);
  expect(kolmogorovSmirnov([1], [])).toBe(1);
});

it('gives the Jensen-Shannon distance', () => {
  expect(jensenShannonDistance([1, 0], [0, 1])).toBe(1);
  expect(jensenShannonDistance([0.5, 0.5], [0.5, 0.5])).toBe(0);
  // scipy.spatial.distance.jensenshannon([0.75, 0.25], [0.25, 0.75], 2)
  expect(jensenShannonDistance(...categoryShares(['a', 'a', 'a', 'b'], ['b', 'b', 'b', 'a']))).toBeCloseTo(
    0.43442,
    4,
  );
});
