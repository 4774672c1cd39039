import { ProblemError } from '../engine/problems.ts';
import type { MetricName } from '../engine/record/members.ts';
import type { comparisons, MetricTest, RunSearch } from '../engine/record/search.ts';
import type { Options } from './command.ts';

/** The options of `runs list` as a search. What cannot be read is a problem of the call. */
export function searchOf(options: Options, now = Date.now()): RunSearch {
  const text = (name: string) => options[name] as string | undefined;
  const sort = text('sort');
  return {
    workflow: text('workflow'),
    status: text('status') as RunSearch['status'],
    tag: text('tag'),
    since: momentOf('since', text('since'), now),
    until: momentOf('until', text('until'), now),
    params: ((options['param'] as string[] | undefined) ?? []).map(paramOf),
    metrics: ((options['metric'] as string[] | undefined) ?? []).map(metricTestOf),
    sort: sort === undefined || isColumn(sort) ? (sort ?? 'started') : metricNameOf('sort', sort),
    reverse: options['reverse'] === true,
    limit: options['limit'] as number | undefined,
  };
}

function isColumn(sort: string): sort is 'started' | 'duration' | 'cost' {
  return sort === 'started' || sort === 'duration' || sort === 'cost';
}

function wrong(message: string, hint: string): ProblemError {
  return ProblemError.of('wrong-call', message, { hint });
}

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** `7d` ago, or a date: a day means its start for --since and its end for --until. Without a zone it is UTC. */
function momentOf(option: 'since' | 'until', text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d+)\s*([smhdw])$/.exec(text) ?? [];
  if (unit !== undefined) return now - Number(count) * unitsMs[unit as keyof typeof unitsMs];
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text) ?? [];
  const moment = Date.parse(`${day}T${time ?? '00:00'}${zone ?? 'Z'}`);
  if (day === undefined || Number.isNaN(moment))
    throw wrong(
      `--${option} cannot be "${text}"`,
      'write 2026-11-21, 2026-11-21T09:15, or how long ago: 7d, 12h',
    );
  return option === 'until' && time === undefined ? moment + unitsMs.d : moment;
}

function paramOf(text: string): { name: string; value: string | null } {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (name.trim() === '') throw wrong(`--param ${text} names no param`, 'write --param topics=77');
  return { name: name.trim(), value: at < 0 ? null : text.slice(at + 1).trim() };
}

/** `scores.v_measure>=0.7`, or only the metric. */
function metricTestOf(text: string): MetricTest {
  const [, name, operator, value] =
    /^\s*([A-Za-z_][\w-]*(?:\[.*?\])?\.\w+)\s*(>=|<=|!=|==|=|>|<)\s*(.*)$/s.exec(text) ?? [];
  if (operator === undefined) return { ...metricNameOf('metric', text), test: null };
  const known = operator as (typeof comparisons)[number];
  const isSize = known.includes('>') || known.includes('<');
  if (value!.trim() === '' || (isSize && Number.isNaN(Number(value))))
    throw wrong(`--metric ${text} compares with no number`, 'write --metric "scores.v_measure>0.7"');
  return { ...metricNameOf('metric', name!), test: { operator: known, value: value!.trim() } };
}

function metricNameOf(option: string, text: string): MetricName {
  const [, step, metric] = /^([A-Za-z_][\w-]*(?:\[.*\])?)\.(\w+)$/s.exec(text.trim()) ?? [];
  if (metric === undefined)
    throw wrong(
      `--${option} cannot be "${text}"`,
      option === 'sort'
        ? 'write started, duration, cost, or a metric as step.metric: scores.v_measure'
        : 'write a metric as step.metric, and what it must be: "scores.v_measure>0.7"',
    );
  return { step: step!, metric };
}
