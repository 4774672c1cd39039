import type { Store } from '../../store/store.ts';
import { diffRuns, type RunDiff } from '../diff.ts';
import type { RunRecord } from '../record.ts';
import { diffOutputs } from './output-diff.ts';
import { diffPatches } from './patch-diff.ts';

/**
 * Compares two runs, `old` the earlier one, with the content of what they made and of what was not committed. What the
 * store does not have any more is said in its place.
 *
 * @param options.modulesOf see `diffRuns`
 * @param options.examples rows of each kind that are given whole
 */
export async function compareRuns(
  old: RunRecord,
  now: RunRecord,
  store: Store,
  options: { modulesOf?: Parameters<typeof diffRuns>[2]; examples?: number } = {},
): Promise<RunDiff> {
  const diff = diffRuns(old, now, options.modulesOf);
  diff.patch = await diffPatches(old, now, store);
  for (const step of diff.steps) {
    const outputsOf = (record: RunRecord) => record.steps.find(({ id }) => id === step.id)?.outputs ?? {};
    const [before, after] = [outputsOf(old), outputsOf(now)];
    for (const output of step.outputs) {
      if (output.change !== 'changed') continue;
      output.difference = await diffOutputs(
        { record: old, artefact: before[output.name]! },
        { record: now, artefact: after[output.name]! },
        store,
        options,
      );
    }
  }
  return diff;
}
