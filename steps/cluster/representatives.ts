import type { Matrix, StepContext } from '../../engine/step.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { neighbourDistances } from '../../numerics/outliers.ts';
import { moduleUrl as relevanceUrl } from '../../numerics/relevance-diversity.ts';
import { type KCentreOptions, moduleUrl as samplingUrl } from '../../numerics/sampling.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { Found } from './methods.ts';
import type { Parameters } from './parameters.ts';

/** A row's outlier score is its distance to the neighbour of this rank. */
const neighbourRank = 5;

/** The rows that stand for each cluster. `members`: the rows of each, nearest its centre first. */
export function representativesOf(
  matrix: Matrix,
  { centres }: Found,
  members: readonly (readonly number[])[],
  parameters: Parameters,
  context: StepContext,
): Promise<number[][]> {
  const { representatives: size, representative_selection: selection, diversity } = parameters;
  return Promise.all(
    members.map(async (rows, cluster) => {
      if (selection === 'nearest' || rows.length <= 1 || size <= 1) return rows.slice(0, size);
      const vectors = gatherRows(matrix, rows);
      const { columns } = matrix;
      const point = centres.data.slice(cluster * columns, (cluster + 1) * columns);
      const chosen =
        selection === 'mmr'
          ? await context.pool.run<unknown, number[]>(relevanceUrl, 'marginalRelevance', {
              vectors,
              point,
              size,
              diversity,
              first: 0,
            })
          : await context.pool.run<KCentreOptions, Int32Array>(samplingUrl, 'kCentre', {
              vectors,
              size,
              seed: 0,
              first: 0,
            });
      return Array.from(chosen, (index) => rows[index]!);
    }),
  );
}

/** How odd each row is, and the oddest rows of each cluster; nothing if no anomalies are asked for. */
export async function anomaliesOf(
  matrix: Matrix,
  found: Found,
  members: readonly (readonly number[])[],
  { anomalies: size, metric }: { anomalies: number; metric: Metric },
  context: StepContext,
): Promise<{ scores: Float64Array | undefined; anomalies: number[][] | undefined }> {
  if (size === 0) return { scores: found.outlierScores, anomalies: undefined };
  const scores =
    found.outlierScores ??
    (await neighbourDistances(
      { matrix, metric, count: neighbourRank, seed: context.random('outliers').seed() },
      context.pool,
    ));
  const anomalies = members.map((rows) =>
    rows.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, size),
  );
  return { scores, anomalies };
}
