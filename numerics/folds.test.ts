import { expect, it } from 'vitest';
import { stratifiedFolds } from './folds.ts';

it('spreads every class evenly over the folds', () => {
  const classes = Array.from({ length: 103 }, (_, row) => (row % 3 === 0 ? 0 : row % 7 === 0 ? 1 : 2));
  const folds = stratifiedFolds(classes, 5, 9);
  for (const own of [0, 1, 2]) {
    const counts = [0, 0, 0, 0, 0];
    classes.forEach((other, row) => {
      if (other === own) counts[folds[row]!]!++;
    });
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  expect(stratifiedFolds(classes, 5, 9)).toEqual(folds);
  expect(stratifiedFolds(classes, 5, 10)).not.toEqual(folds);
});
