import type { Matrix, StepContext } from '../../engine/step.ts';
import { hdbscan } from '../../numerics/hdbscan.ts';
import {
  type Prediction,
  type PredictOptions,
  moduleUrl as predictUrl,
} from '../../numerics/hdbscan-predict.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { Earlier } from './earlier.ts';
import { densityOptions, type Found } from './methods.ts';
import type { Parameters } from './parameters.ts';
import { withCentres } from './with-centres.ts';

/**
 * Keeps all earlier rows where they were, noise as well, and places new ones by the density of the earlier rows alone: each goes to the
 * cluster that it would lie in, or is noise. So a row's place does not hang on the rows that came with it, and no cluster begins or ends.
 */
export async function predictByDensity(
  matrix: Matrix,
  earlier: Earlier,
  parameters: Parameters,
  context: StepContext,
): Promise<Found> {
  const rows = [...earlier.labels.keys()];
  const before = rows.filter((row) => earlier.labels[row] !== -2);
  const added = rows.filter((row) => earlier.labels[row] === -2);
  const options = densityOptions(gatherRows(matrix, before), parameters);
  const fitted = await hdbscan(options, context.pool);
  const places = earlierPlaces(
    fitted.labels,
    before.map((row) => earlier.labels[row]!),
  );
  const { tree, selected, coreDistances } = fitted;
  const found = await context.pool.run<PredictOptions, Prediction>(predictUrl, 'assignNew', {
    matrix: options.matrix,
    metric: options.metric,
    minSamples: options.minSamples,
    fitted: { tree, selected, coreDistances },
    added: gatherRows(matrix, added),
  });
  const labels = earlier.labels.map((label) => Math.max(label, -1));
  const probabilities = new Float64Array(matrix.rows);
  before.forEach((row, at) => {
    if (labels[row]! >= 0) probabilities[row] = fitted.probabilities[at]!;
  });
  added.forEach((row, at) => {
    const place = places.get(found.labels[at]!);
    if (place === undefined) return;
    labels[row] = place;
    probabilities[row] = found.probabilities[at]!;
  });
  const clusters = await withCentres(
    { matrix, labels, k: Math.max(earlier.numbers.length, 1), metric: parameters.metric },
    context,
  );
  return { ...clusters, probabilities };
}

/** Of each cluster that was found the earlier one that most of its rows are of. */
function earlierPlaces(found: Int32Array, earlier: readonly number[]): Map<number, number> {
  const counts = new Map<number, Map<number, number>>();
  earlier.forEach((label, at) => {
    const cluster = found[at]!;
    if (cluster < 0 || label < 0) return;
    const own = counts.get(cluster) ?? new Map<number, number>();
    counts.set(cluster, own.set(label, (own.get(label) ?? 0) + 1));
  });
  return new Map(
    [...counts].map(([cluster, own]) => [
      cluster,
      [...own].reduce((most, one) => (one[1] > most[1] ? one : most))[0],
    ]),
  );
}
