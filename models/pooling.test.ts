import { expect, it } from 'vitest';
import { pool } from './pooling.ts';

it.each([
  ['mean', [2, -1]],
  ['mean_sqrt_len', [4, -2]],
  ['max', [7, 2]],
  ['cls', [-1, 2]],
  ['lasttoken', [0, -3]],
] as const)('pools by %s', (pooling, expected) => {
  const tokens = Float32Array.of(-1, 2, 7, 0, 2, -3, 0, -3);
  expect([...pool(tokens, 4, pooling)]).toEqual(expected);
});
