import type { Artefact } from '../engine/artefacts.ts';
import { axesName } from '../engine/execute/io.ts';
import type { JsonObject } from '../engine/json.ts';
import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import { readRun, resolveRun } from '../engine/record/runs.ts';
import type { ArtefactInput } from '../engine/step.ts';
import { type Address, addressedStep, isSelected, parseAddress } from '../engine/workflow/address.ts';
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
  const step = findStep(record, address);
  const { output, artefact } = outputOf(step, address.output);
  return { record, step, output, artefact };
}

/** What an address names in a run, opened: of a matrix or `for_each` all tables that fit, as a step that reads them gets them. */
export async function openPast(
  run: string,
  text: string,
  project: OpenProject,
): Promise<{
  record: RunRecord;
  name: string;
  input: ArtefactInput;
  artefact: Artefact | null;
  /** Fields of the tables that the step read: the others are its own. */
  readFields: ReadonlySet<string>;
}> {
  const { store } = project.workspace;
  const address = parseAddress(text);
  if (!('error' in address)) {
    const record = readRun(project.runsFolder, resolveRun(project.runsFolder, address.run ?? run));
    const steps = record.steps.filter(
      ({ base, matrix }) => base === address.step && isSelected(matrix ?? {}, address.select),
    );
    // An instance that was skipped adds nothing.
    const parts = steps
      .filter(({ status }) => status !== 'skipped')
      .map((step) => ({ step, ...outputOf(step, address.output) }));
    const [first] = parts;
    if (steps.length > 1 && first !== undefined && first.artefact.kind === 'table') {
      const tables = parts.flatMap(({ step, artefact }) => {
        const columns = gatheredAxes(step, address.select);
        return artefact.kind === 'table' ? [{ artefact, columns, suffix: axesName(columns) }] : [];
      });
      const name = `${addressedStep(address)}.${first.output}`;
      const readFields = fieldsReadBy(first.step, record, project);
      return { record, name, input: await store.concatTables(tables), artefact: null, readFields };
    }
  }
  const { record, step, output, artefact } = findArtefact(run, text, project);
  const readFields = fieldsReadBy(step, record, project);
  return { record, name: `${step.id}.${output}`, input: store.open(artefact), artefact, readFields };
}

function fieldsReadBy(step: StepRecord, record: RunRecord, { runsFolder }: OpenProject): Set<string> {
  const fields = new Set<string>();
  for (const { run, step: id, output } of Object.values(step.inputs).flat()) {
    const from = run === null || run === record.id ? record : readRun(runsFolder, run);
    const artefact = from.steps.find((other) => other.id === id)?.outputs[output];
    if (artefact?.kind === 'table') for (const field of artefact.fields) fields.add(field);
  }
  return fields;
}

/** The axes that tell the instances of an address apart; the row of a `for_each` is `item`. */
function gatheredAxes({ matrix }: StepRecord, select: Address['select']): JsonObject {
  const axes = Object.entries(matrix ?? {}).filter(([name]) => !select.some(({ axis }) => axis === name));
  return Object.fromEntries(axes.map(([name, value]) => [name === 'id' ? 'item' : name, value]));
}

/** The step of a run that an address names. One that is not there, or may be any of several, is a problem of the call. */
export function findStep(
  record: RunRecord,
  { step: id, select }: Pick<Address, 'step' | 'select'>,
): StepRecord {
  const steps = record.steps.filter(({ base, matrix }) => base === id && isSelected(matrix ?? {}, select));
  const [step] = steps;
  const text = addressedStep({ step: id, select });
  if (step === undefined) {
    const instances = record.steps.filter(({ base }) => base === id).map((other) => other.id);
    const known = [...new Set(record.steps.map(({ base }) => base))];
    throw ProblemError.of('unknown-step', `run ${record.id} has no step "${text}"`, {
      hint:
        instances.length > 0
          ? `it has: ${instances.join(', ')}`
          : (suggestion(id, known, 'steps') ?? 'it has none'),
    });
  }
  if (steps.length > 1) {
    throw ProblemError.of('ambiguous-step', `"${text}" may be any of ${steps.length} instances`, {
      hint: `choose one: ${steps.map((other) => other.id).join(', ')}`,
    });
  }
  return step;
}

/** An output of a step of a run by name, or its main one. One that is not there is a problem of the call. */
export function outputOf(step: StepRecord, name: string | null): { output: string; artefact: Artefact } {
  const names = Object.keys(step.outputs);
  const output = name ?? names[0];
  const artefact = output === undefined ? undefined : step.outputs[output];
  if (output === undefined || artefact === undefined) {
    if (step.status === 'skipped' || step.status === 'failed' || names.length === 0) {
      throw ProblemError.of('no-output', `${step.id} left no output: ${step.status}, ${step.reason}`);
    }
    throw ProblemError.of('unknown-output', `${step.id} has no output "${output}"`, {
      hint: suggestion(output ?? '', names, 'outputs') ?? 'it has none',
    });
  }
  return { output, artefact };
}
