import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { catalogueOf } from './catalogue.ts';
import { entriesOf, parseLiteLlm, readRefreshed, writeRefreshed } from './refreshed-catalogue.ts';

const list = {
  sample_spec: { litellm_provider: 'one of https://docs', mode: 'one of: chat', input_cost_per_token: 0 },
  'gpt-5-mini': {
    litellm_provider: 'openai',
    mode: 'chat',
    input_cost_per_token: 2e-7,
    cache_read_input_token_cost: 2e-8,
    output_cost_per_token: 1.6e-6,
    input_cost_per_token_batches: 1e-7,
    output_cost_per_token_batches: 8e-7,
    max_input_tokens: 272000,
  },
  'openrouter/meta-llama/llama-3-70b': {
    litellm_provider: 'openrouter',
    mode: 'chat',
    input_cost_per_token: 5.9e-7,
    output_cost_per_token: 7.9e-7,
  },
  'text-embedding-3-small': { litellm_provider: 'openai', mode: 'embedding', input_cost_per_token: 2e-8 },
  'gpt-free': { litellm_provider: 'openai', mode: 'chat' },
  'bedrock/claude': {
    litellm_provider: 'bedrock',
    mode: 'chat',
    input_cost_per_token: 1,
    output_cost_per_token: 1,
  },
};

describe('a catalogue that was fetched', () => {
  it('has the models of our providers that have a price', () => {
    expect(parseLiteLlm(JSON.stringify(list))).toEqual([
      {
        provider: 'openai',
        model: 'gpt-5-mini',
        input: 0.2,
        cached: 0.02,
        output: 1.6,
        batch: { input: 0.1, output: 0.8 },
        context: 272000,
      },
      { provider: 'openrouter', model: 'meta-llama/llama-3-70b', input: 0.59, output: 0.79 },
    ]);
    for (const none of ['<html>', '[]', '{}', 'null', '{"a":null}']) expect(parseLiteLlm(none)).toBeNull();
  });

  it('goes before the one of the product, and is read again as it was written', () => {
    const file = join(folderWith({}), 'cache/prices.json');
    expect(readRefreshed(file)).toBeNull();
    const models = parseLiteLlm(JSON.stringify(list)) ?? [];
    writeRefreshed(file, { source: 'https://x.test/list.json', fetched: '2026-11-21T10:00:00.000Z', models });
    const { find } = catalogueOf(entriesOf(readRefreshed(file)));
    expect(find('openai', 'gpt-5-mini-2025-08-07')).toMatchObject({
      input: 0.2,
      date: '2026-11-21',
      source: 'https://x.test/list.json',
    });
    expect(find('openai', 'gpt-4.1')).toMatchObject({ input: 2 });
    writeFileSync(file, '{"source":"x"');
    expect(readRefreshed(file)).toBeNull();
  });
});
