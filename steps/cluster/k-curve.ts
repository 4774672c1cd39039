import type { Row } from '../../engine/artefacts.ts';
import { significant } from '../significant.ts';
import type { Choice } from './choose-k.ts';

/** Writes what was tried to find the number of clusters. */
export async function writeCurve(
  { k: chosen, candidates }: Choice,
  output: { write(row: Row): unknown },
): Promise<void> {
  for (const { k, inertia, silhouette, gap, gapError } of candidates)
    await output.write({
      id: String(k),
      k,
      inertia: significant(inertia),
      ...(!Number.isNaN(silhouette) && { silhouette: significant(silhouette) }),
      ...(!Number.isNaN(gap) && { gap: significant(gap), gap_error: significant(gapError) }),
      chosen: k === chosen,
    });
}
