import type { StepContext, TableInput } from '../../engine/step.ts';
import { significant } from '../significant.ts';
import type { DedupeOutputs } from './equal-rows.ts';
import { Tally } from './tally.ts';
import { TextList } from './text-list.ts';

/** What a method found out about the rows, by their place in the table. */
export interface Verdicts {
  /** The row that stays in place of each row; itself if it stays. */
  kept: Int32Array;
  /** The row of `against` that each row repeats, or −1. */
  against: Int32Array;
  /** Similarity with the row that stays, or of `against`. */
  score: Float64Array;
  /** What makes a row a duplicate. */
  kind: (row: number) => 'exact' | 'normalized' | 'minhash' | 'fuzzy' | 'semantic';
}

/** Writes the rows that stay, those that do not, and the groups. */
export async function writeVerdicts(
  verdicts: Verdicts,
  inputs: { rows: TableInput; against: TableInput | undefined },
  outputs: DedupeOutputs,
  context: StepContext,
): Promise<Tally> {
  const { kept, against, score, kind } = verdicts;
  const ids = await idsOf(inputs.rows);
  const againstIds = inputs.against && (await idsOf(inputs.against));
  const sizes = new Uint32Array(kept.length);
  const least = new Float64Array(kept.length).fill(1);
  const tally = new Tally();
  let index = 0;
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const at = index++;
      const other = against[at]!;
      const stays = kept[at]!;
      if (other === -1) {
        sizes[stays]!++;
        if (stays !== at) least[stays] = Math.min(least[stays]!, score[at]!);
      }
      let pending: Promise<void> | undefined;
      if (other === -1 && stays === at) pending = outputs.rows.write(row);
      else {
        const dup_kind = kind(at);
        tally.removed++;
        if (dup_kind === 'exact') tally.removedExact++;
        if (other !== -1) tally.removedAgainst++;
        pending = outputs.duplicates.write({
          ...row,
          dup_of: other === -1 ? ids.get(stays) : againstIds!.get(other),
          dup_kind,
          dup_score: significant(score[at]!),
          ...(againstIds && { dup_in: other === -1 ? 'rows' : 'against' }),
        });
      }
      if (pending) await pending;
    }
    context.signal.throwIfAborted();
  }
  for (let row = 0; row < sizes.length; row++) {
    const pending = tally.group(outputs.groups, ids.get(row), sizes[row]!, least[row]!);
    if (pending) await pending;
  }
  return tally;
}

async function idsOf(table: TableInput): Promise<TextList> {
  const ids = new TextList(table.rows);
  let index = 0;
  for await (const block of table.blocks()) for (const row of block) ids.set(index++, row.id);
  return ids;
}
