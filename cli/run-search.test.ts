import { expect, it } from 'vitest';
import { ProblemError } from '../engine/problems.ts';
import { searchOf } from './run-search.ts';

const now = Date.UTC(2026, 10, 21, 12);

it.each([
  ['since', '7d', Date.UTC(2026, 10, 14, 12)],
  ['since', '90m', now - 90 * 60_000],
  ['since', '2026-11-21', Date.UTC(2026, 10, 21)],
  ['until', '2026-11-21', Date.UTC(2026, 10, 22)],
  ['until', '2026-11-21T09:15', Date.UTC(2026, 10, 21, 9, 15)],
  ['since', '2026-11-21 09:15+02:00', Date.UTC(2026, 10, 21, 7, 15)],
] as const)('--%s %s is a moment', (option, text, moment) => {
  expect(searchOf({ [option]: text }, now)[option]).toBe(moment);
});

it.each([
  ['scores.v_measure>0.7', 'scores', 'v_measure', '>', '0.7'],
  ['scores.v_measure >= 7e-1', 'scores', 'v_measure', '>=', '7e-1'],
  ['topics[k=5].silhouette<0.3', 'topics[k=5]', 'silhouette', '<', '0.3'],
  ['a[t=x.y>1].m!=b.c', 'a[t=x.y>1]', 'm', '!=', 'b.c'],
  ['scores.method=kmeans', 'scores', 'method', '=', 'kmeans'],
])('--metric %s is a test', (text, step, metric, operator, value) => {
  expect(searchOf({ metric: [text] }).metrics).toEqual([{ step, metric, test: { operator, value } }]);
});

it('a name alone asks for a column, and a metric sorts', () => {
  expect(searchOf({ metric: ['a.b'], param: ['k', 'x=a=b'], sort: 'a[t=1].c' })).toMatchObject({
    metrics: [{ step: 'a', metric: 'b', test: null }],
    params: [
      { name: 'k', value: null },
      { name: 'x', value: 'a=b' },
    ],
    sort: { step: 'a[t=1]', metric: 'c' },
  });
});

it.each([
  { since: 'yesterday' },
  { until: '2026-13-01' },
  { metric: ['v_measure>0.7'] },
  { metric: ['scores.v_measure>high'] },
  { metric: ['scores.v_measure='] },
  { param: ['=1'] },
  { sort: 'fastest' },
])('refuses %j with what to write', (options) => {
  try {
    searchOf(options);
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.problems[0]).toMatchObject({ code: 'wrong-call', hint: expect.stringContaining('write ') });
  }
});
