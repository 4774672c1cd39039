import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import { type ClusteringScores, moduleUrl as scoresUrl } from '../../numerics/clustering-metrics.ts';
import { type InternalIndices, moduleUrl as indicesUrl } from '../../numerics/internal-indices.ts';
import { type SilhouetteOptions, moduleUrl as silhouetteUrl } from '../../numerics/silhouette.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { readLabels } from './labels.ts';
import { type ClassScoring, nothingToScore } from './scoring.ts';
import { classRows, contingencyRows } from './tables.ts';

/** Cells of the table of classes and clusters: half a gigabyte. */
const mostCells = 5e7;

/** Clusters against classes, and the silhouette of the vectors. */
export async function scoreClustering({
  parameters,
  inputs,
  outputs,
  context,
}: ClassScoring): Promise<StepResult> {
  const { truth, prediction } = parameters;
  if (inputs.vectors) sameRows(inputs.rows, inputs.vectors);
  const labels = await readLabels(inputs.rows, truth, prediction);
  const scored = labels.rows.length;
  if (scored === 0) {
    throw nothingToScore(inputs.rows, [truth, prediction]);
  }
  for (const [field, count] of [
    [truth, labels.withoutClass],
    [prediction, labels.withoutCluster],
  ] as const) {
    if (count > 0) context.warn(`${count} of ${inputs.rows.rows} rows have no ${field}; they are not scored`);
  }
  if (labels.classNames.length * labels.clusterNames.length > mostCells) {
    throw new StepError(
      'too-many-classes',
      `${truth} has ${labels.classNames.length} different values, ${prediction} ${labels.clusterNames.length}`,
      'classes and clusters are few: is this the right field?',
    );
  }
  const { classes, clusters } = labels;
  const scoring = context.pool.run<unknown, ClusteringScores>(scoresUrl, 'scoreLabels', {
    classes,
    clusters,
  });
  let silhouette = Number.NaN;
  let inner: InternalIndices | undefined;
  if (inputs.vectors) {
    const matrix = await inputs.vectors.read();
    requireFinite(matrix);
    const vectors = scored === matrix.rows ? matrix : gatherRows(matrix, labels.rows);
    inner = await context.pool.run<unknown, InternalIndices>(indicesUrl, 'internalIndices', {
      vectors,
      labels: clusters,
    });
    silhouette = await context.pool.run<SilhouetteOptions, number>(silhouetteUrl, 'silhouette', {
      vectors,
      labels: clusters,
      metric: parameters.metric,
      sampleSize: parameters.sample_size,
      seed: context.random('silhouette').seed(),
    });
  }
  for (const row of classRows(labels)) await outputs.rows.write(row);
  for (const row of contingencyRows(labels)) await outputs.contingency.write(row);

  const scores = await scoring;
  return {
    metrics: {
      v_measure: significant(scores.vMeasure),
      ari: significant(scores.ari),
      ami: significant(scores.ami),
      nmi: significant(scores.nmi),
      homogeneity: significant(scores.homogeneity),
      completeness: significant(scores.completeness),
      purity: significant(scores.purity),
      ...(Number.isNaN(scores.accuracy) ? {} : { accuracy: significant(scores.accuracy) }),
      ...(Number.isNaN(silhouette) ? {} : { silhouette: significant(silhouette) }),
      ...(inner &&
        !Number.isNaN(inner.daviesBouldin) && {
          davies_bouldin: significant(inner.daviesBouldin),
          calinski_harabasz: significant(inner.calinskiHarabasz),
        }),
      clusters: labels.clusterNames.length,
      classes: labels.classNames.length,
      rows: scored,
      excluded: inputs.rows.rows - scored,
    },
  };
}
