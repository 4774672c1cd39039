import type { MatrixView } from './matrix-product.ts';
import type { Metric } from './metric-space.ts';
import { openNearestCentre } from './nearest-centre.ts';
import { dot, normalized, squaredDistance } from './vectors.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** The nearest centre of each row, and its distance: Euclidean, or 1 − cosine. At least one centre. */
export async function assignRows(options: {
  matrix: MatrixView;
  centres: MatrixView;
  metric: Metric;
}): Promise<{ labels: Int32Array; distances: Float64Array }> {
  const cosine = options.metric === 'cosine';
  const points = cosine ? normalized(options.matrix) : options.matrix;
  const centres = cosine ? normalized(options.centres) : options.centres;
  const { columns } = points;
  const labels = new Int32Array(points.rows);
  await (await openNearestCentre(points)).assign(centres, labels);
  const distances = Float64Array.from(labels, (label, row) =>
    cosine
      ? 1 - dot(points.data, row * columns, centres.data, label * columns, columns)
      : Math.sqrt(squaredDistance(points.data, row * columns, centres.data, label * columns, columns)),
  );
  return { labels, distances };
}
