import { expect, it } from 'vitest';
import { minibatchKMeans } from './minibatch-kmeans.ts';
import { gaussians } from './random.ts';

it('puts starved centres where rows are', async () => {
  // Most rows in two places, and some in a third that a start with few rows of it may miss.
  const rows = 3000;
  const data = Float32Array.from(gaussians(rows * 2, 5), (value) => value * 0.1);
  for (let row = 0; row < rows; row++) data[row * 2]! += row % 10 === 0 ? 50 : (row % 2) * 10;
  const matrix = { data, rows, columns: 2 };
  const run = (reassignmentRatio: number, seed: number) =>
    minibatchKMeans({
      ...{ matrix, spherical: false, k: 12, init: 'k-means++', batchSize: 100, maxIterations: 20 },
      ...{ maxNoImprovement: 0, reassignmentRatio, seed },
    });
  for (const seed of [1, 2, 3]) {
    const found = await run(0.2, seed);
    expect(found.sizes.at(-1)! / found.sizes[0]!).toBeGreaterThan(0.02);
    expect(found).toEqual(await run(0.2, seed));
  }
});
