import type { Artefact } from '../engine/artefacts.ts';
import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import { readRun, resolveRun } from '../engine/record/runs.ts';
import { isSelected, parseAddress } from '../engine/workflow/address.ts';
import type { OpenProject } from './project.ts';

/** An output of a run, found by run and address as they were typed. */
export interface PastArtefact {
  record: RunRecord;
  step: StepRecord;
  output: string;
  artefact: Artefact;
}

/** Finds `step`, `step.output` or `step[axis=value].output` in a run. What cannot be found is a problem of the call. */
export function findArtefact(run: string, text: string, { runsFolder }: OpenProject): PastArtefact {
  const address = parseAddress(text);
  if ('error' in address)
    throw ProblemError.of('address', address.error.message, { hint: address.error.hint });
  const record = readRun(runsFolder, resolveRun(runsFolder, address.run ?? run));
  const steps = record.steps.filter(
    ({ base, matrix }) =>
      base === address.step && (address.select.length === 0 || isSelected(matrix ?? {}, address.select)),
  );
  const [step] = steps;
  if (step === undefined) {
    const known = [...new Set(record.steps.map(({ base }) => base))];
    throw ProblemError.of('unknown-step', `run ${record.id} has no step "${text}"`, {
      hint: suggestion(address.step, known, 'steps') ?? 'it has none',
    });
  }
  if (steps.length > 1) {
    throw ProblemError.of('ambiguous-step', `"${text}" may be any of ${steps.length} instances`, {
      hint: `choose one: ${steps.map(({ id }) => id).join(', ')}`,
    });
  }
  const names = Object.keys(step.outputs);
  const output = address.output ?? names[0];
  const artefact = output === undefined ? undefined : step.outputs[output];
  if (output === undefined || artefact === undefined) {
    if (step.status === 'skipped' || step.status === 'failed' || names.length === 0) {
      throw ProblemError.of('no-output', `${step.id} left no output: ${step.status}, ${step.reason}`);
    }
    throw ProblemError.of('unknown-output', `${step.id} has no output "${output}"`, {
      hint: suggestion(output ?? '', names, 'outputs') ?? 'it has none',
    });
  }
  return { record, step, output, artefact };
}
