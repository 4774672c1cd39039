import { expect, it } from 'vitest';
import type { SampleTable } from './model.ts';
import { ratingsChart } from './ratings-chart.ts';

const table = (fields: string[], head: SampleTable['head']): SampleTable => ({
  name: 'table',
  output: 'rows',
  use: 'evaluate',
  rows: head.length,
  fields,
  head,
  moreFields: 0,
});

it('draws players with their intervals, and no other table', () => {
  const fields = ['player', 'rating', 'rating_low', 'rating_high'];
  const { text } = ratingsChart(
    table(fields, [
      ['<best>', 1100, 1050, 1150],
      ['other', 900, 850, 950],
    ]),
  )!;
  expect(text).toContain('&lt;best&gt;: 1,100 (1,050 to 1,150)');
  expect(text.match(/<circle/g)).toHaveLength(2);
  // The best one's interval ends where the drawing does; the other one's begins where it does.
  expect(text).toContain('x2="700"');
  expect(text).toContain('x1="190"');
  expect(ratingsChart(table(['player', 'rating'], [['only', 1000]]))!.text).toContain('only');
  expect(ratingsChart(table(['name', 'rating'], [['x', 1]]))).toBeNull();
});
