import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { ModelServer } from '../../test/model-server.ts';
import { createLanguageModels } from './index.ts';

/** What providers report of one answer, and what it costs by hand: dollars for a million tokens. */
const price = { input: 2, cached: 0.5, written: 2.5, output: 10 };

it.each<[string, JsonObject, JsonObject, object, number]>([
  [
    'openai: cached tokens are among the input, those of reasoning among the output',
    { provider: 'openai' },
    {
      prompt_tokens: 1200,
      completion_tokens: 350,
      total_tokens: 1550,
      prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 320, accepted_prediction_tokens: 0 },
    },
    { input_tokens: 1200, cached_tokens: 1024, written_tokens: 0, output_tokens: 350 },
    // 176 × 2 + 1024 × 0.5 + 350 × 10 = 352 + 512 + 3500
    0.004364,
  ],
  [
    'anthropic: cached and written tokens are beside the input',
    { provider: 'anthropic' },
    {
      input_tokens: 21,
      cache_read_input_tokens: 4000,
      cache_creation_input_tokens: 600,
      output_tokens: 90,
      service_tier: 'standard',
    },
    { input_tokens: 4621, cached_tokens: 4000, written_tokens: 600, output_tokens: 90 },
    // 21 × 2 + 4000 × 0.5 + 600 × 2.5 + 90 × 10 = 42 + 2000 + 1500 + 900
    0.004442,
  ],
  [
    'openrouter: what it says it billed counts, whatever the price',
    { provider: 'openrouter' },
    {
      prompt_tokens: 500,
      completion_tokens: 100,
      prompt_tokens_details: { cached_tokens: 0 },
      cost: 0.0123,
      cost_details: { upstream_inference_cost: null },
    },
    { input_tokens: 500, cached_tokens: 0, written_tokens: 0, output_tokens: 100 },
    0.0123,
  ],
])('%s', async (_, alias, reported, usage, usd) => {
  await using server = await ModelServer.start({ usage: () => reported });
  const format = alias['provider'] === 'anthropic' ? 'anthropic' : 'openai';
  const models = createLanguageModels({
    root: process.cwd(),
    aliases: { m: { ...alias, base_url: server.url(format), model: 'm', price } },
    secret: () => undefined,
    answers: null,
  });
  const options = { signal: new AbortController().signal, notify: () => {} };
  const result = await models.find('m')?.ask({ messages: [{ role: 'user', content: 'hello' }] }, options);
  expect(result).toMatchObject({ answer: { usage: { ...usage, estimated: false } } });
  expect(result !== undefined && 'answer' in result && result.answer.usd).toBeCloseTo(usd, 12);
});
