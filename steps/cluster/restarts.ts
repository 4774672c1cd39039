import type { Matrix, StepContext } from '../../engine/step.ts';
import { type Init, type KMeansResult, moduleUrl, type PreparedRows } from '../../numerics/kmeans.ts';

interface Parameters {
  k: number;
  init: Init;
  n_init: number;
  max_iter: number;
  tol: number;
  spherical: boolean;
}

/** Runs the starts of k-means in the pool, side by side, and gives the one with the least inertia. */
export async function bestOfRestarts(
  matrix: Matrix,
  parameters: Parameters,
  context: StepContext,
): Promise<KMeansResult> {
  const { pool } = context;
  const { k, init, n_init: starts, max_iter: maxIterations, tol: tolerance, spherical } = parameters;
  context.progress(0, starts, 'starts');
  const rows = await pool.run<unknown, PreparedRows>(moduleUrl, 'prepareRows', { matrix, spherical });
  let done = 0;
  const results = await Promise.all(
    Array.from({ length: starts }, async (_, start) => {
      const seed = context.random('start', start).seed();
      const options = { rows, k, init, seed, maxIterations, tolerance };
      const result = await pool.run<unknown, KMeansResult>(moduleUrl, 'kmeansRestart', options);
      context.progress(++done, starts, 'starts');
      return result;
    }),
  );
  // The first of equals, so that the order in which workers end does not count.
  return results.reduce((best, result) => (result.inertia < best.inertia ? result : best));
}
