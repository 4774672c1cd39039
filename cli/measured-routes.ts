import type { Json, JsonObject } from '../engine/json.ts';
import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { RunRecord, StepRecord } from '../engine/record/record.ts';
import { readRun, resolveRun } from '../engine/record/runs.ts';
import { addressedStep, isSelected, parseAddress } from '../engine/workflow/address.ts';
import { measuredKinds } from '../engine/workflow/model-routes.ts';
import type { Measured as Address, ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import { readSettings, shownModel } from '../models/language/settings.ts';

type Models = ResolvedWorkflow['models'];

/**
 * Puts in the place of addresses what earlier runs have measured of the models of routes, and beside it, as `measured`, where
 * it stands. A run, step or metric that is not there is a problem of the workflow, and so is one of another model that had the
 * same name.
 *
 * @param source.recorded the run that is made again: the numbers are those that it went by
 */
export function measureRoutes(
  { models, measured: places = [] }: Pick<ResolvedWorkflow, 'models' | 'measured'>,
  source: { runsFolder: string; recorded?: RunRecord | undefined },
): void {
  const records = new Map<string, RunRecord>();
  const recordOf = (run: string): RunRecord => {
    const known = records.get(run) ?? readRun(source.runsFolder, resolveRun(source.runsFolder, run));
    records.set(run, known);
    return known;
  };
  for (const [alias, { route }] of Object.entries(models)) {
    if (!isObject(route)) continue;
    const measured: { [kind: string]: JsonObject } = {};
    for (const kind of measuredKinds) {
      const written = route[kind];
      const addressed =
        typeof written === 'string' || Object.values(isObject(written) ? written : {}).some(isText);
      if (written === undefined || !addressed) continue;
      if (source.recorded) {
        route[kind] = numbersOf(source.recorded, alias, kind);
        continue;
      }
      const placed = places.filter((one) => one.route === alias && one.kind === kind);
      const { numbers, sources } =
        typeof written === 'string'
          ? at(placed[0], () => ofAll(written, route['among'] as string[], models, recordOf))
          : ofEach(written as JsonObject, placed, models, recordOf);
      route[kind] = numbers;
      measured[kind] = sources;
    }
    if (Object.keys(measured).length > 0) route['measured'] = measured;
  }
}

const isText = (value: Json | undefined): value is string => typeof value === 'string';

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Measured {
  numbers: JsonObject;
  sources: JsonObject;
}

/** A number or an address for each model. */
function ofEach(
  written: JsonObject,
  places: readonly Address[],
  models: Models,
  recordOf: (run: string) => RunRecord,
): Measured {
  const found: Measured = { numbers: {}, sources: {} };
  for (const [alias, value] of Object.entries(written)) {
    if (!isText(value)) {
      found.numbers[alias] = value;
      continue;
    }
    const place = places.find(({ model }) => model === alias);
    at(place, () => {
      const { record, steps, metric } = stepsAt(value, recordOf);
      const [step, ...others] = steps;
      if (step === undefined || others.length > 0)
        throw ProblemError.of(
          'measured-step',
          `${value} names ${steps.length === 0 ? 'no step' : `${steps.length} steps`} of run ${record.id}`,
          { hint: hintOf(record, value) },
        );
      add(found, alias, { record, step, metric }, models);
    });
  }
  return found;
}

/** What is wrong with an address is told with its place. */
function at<T>(address: Address | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ProblemError) || address === undefined) throw error;
    const { place } = address;
    throw new ProblemError(error.problems.map((problem) => ({ place, ...problem })));
  }
}

/** One address for all models: of each the step of a matrix that has its name as a value of an axis. */
function ofAll(
  written: string,
  among: readonly string[],
  models: Models,
  recordOf: (run: string) => RunRecord,
): Measured {
  const found: Measured = { numbers: {}, sources: {} };
  const { record, steps, metric } = stepsAt(written, recordOf);
  for (const alias of among) {
    const own = steps.filter(({ matrix }) => Object.values(matrix ?? {}).includes(alias));
    const [step, ...others] = own;
    if (others.length > 0)
      throw ProblemError.of(
        'measured-step',
        `${written} names ${own.length} steps of run ${record.id} for ${alias}`,
        {
          hint: `name the other axes: ${own.map(({ id }) => id).join(', ')}`,
        },
      );
    if (step !== undefined) add(found, alias, { record, step, metric }, models);
  }
  if (Object.keys(found.numbers).length === 0)
    throw ProblemError.of(
      'measured-step',
      `${written} names no step of run ${record.id} whose matrix has ${among.join(' or ')} as a value`,
      { hint: hintOf(record, written) },
    );
  return found;
}

function stepsAt(
  text: string,
  recordOf: (run: string) => RunRecord,
): { record: RunRecord; steps: StepRecord[]; metric: string } {
  const address = parseAddress(text);
  // The workflow's own check has read it already.
  if ('error' in address)
    throw ProblemError.of('address', address.error.message, { hint: address.error.hint });
  const record = recordOf(address.run ?? '');
  const steps = record.steps.filter(
    ({ base, matrix, status }) =>
      base === address.step &&
      isSelected(matrix ?? {}, address.select) &&
      (status === 'ran' || status === 'cached'),
  );
  return { record, steps, metric: address.output ?? '' };
}

function hintOf({ steps }: RunRecord, text: string): string {
  const address = parseAddress(text);
  const ids = [...new Set(steps.map(({ base }) => base))];
  const wanted = 'error' in address ? text : addressedStep(address);
  return suggestion(wanted, [...ids, ...steps.map(({ id }) => id)], 'its steps') ?? 'it has no steps';
}

function add(
  { numbers, sources }: Measured,
  alias: string,
  { record, step, metric }: { record: RunRecord; step: StepRecord; metric: string },
  models: Models,
): void {
  const value = step.metrics[metric];
  if (typeof value !== 'number') {
    const names = Object.keys(step.metrics).filter((name) => typeof step.metrics[name] === 'number');
    throw ProblemError.of('measured-metric', `${step.id} of run ${record.id} has no number "${metric}"`, {
      hint: suggestion(metric, names, 'its metrics') ?? 'it has no metrics',
    });
  }
  const then = record.models.find(({ name }) => name === alias)?.asked ?? null;
  const now = shownModel(readSettings(models[alias]!));
  if (then !== null && then !== now)
    throw ProblemError.of(
      'measured-model',
      `run ${record.id} measured ${then} under the name ${alias}, which is ${now} now`,
      {
        hint: `measure again, or say its number: { ${alias}: 0.8 }`,
      },
    );
  numbers[alias] = value;
  sources[alias] = `run ${record.id}, ${step.id}.${metric}`;
}

/** What a route went by in a run: steps that could ask it have it in their fingerprints. */
function numbersOf({ steps }: RunRecord, alias: string, kind: string): JsonObject {
  for (const { fingerprint } of steps) {
    const identity = fingerprint?.models[alias];
    if (identity === undefined) continue;
    const { route } = JSON.parse(identity) as { route?: JsonObject };
    const numbers = route?.[kind];
    if (isObject(numbers)) return numbers;
  }
  return {};
}
