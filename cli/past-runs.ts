import type { StepProducts } from '../engine/execute/io.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { readRun, resolveRun } from '../engine/record/runs.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { OpenProject } from './project.ts';

/** Checks what a workflow reads of earlier runs, before anything runs. What is not there is a problem of the workflow. */
export function checkPastInputs(workflow: ResolvedWorkflow, project: OpenProject): void {
  const find = pastProducts(project);
  for (const { inputs } of workflow.steps) {
    for (const { run, parts } of Object.values(inputs))
      if (run !== null) for (const { step } of parts) find(run, step);
  }
}

/** What steps of earlier runs left, for `from: run:<run>/…`. A run that is not there is a problem of the workflow. */
export function pastProducts({
  runsFolder,
}: OpenProject): (run: string, step: string) => StepProducts | undefined {
  const records = new Map<string, RunRecord>();
  return (run, id) => {
    let record = records.get(run);
    if (record === undefined) {
      record = readRun(runsFolder, resolveRun(runsFolder, run));
      records.set(run, record);
    }
    const step = record.steps.find((candidate) => candidate.id === id);
    if (step === undefined) {
      throw ProblemError.of('unknown-step', `run ${record.id} has no step "${id}"`, {
        hint: `it has: ${record.steps.map((candidate) => candidate.id).join(', ')}`,
      });
    }
    return step.status === 'ran' || step.status === 'cached' ? step : undefined;
  };
}
