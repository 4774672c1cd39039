import { expect, it } from 'vitest';
import { decide } from './decide.ts';

it('takes the greatest probability, the first of equals, and how far it is ahead of the second', () => {
  const probabilities = Float32Array.of(0.5, 0.25, 0.25, 0.25, 0.125, 0.625, 0.375, 0.25, 0.375);
  const scores = Float32Array.of(0, 0, 0, 700, 1, 2, 0, 0, 0);
  const found = decide({ scores, probabilities }, 3, 'max_probability');
  expect(found.map(({ best, margin, outOfScope }) => [best, margin, outOfScope])).toEqual([
    [0, 0.25, 0.5],
    [2, 0.375, 0.375],
    [0, 0, 0.625],
  ]);
  const energies = decide({ scores, probabilities }, 3, 'energy').map(({ outOfScope }) => outOfScope);
  expect(energies[0]).toBeCloseTo(-Math.log(3), 12);
  expect(energies[1]).toBeCloseTo(-700, 9);
  const one = decide({ scores: Float32Array.of(3), probabilities: Float32Array.of(1) }, 1, 'energy');
  expect(one).toEqual([{ best: 0, confidence: 1, margin: 1, outOfScope: -3 }]);
});
