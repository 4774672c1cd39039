import { expect, it } from 'vitest';
import { curveChart, isCurve } from './curve-chart.ts';
import type { SampleTable } from './model.ts';

const table = (fields: string[], head: SampleTable['head']): SampleTable => ({
  name: 'table',
  output: 'sweep',
  use: 'compress',
  rows: head.length,
  fields,
  head,
  moreFields: 0,
});

it('draws a sweep of thresholds with a line for each share, and no other table', () => {
  const fields = ['threshold', 'accepted', 'accepted_share', 'token_ratio'];
  const { text } = curveChart(
    table(fields, [
      [0, 4, 1, 0.5],
      [0.5, 2, 0.5, 0.75],
      [1, 0, 0, null],
    ]),
  )!;
  expect(isCurve(fields)).toBe(true);
  expect(text.match(/<polyline/g)).toHaveLength(2);
  // All accepted at 0, none at 1: from the upper left corner to the lower right one.
  expect(text).toContain('points="48,12 329,129 610,246"');
  // A threshold that accepts nothing has no ratio: the second line is shorter.
  expect(text).toContain('points="48,129 329,70.5"');
  expect(text).toContain('<title>0.500: token_ratio 0.750</title>');
  expect(curveChart(table(fields, [[0, 4, 1, 0.5]]))).toBeNull();
  expect(curveChart(table(['name', 'rating'], [['x', 1]]))).toBeNull();
});
