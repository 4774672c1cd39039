import { stringify } from 'yaml';
import type { Json, JsonObject } from '../engine/json.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import type { StepRegistry } from '../engine/registry.ts';
import { visitMarked } from '../engine/workflow/marks.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';

/** The workflow that puts rows of a past run before other judges, and what of the run it leaves out. */
export interface Rejudged {
  text: string;
  /** Steps that hang on the judge but are not done again, each with the reason. */
  leftOut: { step: string; reason: string }[];
}

export interface RejudgeOptions {
  record: RunRecord;
  /** The step that judged. */
  step: StepRecord;
  /** The judges now. */
  judges: readonly string[];
  /** A file with another rubric, relative to the root. */
  rubric: string | null;
  /** The workflow of now: its models are asked, and what it says of failed rows holds. */
  current: ResolvedWorkflow;
  registry: StepRegistry;
}

/** Parameters of `judge` that speak of judges by name. */
const ofJudges = ['weights', 'quorum'];

/**
 * Writes a workflow whose steps are the judge and what hangs on it, with the parameters that they had, and whose rows are
 * those of the run: nothing before the judge is done again. It is a workflow like any other, so the run can be reproduced.
 */
export async function rejudgedWorkflow(options: RejudgeOptions): Promise<Rejudged> {
  const { record, step, judges, rubric, current } = options;
  const before = step.fingerprint!.parameters['judges'] as string[];
  const gone = before.filter((judge) => !judges.includes(judge));
  const chosen = new Map<string, StepRecord>([[step.id, step]]);
  const leftOut: Rejudged['leftOut'] = [];
  for (const other of record.steps) {
    if (!behind(other, chosen)) continue;
    const reason = await obstacle(other, gone, options);
    if (reason === null) chosen.set(other.id, other);
    else leftOut.push({ step: other.id, reason });
  }
  const given: JsonObject = { ...withoutFiles(step.fingerprint!.parameters), judges: [...judges] };
  for (const name of ofJudges) delete given[name];
  if (given['combine'] === 'weighted') delete given['combine'];
  if (rubric !== null) given['rubric'] = { file: rubric };
  const steps: JsonObject = {};
  for (const other of chosen.values()) {
    const parameters = other === step ? given : withoutFiles(other.fingerprint!.parameters);
    steps[other.base] = {
      use: other.use,
      from: inputsOf(other, chosen, record),
      ...(Object.keys(parameters).length > 0 && { with: parameters }),
      ...failuresOf(other, current),
    };
  }
  const params = { ...record.params, ...step.fingerprint!.params };
  const workflow: JsonObject = {
    name: record.workflow.name,
    description: `Step ${step.id} of run ${record.id}, judged by ${judges.join(', ')}`,
    ...(Object.keys(params).length > 0 && { params: declared(params) }),
    models: current.models as JsonObject,
    seed: record.seed,
    steps,
  };
  return { text: `# Made by reprise rejudge\n${stringify(workflow, { lineWidth: 0 })}`, leftOut };
}

/** Whether a step reads what one of the steps left. */
function behind({ inputs, status }: StepRecord, chosen: ReadonlyMap<string, StepRecord>): boolean {
  if (status !== 'ran' && status !== 'cached') return false;
  return Object.values(inputs)
    .flat()
    .some(({ run, step }) => run === null && chosen.has(step));
}

/** Why a step that hangs on the judge cannot be done again; null if it can. */
async function obstacle(
  { matrix, fingerprint, inputs, use }: StepRecord,
  gone: readonly string[],
  { registry }: RejudgeOptions,
): Promise<string | null> {
  if (matrix !== null) return 'it is an instance of a matrix';
  if (fingerprint === null) return 'its parameters were not recorded';
  if (Object.keys(fingerprint.env).length > 0) return 'it reads the environment';
  if (Object.values(inputs).some((parts) => parts.length !== 1)) return 'it gathers a matrix';
  const spoken = JSON.stringify(fingerprint.parameters);
  const judge = gone.find((alias) => namesJudge(alias).test(spoken));
  if (judge !== undefined) return `it speaks of ${judge}, which does not judge now`;
  const type = await registry.find(use)?.load();
  if (type === undefined) return `there is no step type ${use} now`;
  let writes = false;
  visitMarked(type.parameters, fingerprint.parameters, (mark) => {
    if (mark === 'output-path') writes = true;
  });
  return writes ? 'it would write over a file' : null;
}

/** Finds an alias by itself, or at the end of the name of a field (`score_strict`). */
function namesJudge(alias: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9])${RegExp.escape(alias)}(?![A-Za-z0-9])`);
}

/** What inputs are bound to: steps of this workflow, or those of the run. */
function inputsOf(
  { id, inputs }: StepRecord,
  chosen: ReadonlyMap<string, StepRecord>,
  record: RunRecord,
): JsonObject {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, parts]) => {
      const [part] = parts;
      if (part === undefined || parts.length > 1)
        throw ProblemError.of('wrong-call', `the rows of ${id} were gathered from ${parts.length} steps`, {
          hint: 'rejudge works on a step whose rows come from one step',
        });
      const own = part.run === null ? chosen.get(part.step) : undefined;
      const address = own ? own.base : `run:${part.run ?? record.id}/${part.step}`;
      return [name, `${address}.${part.output}`];
    }),
  );
}

/** Texts of files stand in the parameters already: the files of now may say something else. */
function withoutFiles(parameters: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      if (!isObject(value) || typeof value['text'] !== 'string') return [name, value];
      const { file: _, ...rest } = value;
      return [name, rest];
    }),
  );
}

function failuresOf({ base }: StepRecord, { steps }: ResolvedWorkflow): JsonObject {
  const found = steps.find((step) => step.base === base)?.max_row_failures;
  if (found === undefined) return {};
  const allowed = 'count' in found ? found.count : `${found.share * 100}%`;
  return allowed === 0 ? {} : { max_row_failures: allowed };
}

/** Declares params with the values that they had. */
function declared(params: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, { type: typeOf(value), default: value }]),
  );
}

function typeOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
