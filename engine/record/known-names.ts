import { nearest } from '../nearest.ts';
import type { RunRecord } from './record.ts';
import { listRuns, readRun } from './runs.ts';
import { type FoundRun, type RunSearch, searchRuns } from './search.ts';

/** A name that a search asks for and that no run has. */
export interface UnknownName {
  kind: 'workflow' | 'param' | 'metric';
  name: string;
  /** The one that was probably meant; null if none is close. */
  meant: string | null;
}

/** Runs, the latest, whose names are offered. */
const asExamples = 20;

/** Of what a search asked for and found no value of, the names that no run has at all. */
export function unknownNames(
  runsFolder: string,
  { workflow, params = [], metrics = [], sort }: RunSearch,
  found: readonly FoundRun[],
): UnknownName[] {
  const unknown: UnknownName[] = [];
  const heads = listRuns(runsFolder).runs;
  const add = (kind: UnknownName['kind'], name: string, known: Iterable<string>) =>
    unknown.push({ kind, name, meant: nearest(name, known) ?? null });
  const workflows = new Set(heads.map(({ summary }) => summary.workflow));
  if (workflow !== undefined && !workflows.has(workflow)) add('workflow', workflow, workflows);

  let examples: RunRecord[] | undefined;
  const latest = () => {
    examples ??= heads.slice(0, asExamples).flatMap(({ id }) => {
      try {
        return [readRun(runsFolder, id)];
      } catch {
        // `runs show` says what is wrong with it.
        return [];
      }
    });
    return examples;
  };
  for (const { name } of params) {
    if (found.some((run) => run.params[name] !== null)) continue;
    if (searchRuns(runsFolder, { params: [{ name, value: null }] }).runs.length > 0) continue;
    add('param', name, new Set(latest().flatMap((record) => Object.keys(record.params))));
  }
  const named = typeof sort === 'object' ? [...metrics, sort] : metrics;
  for (const { step, metric } of named) {
    const name = `${step}.${metric}`;
    if (found.some((run) => run.metrics[name] !== null)) continue;
    if (searchRuns(runsFolder, { metrics: [{ step, metric, test: null }] }).runs.length > 0) continue;
    if (unknown.some((other) => other.name === name)) continue;
    add('metric', name, new Set(latest().flatMap(metricsOf)));
  }
  return unknown;
}

function metricsOf({ steps }: RunRecord): string[] {
  return steps.flatMap(({ id, base, metrics }) =>
    Object.keys(metrics).flatMap((metric) => [`${base}.${metric}`, `${id}.${metric}`]),
  );
}
