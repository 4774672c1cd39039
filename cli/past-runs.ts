import type { PastProducts } from '../engine/execute/io.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import { readRun, resolveRun } from '../engine/record/runs.ts';
import { parseAddress } from '../engine/workflow/address.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import { hasLeft, latestWith } from './latest-run.ts';
import { findStep, outputOf } from './past-artefact.ts';
import type { OpenProject } from './project.ts';

/** Checks what a workflow reads of earlier runs, before anything runs. What is not there is a problem of the workflow. */
export async function checkPastInputs(workflow: ResolvedWorkflow, project: OpenProject): Promise<void> {
  const find = pastProducts(project);
  let reads = false;
  for (const { inputs } of workflow.steps) {
    for (const { run, parts, output } of Object.values(inputs))
      if (run !== null)
        for (const { step } of parts) {
          reads = true;
          const products = find(run, step);
          if (products && output !== '') outputOf(products, output);
        }
  }
  if (!reads) return;
  const { refusePastLeaks } = await import('./past-eval-only.ts');
  await refusePastLeaks(workflow, project.workspace.registry, find);
}

/** What steps of earlier runs left, for `from: run:<run>/…`. A run that is not there is a problem of the workflow. */
export function pastProducts({
  runsFolder,
}: OpenProject): (run: string, step: string) => (StepRecord & PastProducts) | undefined {
  const records = new Map<string, RunRecord>();
  const recordOf = (id: string): RunRecord => {
    const record = records.get(id) ?? readRun(runsFolder, id);
    records.set(id, record);
    return record;
  };
  return (run, id) => {
    const address = parseAddress(id);
    if ('error' in address)
      throw ProblemError.of('address', address.error.message, { hint: address.error.hint });
    const record =
      latestWith(run, address, { runsFolder, recordOf }) ?? recordOf(resolveRun(runsFolder, run));
    const step = findStep(record, address);
    return hasLeft(step) ? { ...step, run: record.id } : undefined;
  };
}
