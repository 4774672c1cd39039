import { expect, it } from 'vitest';
import { keptMetrics } from './metrics.ts';

it('metrics that a record cannot hold are left out, with a warning', () => {
  const warnings: string[] = [];
  const said = { rows: 3, name: 'x', ok: false, score: Number.NaN, ratio: -Infinity, list: [1], none: null };
  expect(keptMetrics({ ...said, absent: undefined }, (text) => warnings.push(text))).toEqual({
    rows: 3,
    name: 'x',
    ok: false,
  });
  expect(warnings).toEqual([
    'the metric score is left out: it is NaN',
    'the metric ratio is left out: it is -Infinity',
    'the metric list is left out: it must be a number, a text, true or false',
    'the metric none is left out: it must be a number, a text, true or false',
  ]);
});
