import { describe, expect, it } from 'vitest';
import { catalogueOf, listedModels } from './catalogue.ts';
import { costOf } from './cost.ts';

const listedPrice = catalogueOf().find;

const usage = (input: number, cached: number, written: number, output: number) => ({
  input_tokens: input,
  cached_tokens: cached,
  written_tokens: written,
  output_tokens: output,
  estimated: false,
});

describe('costs', () => {
  it('are those of the price lists, to the cent, of what providers report', () => {
    // OpenAI counts cached tokens among the input: 2,000 in, 1,500 of them cached, 300 out.
    expect(costOf(usage(2000, 1500, 0, 300), listedPrice('openai', 'gpt-5-mini')!)).toBeCloseTo(
      (500 * 0.25 + 1500 * 0.025 + 300 * 2) / 1e6,
      12,
    );
    // Anthropic counts them beside it: 100 fresh, 1,000 read, 200 written, which the provider's file adds up.
    expect(costOf(usage(1300, 1000, 200, 50), listedPrice('anthropic', 'claude-haiku-4-5')!)).toBeCloseTo(
      (100 * 1 + 1000 * 0.1 + 200 * 1.25 + 50 * 5) / 1e6,
      12,
    );
    expect(costOf(usage(1e6, 0, 0, 1e6), { input: 3, output: 15 })).toBe(18);
  });

  it('are known for names with a date, and not for unknown names or another provider', () => {
    expect(listedPrice('openai', 'gpt-4.1-2025-04-14')).toMatchObject({ input: 2 });
    expect(listedPrice('anthropic', 'claude-haiku-4-5-20251001')).toMatchObject({ output: 5 });
    expect(listedPrice('openai', 'gpt-4.1-enormous')).toBeUndefined();
    expect(listedPrice('anthropic', 'gpt-4.1')).toBeUndefined();
  });

  it('come with where and when each price was read', () => {
    for (const price of listedModels) {
      expect(price.source).toMatch(/^https:/);
      expect(price.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      // Models that give vectors write nothing.
      if (price.output !== 0) expect(price.output).toBeGreaterThan(price.input);
    }
  });
});
