import { join } from 'node:path';
import type { Metrics } from '../artefacts.ts';
import { canonicalJson, type Json } from '../json.ts';
import { type MetricName, metricOf, type RunMembers, readMembers } from './members.ts';
import { readTags } from './notes.ts';
import type { RunHead } from './record.ts';
import { listRuns } from './runs.ts';
import { withCostSoFar } from './spent.ts';

/** What is asked of the history. What is left out is not asked for. */
export interface RunSearch {
  workflow?: string | undefined;
  status?: RunHead['status'] | undefined;
  tag?: string | undefined;
  /** Milliseconds since the epoch: runs that started at `since` or later, and before `until`. */
  since?: number | undefined;
  until?: number | undefined;
  /** A param that must have this value (as text or as JSON), or be there at all. */
  params?: readonly { name: string; value: string | null }[];
  /** A metric that must compare so, or be there at all. */
  metrics?: readonly MetricTest[];
  /** `started` (the default): the latest first; of the others the largest first, and runs without a value last. */
  sort?: 'started' | 'duration' | 'cost' | MetricName;
  /** The other way round; runs without a value stay last. */
  reverse?: boolean;
  limit?: number | undefined;
}

export const comparisons = ['>=', '<=', '!=', '==', '=', '>', '<'] as const;

export interface MetricTest extends MetricName {
  /** Null: any value will do. */
  test: { operator: (typeof comparisons)[number]; value: string } | null;
}

/** A run as a search shows it. */
export interface FoundRun extends RunHead {
  tags: string[];
  /** The params and metrics that the search names; null where the run has none. */
  params: { [name: string]: Json };
  metrics: { [name: string]: Metrics[string] | null };
}

export interface FoundRuns {
  runs: FoundRun[];
  /** Folders whose run.json is missing or cannot be read. */
  unreadable: string[];
}

/**
 * Searches the history. Of each run one line is read, and of those that are left a few more if params or metrics are
 * asked for.
 */
export function searchRuns(runsFolder: string, search: RunSearch = {}): FoundRuns {
  const { workflow, status, tag, since, until, params = [], metrics = [], sort = 'started' } = search;
  const tagsOf = new Map<string, string[]>();
  for (const [name, run] of readTags(runsFolder)) tagsOf.set(run, [...(tagsOf.get(run) ?? []), name]);
  const { runs, unreadable } = listRuns(runsFolder);
  const named: MetricName[] = typeof sort === 'string' ? [...metrics] : [...metrics, sort];
  const steps = new Set(named.map(({ step }) => step));
  const needsMembers = params.length + named.length > 0;

  const found: FoundRun[] = [];
  for (const head of runs) {
    const started = Date.parse(head.started);
    const tags = tagsOf.get(head.id) ?? [];
    if (workflow !== undefined && head.summary.workflow !== workflow) continue;
    if (status !== undefined && head.status !== status) continue;
    if (tag !== undefined && !tags.includes(tag)) continue;
    if (since !== undefined && !(started >= since)) continue;
    if (until !== undefined && !(started < until)) continue;
    const members: RunMembers | undefined = needsMembers
      ? readMembers(join(runsFolder, head.id), steps)
      : { params: {}, steps: [] };
    if (members === undefined) {
      unreadable.push(head.id);
      continue;
    }
    const matches =
      params.every(({ name, value }) => isParam(members, name, value)) &&
      metrics.every((asked) => isMetric(metricOf(members, asked), asked.test));
    if (!matches) continue;
    found.push({
      ...withCostSoFar(head, join(runsFolder, head.id)),
      tags: tags.sort(),
      params: Object.fromEntries(params.map(({ name }) => [name, members.params[name] ?? null])),
      metrics: Object.fromEntries(
        named.map((name) => [`${name.step}.${name.metric}`, metricOf(members, name)]),
      ),
    });
  }
  return { runs: sorted(found, sort, search.reverse ?? false).slice(0, search.limit), unreadable };
}

function isParam({ params }: RunMembers, name: string, value: string | null): boolean {
  if (!Object.hasOwn(params, name)) return false;
  const own = params[name]!;
  if (value === null || own === value) return true;
  try {
    return canonicalJson(own) === canonicalJson(JSON.parse(value) as Json);
  } catch {
    // A text that is no JSON, and not this one.
    return false;
  }
}

function isMetric(own: Metrics[string] | null, test: MetricTest['test']): boolean {
  if (own === null) return false;
  if (test === null) return true;
  const { operator } = test;
  const value = typeof own === 'number' ? Number(test.value) : test.value;
  const mine = typeof own === 'number' ? own : String(own);
  if (operator === '=' || operator === '==') return mine === value;
  if (operator === '!=') return mine !== value;
  // Words have no size.
  if (typeof mine !== 'number' || typeof value !== 'number') return false;
  if (operator === '>') return mine > value;
  if (operator === '<') return mine < value;
  return operator === '>=' ? mine >= value : mine <= value;
}

function sorted(runs: FoundRun[], sort: NonNullable<RunSearch['sort']>, reverse: boolean): FoundRun[] {
  if (sort === 'started') return reverse ? runs.reverse() : runs;
  const keyOf = (run: FoundRun): number | null => {
    if (sort === 'duration') return run.duration_ms;
    if (sort === 'cost') return run.summary.cost.usd;
    const value = run.metrics[`${sort.step}.${sort.metric}`];
    return typeof value === 'number' ? value : null;
  };
  return runs.sort((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return reverse ? x - y : y - x;
  });
}
