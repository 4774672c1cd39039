import type { Message, Usage } from '../../engine/language-model.ts';
import list from './prices.json' with { type: 'json' };

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  /** Read from the provider's cache; the price of `input` if not given. */
  readonly cached?: number;
  /** Written to the provider's cache; the price of `input` if not given. */
  readonly written?: number;
  readonly output: number;
}

/** A price of the list that comes with the product, with where and when it was read. */
export interface ListedPrice extends Price {
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly date: string;
}

export const listedPrices: readonly ListedPrice[] = list.prices.map((price) => ({
  ...price,
  ...list.sources[price.provider as keyof typeof list.sources],
}));

/** A dated name (`gpt-4.1-2025-04-14`, `claude-haiku-4-5-20251001`) has the price of the name without its date. */
const date = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;

/** The listed price of a model of the provider's own; undefined if none is known. */
export function listedPrice(provider: string, model: string): Price | undefined {
  const bare = model.replace(date, '');
  return listedPrices.find(
    (price) => price.provider === provider && (price.model === model || price.model === bare),
  );
}

/** US dollars. */
export function costOf(usage: Usage, price: Price): number {
  const { input_tokens, cached_tokens, written_tokens, output_tokens } = usage;
  const fresh = input_tokens - cached_tokens - written_tokens;
  const { input, cached = input, written = input, output } = price;
  return (fresh * input + cached_tokens * cached + written_tokens * written + output_tokens * output) / 1e6;
}

/** Tokens of a text of which no tokenizer is known: four bytes each, as English text has on average. */
export function estimatedTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Tokens of a request before it is made. A few of each message frame it. */
export function estimatedInput(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + 4 + estimatedTokens(content), 0);
}

/** The sum of two counts. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    written_tokens: a.written_tokens + b.written_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    estimated: a.estimated || b.estimated,
  };
}
