import { expect, it } from 'vitest';
import { type Asked, addAsked, askedBefore } from './asked.ts';
import { noCost } from './record/record.ts';

const asked = (latency_ms?: number): Asked => ({
  cost: { ...noCost, usd: 1 },
  models: [
    {
      alias: 'm',
      asked: 'openai/m',
      served: ['m-1'],
      unpriced: 1,
      ...(latency_ms !== undefined && { latency_ms }),
    },
  ],
});

it('how long answers took is that of the last attempt that asked for any, and nothing of a result used again', () => {
  expect(addAsked([asked(200), asked(300), asked()]).models).toEqual([
    { alias: 'm', asked: 'openai/m', served: ['m-1'], unpriced: 3, latency_ms: 300 },
  ]);
  expect(addAsked([asked(), asked()]).models[0]).not.toHaveProperty('latency_ms');
  expect(askedBefore(asked(200))).toEqual({
    cost: { ...noCost, saved_usd: 1 },
    models: [{ alias: 'm', asked: 'openai/m', served: ['m-1'], unpriced: 0 }],
  });
});
