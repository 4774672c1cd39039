import { describe, expect, it } from 'vitest';
import reference from './fixtures/points-2d.json' with { type: 'json' };
import { internalIndices } from './internal-indices.ts';

const vectors = { data: Float32Array.from(reference.points.flat()), rows: 560, columns: 2 };

describe('internalIndices', () => {
  // scikit-learn 1.9.1 on the same points; noise left out.
  it.each([
    ['ward', reference.ward, 0.6437269212132233, 1574.1001645777174],
    ['eom', reference.eom, 0.6327252154344012, 2331.2818212864736],
  ] as const)('gives what scikit-learn gives for %s', (_, labels, daviesBouldin, calinskiHarabasz) => {
    const found = internalIndices({ vectors, labels: Int32Array.from(labels) });
    expect(found.daviesBouldin / daviesBouldin).toBeCloseTo(1, 9);
    expect(found.calinskiHarabasz / calinskiHarabasz).toBeCloseTo(1, 9);
  });

  it('is unknown of fewer than two clusters, and of as many as rows', () => {
    const of = (labels: number[]) =>
      internalIndices({
        vectors: {
          data: Float32Array.from(labels.flatMap((_, at) => [at, 0])),
          rows: labels.length,
          columns: 2,
        },
        labels: Int32Array.from(labels),
      }).daviesBouldin;
    for (const labels of [[], [0], [0, 0], [0, 1], [0, -1, -1]]) expect(of(labels)).toBeNaN();
    expect(of([0, 0, 2, 2])).toBeCloseTo(0.5, 9);
  });
});
