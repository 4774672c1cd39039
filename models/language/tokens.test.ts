import { expect, it } from 'vitest';
import { tokenCounter } from './tokens.ts';

const counted = async (model: string, text: string, more: object = {}) => {
  const settings = { provider: 'openai', model, tokenizer: undefined, ...more } as const;
  return (await tokenCounter(settings as Parameters<typeof tokenCounter>[0], process.cwd()))(text);
};

it("counts by a model's own encoding, by its tokenizer, else rather too much", async () => {
  // Counts that the OpenAI Cookbook prints ("How to count tokens with tiktoken"): o200k_base and cl100k_base.
  expect(await counted('gpt-5-mini', 'tiktoken is great!')).toBe(6);
  expect(await counted('gpt-4', 'tiktoken is great!')).toBe(6);
  expect(await counted('gpt-4o', 'お誕生日おめでとう')).toBe(8);
  expect(await counted('gpt-4', 'お誕生日おめでとう')).toBe(9);
  expect(await counted('gpt-4.1', '<|endoftext|>')).toBeGreaterThan(0);
  expect(await counted('openai/gpt-5', 'tiktoken is great!', { provider: 'openrouter' })).toBe(6);
  expect(await counted('qwen3-8b', 'tiktoken is great!')).toBe(8);
  const tokenizer = 'models/all-minilm-l6-v2/tokenizer.json';
  expect(await counted('mine', 'hello world', { tokenizer })).toBe(2);
});
