import type { Row } from '../../engine/artefacts.ts';
import { findingOf, panelFinding } from './combine.ts';
import type { Given, Judged } from './given.ts';
import { Tally } from './tally.ts';

/** A judge that has no vote, and why. */
export interface Unqualified {
  judge: string;
  reason: string;
}

/**
 * Judges that answer the same question alike less often than `min_consistency`: in both orders of a pair, or asked several
 * times. The rows are held in memory, since all of them are looked at before the first one is combined.
 */
export function unqualifiedJudges(
  given: Given,
  rows: readonly { row: Row; value: Judged }[],
  least: number,
): Unqualified[] {
  const tally = new Tally(given);
  for (const { value } of rows) {
    const findings = value.judgments.map((judgment) => findingOf(given, judgment));
    tally.add(value.judgments, findings, panelFinding(given, value), [0, 0]);
  }
  return tally.judges.flatMap(({ judge, consistency, flipRate }) => {
    const shares = [
      { share: consistency, of: 'pairs in both orders' },
      { share: flipRate === null ? null : 1 - flipRate, of: 'questions asked more than once' },
    ];
    const low = shares.find(({ share }) => share !== null && share < least);
    return low
      ? [
          {
            judge,
            reason: `it answers ${Math.round(100 * low.share!)} % of ${low.of} alike, less than ${Math.round(100 * least)} %`,
          },
        ]
      : [];
  });
}
