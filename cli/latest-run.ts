import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import { listRuns, readRun } from '../engine/record/runs.ts';
import { type Address, isSelected } from '../engine/workflow/address.ts';

/**
 * What `latest` means where it will be read again and again, in a workflow or a saved search: the latest run that left the
 * step, and `latest~2` the third of them from the end. Runs without the step, such as the workflow's own, are passed over.
 * With `workflow` only runs of the workflow of that name count. Undefined of any other name, and if no run has left it.
 */
export function latestWith(
  run: string,
  address: Pick<Address, 'step' | 'select'>,
  {
    runsFolder,
    workflow,
    recordOf = (id) => readRun(runsFolder, id),
  }: { runsFolder: string; workflow?: string | undefined; recordOf?: (id: string) => RunRecord },
): RunRecord | undefined {
  const latest = /^latest(?:~(\d+))?$/.exec(run);
  if (!latest) return undefined;
  let back = Number(latest[1] ?? 0);
  for (const { id, status, summary } of listRuns(runsFolder).runs) {
    if (status === 'running' || (workflow !== undefined && summary.workflow !== workflow)) continue;
    const record = recordOf(id);
    const left = record.steps.some(
      (step) => step.base === address.step && isSelected(step.matrix ?? {}, address.select) && hasLeft(step),
    );
    if (left && back-- === 0) return record;
  }
  return undefined;
}

/** Whether the step has outputs that can be read. */
export function hasLeft({ status }: StepRecord): boolean {
  return status === 'ran' || status === 'cached';
}
