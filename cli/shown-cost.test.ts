import { expect, it } from 'vitest';
import { shownCost } from './shown-cost.ts';

it('says where no price is known', () => {
  const cost = { usd: 0, input_tokens: 103, output_tokens: 15, saved_usd: 0 };
  expect(shownCost(cost, 0)).toBe('$0.00 (103 tokens in, 15 out)');
  expect(shownCost(cost, 3)).toBe('unknown (103 tokens in, 15 out)');
  expect(shownCost({ ...cost, usd: 0.00184, saved_usd: 2 }, 1)).toBe(
    '$0.0018 and 1 answer without a known price (103 tokens in, 15 out), $2.00 saved by the cache',
  );
});
