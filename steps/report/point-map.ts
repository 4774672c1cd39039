import type { MatrixInput, Pool } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { PointMap } from './model.ts';
import { moduleUrl, type Projection, quantize } from './projection.ts';

/** Places of the chosen rows: from coordinates that a step made, or else on the first two principal axes. */
export async function placesOf(
  chosen: readonly number[],
  source: { vectors: MatrixInput | null; coordinates: MatrixInput | null },
  pool: Pool,
): Promise<Pick<PointMap, 'x' | 'y' | 'width' | 'height' | 'explained'> | { reason: string }> {
  const { vectors, coordinates } = source;
  if (coordinates && chosen.length > 0)
    return { ...quantize(gatherRows(await coordinates.read(), chosen).data), explained: null };
  if (!vectors) return { reason: 'There is no map: the step gives no vectors for these rows.' };
  if (chosen.length < 3 || vectors.columns < 2)
    return { reason: 'There is no map: it takes three rows and two dimensions at least.' };
  const points = gatherRows(await vectors.read(), chosen);
  return pool.run<unknown, Projection>(moduleUrl, 'project', points, {
    transfer: [points.data.buffer as ArrayBuffer],
  });
}
