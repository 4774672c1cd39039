import type { Metrics } from '../../engine/artefacts.ts';
import type { TableOutput } from '../../engine/step.ts';
import { significant } from '../significant.ts';

/** Counts what was removed, and why: the metrics of the step. */
export class Tally {
  removed = 0;
  removedExact = 0;
  removedAgainst = 0;
  groups = 0;
  largest = 0;

  /** Writes a group of `size` rows, of which the one named `id` stayed. One row alone is no group. */
  group(output: TableOutput, id: string, size: number, similarity: number): Promise<void> | undefined {
    if (size < 2) return undefined;
    this.groups++;
    this.largest = Math.max(this.largest, size);
    return output.write({ id, size, least_score: significant(similarity) });
  }

  metrics(total: number): Metrics {
    return {
      removed: this.removed,
      groups: this.groups,
      largest_group: this.largest,
      removed_exact: this.removedExact,
      removed_against: this.removedAgainst,
      removed_share: total > 0 ? this.removed / total : 0,
      kept: total - this.removed,
    };
  }
}
