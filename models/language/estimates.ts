import type { Message, ModelTokens, Sampling, Usage } from '../../engine/language-model.ts';
import type { Catalogue, Price } from './catalogue.ts';
import { batchPrice, costOf, estimatedInput, noUsage, tokensOf } from './cost.ts';
import { anthropicMaxTokens } from './provider.ts';
import type { FullRequest } from './request.ts';
import type { ModelSettings } from './settings.ts';
import type { CountTokens } from './tokens.ts';

/** Output that a call is expected to have before any was seen and where nothing bounds it. */
const guessedOutput = 500;

/** What a call is expected to take, before it is made. */
export interface Expected {
  /** Tokens of the request, by the length of its texts. */
  readonly input: number;
  /** Tokens of an answer as answers are. */
  readonly usual: number;
  /** At most, where answers have a limit; null without a price, also where the provider says afterwards what it billed. */
  readonly usd: number | null;
  readonly tokens: number;
}

/** What requests to one model take: tokens, and US dollars by its price. */
export class Estimates {
  readonly tokens: ModelTokens;
  readonly #settings: ModelSettings;
  readonly #root: string;
  readonly #price: Price | undefined;
  #mostOutput = 0;
  #counter: Promise<CountTokens> | undefined;

  constructor(
    settings: ModelSettings,
    { root, catalogue, inBatches }: { root: string; catalogue: Catalogue; inBatches: boolean },
  ) {
    this.#settings = settings;
    this.#root = root;
    const { provider, model } = settings;
    const listed = settings.hosted ? catalogue.find(provider, model) : undefined;
    const price = settings.price ?? listed;
    this.#price = price && inBatches ? batchPrice(price) : price;
    this.tokens = {
      context: settings.context ?? listed?.context ?? null,
      counter: async () => {
        const { tokenCounter } = await import('./tokens.ts');
        return tokenCounter(settings, root);
      },
    };
  }

  /** What a call may take: where an answer has a limit, all of that. */
  expected(messages: readonly Message[], sampling: Sampling): Expected {
    const input = estimatedInput(messages);
    const limit = this.#outputLimit(sampling);
    const usual = Math.min(limit ?? Infinity, this.#mostOutput || limit || guessedOutput);
    const output = limit ?? usual;
    return { input, usual, usd: this.#usd(input, output), tokens: input + output };
  }

  /** What a call took, in US dollars; null where no price is known. */
  cost(usage: Usage): number | null {
    return this.#price ? costOf(usage, this.#price) : null;
  }

  /** An answer had so many tokens. */
  learn({ output_tokens }: Usage): void {
    this.#mostOutput = Math.max(this.#mostOutput, output_tokens);
  }

  /** The tokens of a call of which the provider did not say them. */
  async counted(messages: readonly Message[], text: string): Promise<Usage> {
    const count = await this.#count();
    return {
      ...noUsage,
      input_tokens: tokensOf(messages, count),
      output_tokens: count(text),
      estimated: true,
    };
  }

  /** What asking would take, by the model's own tokens. `usualOutput`: tokens of earlier answers, 0 if there are none. */
  async closely(request: FullRequest, usualOutput: number) {
    return this.byLength(request, usualOutput, tokensOf(request.messages, await this.#count()));
  }

  /** The same by the length of the texts, at once. */
  byLength(
    { messages, sampling, embedding }: FullRequest,
    usualOutput: number,
    input: number = estimatedInput(messages),
  ) {
    const output = embedding
      ? 0
      : Math.min(sampling.max_tokens ?? Infinity, usualOutput || sampling.max_tokens || guessedOutput);
    return { input_tokens: input, output_tokens: output, usd: this.#usd(input, output) };
  }

  #count(): Promise<CountTokens> {
    this.#counter ??= import('./tokens.ts').then(({ tokenCounter }) =>
      tokenCounter(this.#settings, this.#root, { atLeast: false }),
    );
    return this.#counter;
  }

  /** Tokens that an answer has at most; null where nothing bounds it. */
  #outputLimit({ max_tokens }: Sampling): number | null {
    return max_tokens ?? (this.#settings.provider === 'anthropic' ? anthropicMaxTokens : null);
  }

  #usd(input: number, output: number): number | null {
    const { provider } = this.#settings;
    if (provider === 'replay' || provider === 'local') return 0;
    if (this.#price === undefined) return null;
    return costOf({ ...noUsage, input_tokens: input, output_tokens: output }, this.#price);
  }
}
