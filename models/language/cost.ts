import type { Message, Spent, Usage } from '../../engine/language-model.ts';
import type { Price } from './catalogue.ts';

/** US dollars. */
export function costOf(usage: Usage, price: Price): number {
  const { input_tokens, cached_tokens, written_tokens, output_tokens } = usage;
  const fresh = input_tokens - cached_tokens - written_tokens;
  const { input, cached = input, written = input, output } = price;
  return (fresh * input + cached_tokens * cached + written_tokens * written + output_tokens * output) / 1e6;
}

/** The price of what is asked in a batch: half, unless the list says otherwise. */
export function batchPrice({ input, cached = input, written = input, output, batch }: Price): Price {
  const share = batch === undefined ? 0.5 : input === 0 ? 1 : batch.input / input;
  return {
    input: batch?.input ?? input / 2,
    cached: cached * share,
    written: written * share,
    output: batch?.output ?? output / 2,
  };
}

/** Tokens of a text of which no tokenizer is known: four bytes each, as English text has on average. */
export function estimatedTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Tokens of a request. A few of each message frame it. */
export function tokensOf(messages: readonly Message[], count: (text: string) => number): number {
  return messages.reduce((sum, { content }) => sum + 4 + count(content), 0);
}

/** The same by the length of the texts. */
export function estimatedInput(messages: readonly Message[]): number {
  return tokensOf(messages, estimatedTokens);
}

/** The sum of what was spent; of unknown prices, unknown. */
export function addSpent(a: Spent, b: Spent): Spent {
  return { usage: addUsage(a.usage, b.usage), usd: a.usd === null || b.usd === null ? null : a.usd + b.usd };
}

function addUsage(a: Usage, b: Usage): Usage {
  const reasoning = (a.reasoning_tokens ?? 0) + (b.reasoning_tokens ?? 0);
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    written_tokens: a.written_tokens + b.written_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    ...(reasoning > 0 && { reasoning_tokens: reasoning }),
    estimated: a.estimated || b.estimated,
  };
}

export const noUsage: Usage = {
  input_tokens: 0,
  cached_tokens: 0,
  written_tokens: 0,
  output_tokens: 0,
  estimated: false,
};

export const nothingSpent: Spent = { usage: noUsage, usd: 0 };

/** The sum of the calls that one answer took. */
export class Bill {
  /** Null as long as nothing was. */
  spent: Spent | null = null;

  add(usage: Usage, usd: number | null): void {
    const before = this.spent ?? nothingSpent;
    this.spent = addSpent(before, { usage, usd });
  }
}
