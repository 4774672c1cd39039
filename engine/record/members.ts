import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metrics } from '../artefacts.ts';
import type { JsonObject } from '../json.ts';
import type { RunRecord, StepRecord } from './record.ts';

/** What a search in the history looks at. */
export interface RunMembers {
  params: JsonObject;
  steps: Pick<StepRecord, 'id' | 'base' | 'metrics'>[];
}

/**
 * Params of a run, and the steps with these ids or bases. Of run.json only the lines that are asked for are parsed (see
 * `serializeRecord`): a history of 10,000 runs is searched in a second. Undefined if there is no readable record.
 */
export function readMembers(runFolder: string, steps: ReadonlySet<string>): RunMembers | undefined {
  let text: string;
  try {
    text = readFileSync(join(runFolder, 'run.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const params = lineAfter(text, '\n"params":');
    const start = text.indexOf('\n"steps":[');
    if (params === undefined || start < 0) return wellFormed(membersOf(JSON.parse(text) as RunRecord, steps));
    const found: RunMembers['steps'] = [];
    if (steps.size > 0) {
      for (let at = text.indexOf('\n', start + 1); at >= 0; at = text.indexOf('\n', at + 1)) {
        const id = /^\n\{"id":("(?:[^"\\]|\\.)*")/.exec(text.slice(at, at + 400))?.[1];
        if (id === undefined) continue;
        const name = JSON.parse(id) as string;
        if (!steps.has(name) && !steps.has(name.replace(/\[.*/s, ''))) continue;
        const end = text.indexOf('\n', at + 1);
        found.push(JSON.parse(text.slice(at, end < 0 ? undefined : end).replace(/,$/, '')) as StepRecord);
      }
    }
    return wellFormed({ params: JSON.parse(params) as JsonObject, steps: found });
  } catch {
    return undefined;
  }
}

function lineAfter(text: string, start: string): string | undefined {
  const at = text.indexOf(start);
  const end = text.indexOf('\n', at + 1);
  return at < 0 || end < 0 ? undefined : text.slice(at + start.length, end).replace(/,$/, '');
}

/** For a run.json that somebody's editor wrote anew. */
function membersOf(record: RunRecord, steps: ReadonlySet<string>): RunMembers {
  return {
    params: record.params,
    steps: record.steps.filter(({ id, base }) => steps.has(id) || steps.has(base)),
  };
}

/** The same, if params and metrics are objects; the rest of a record is `readRun`'s to check. */
function wellFormed(members: RunMembers): RunMembers | undefined {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject(members.params) && members.steps.every(({ metrics }) => isObject(metrics))
    ? members
    : undefined;
}

/** `topics[k=5].silhouette`: a metric as people name it. */
export interface MetricName {
  /** The step's id, or its base if it has one instance. */
  step: string;
  metric: string;
}

/** The metric's value; null if the run has no such step or metric, or several instances of the step. */
export function metricOf({ steps }: RunMembers, { step, metric }: MetricName): Metrics[string] | null {
  const exact = steps.find(({ id }) => id === step);
  const instances = steps.filter(({ base }) => base === step);
  const found = exact ?? (instances.length === 1 ? instances[0] : undefined);
  return found && Object.hasOwn(found.metrics, metric) ? found.metrics[metric]! : null;
}
