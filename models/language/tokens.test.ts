import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenCounter } from './tokens.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(resolve(root, path), 'utf8');
const lines = (path: string) =>
  read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);

const counter = (model: string, more: object = {}) =>
  tokenCounter(
    { provider: 'openai', model, tokenizer: undefined, ...more } as Parameters<typeof tokenCounter>[0],
    root,
  );
const counted = async (model: string, text: string, more: object = {}) => (await counter(model, more))(text);

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

describe('1,000 texts, many of them naughty, have the tokens that other programs count', () => {
  const { counts } = JSON.parse(read('test/fixtures/token-counts.json')) as {
    counts: Record<string, number[]>;
  };
  const texts = [
    ...(JSON.parse(read('test/hostile/naughty-strings/blns.json')) as string[]),
    ...(JSON.parse(read('test/fixtures/encoders/texts.json')) as { texts: string[] }).texts,
    ...lines('use-cases/answer-judging/data/pairs.jsonl').flatMap(({ output_1, output_2 }) => [
      output_1 ?? '',
      output_2 ?? '',
    ]),
    ...lines('use-cases/support-topics/data/queries.jsonl').map(({ text }) => text ?? ''),
  ].slice(0, 1000);

  it.each([
    ['all-minilm-l6-v2', 'models/all-minilm-l6-v2/tokenizer.json'],
    ['use-multilingual-v3', 'models/use-multilingual-v3/tokenizer.json'],
  ])('by the tokenizer of %s', async (name, tokenizer) => {
    expect(texts.map(await counter('mine', { tokenizer }))).toEqual(counts[name]);
  });

  it.each([
    ['o200k_base', 'gpt-5-mini'],
    ['cl100k_base', 'gpt-4'],
  ])('by %s; one more at most where a byte order mark stands in a text', async (name, model) => {
    const count = await counter(model);
    const off = texts.flatMap((text, index) => {
      const difference = count(text) - (counts[name]?.[index] ?? 0);
      return difference === 0 ? [] : [{ text, difference }];
    });
    // JavaScript takes U+FEFF for white space where it cuts a text, Rust does not.
    expect(off.every(({ text, difference }) => difference === 1 && text.includes('\ufeff'))).toBe(true);
    expect(off.length).toBeLessThanOrEqual(4);
  });
});
