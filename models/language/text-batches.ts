import { type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';
import type { Resilience, Tries } from './resilience.ts';

/** Texts of one request, and their estimated tokens, at most: OpenAI takes 2,048 and 300,000. */
const mostTexts = 128;
const mostTokens = 100_000;

interface Waiting {
  readonly text: string;
  readonly tokens: number;
  readonly signal: AbortSignal;
  readonly tries: Tries;
  resolve(answer: ProviderAnswer): void;
  reject(error: unknown): void;
}

/**
 * Asks for the vectors of texts, many in one request: what is asked within a turn of the event loop, and in those after it
 * as long as more comes, goes together. Each text gets its own answer, and its share of the tokens. A request that is
 * rejected is made again in halves, so that only the texts that are wrong fail.
 */
export class TextBatches {
  readonly #line: Pick<Resilience, 'ask'>;
  /** Texts that wait, by what else is the same for a request. */
  readonly #waiting = new Map<string, { request: ProviderRequest; texts: Waiting[] }>();

  constructor(line: Pick<Resilience, 'ask'>) {
    this.#line = line;
  }

  /** The vector of one text; rejects as `Resilience.ask` does. */
  ask(
    request: ProviderRequest,
    text: string,
    tokens: number,
    signal: AbortSignal,
    tries: Tries,
  ): Promise<ProviderAnswer> {
    return new Promise((resolve, reject) => {
      const name = JSON.stringify([request.model, request.embedding?.dimensions ?? null]);
      const found = this.#waiting.get(name);
      const one = { text, tokens, signal, tries, resolve, reject };
      if (found === undefined) {
        const group = { request, texts: [one] };
        this.#waiting.set(name, group);
        this.#flushWhenStill(name, 0);
        return;
      }
      const sum = found.texts.reduce((total, each) => total + each.tokens, tokens);
      if (found.texts.length >= mostTexts || sum > mostTokens) {
        this.#waiting.set(name, { request, texts: [one] });
        void this.#send(found.request, found.texts);
      } else found.texts.push(one);
    });
  }

  #flushWhenStill(name: string, seen: number): void {
    setImmediate(() => {
      const group = this.#waiting.get(name);
      if (group === undefined) return;
      if (group.texts.length !== seen) {
        this.#flushWhenStill(name, group.texts.length);
        return;
      }
      this.#waiting.delete(name);
      void this.#send(group.request, group.texts);
    });
  }

  async #send(request: ProviderRequest, texts: readonly Waiting[]): Promise<void> {
    const [first] = texts;
    if (first === undefined) return;
    const tokens = texts.reduce((sum, each) => sum + each.tokens, 0);
    const dimensions = request.embedding?.dimensions ?? null;
    try {
      const answer = await this.#line.ask(
        { ...request, embedding: { texts: texts.map(({ text }) => text), dimensions } },
        tokens,
        first.signal,
        {
          onFailed(error) {
            // What a try cost is one amount: it goes on one bill.
            first.tries.onFailed?.(error);
          },
          async beforeAgain() {
            await Promise.all(texts.map((each) => each.tries.beforeAgain?.()));
          },
        },
      );
      const vectors = answer.vectors ?? [];
      if (vectors.length !== texts.length)
        throw new ProviderError(
          'unavailable',
          `the answer has ${vectors.length} vectors for ${texts.length} texts`,
          { usage: answer.usage, billed: answer.billed },
        );
      const inputs = shared(answer.usage?.input_tokens ?? 0, texts);
      texts.forEach((each, index) => {
        each.resolve({
          ...answer,
          text: vectors[index]!,
          usage: answer.usage && { ...answer.usage, input_tokens: inputs[index]! },
          billed: answer.billed === null ? null : answer.billed / texts.length,
        });
      });
    } catch (error) {
      if (texts.length > 1 && error instanceof ProviderError && error.fault === 'rejected') {
        const half = texts.length >> 1;
        await Promise.all([
          this.#send(request, texts.slice(0, half)),
          this.#send(request, texts.slice(half)),
        ]);
      } else for (const each of texts) each.reject(error);
    }
  }
}

/** Parts of a whole number in proportion to what texts were expected to have, that add up to it. */
function shared(total: number, texts: readonly { tokens: number }[]): number[] {
  const sum = texts.reduce((all, { tokens }) => all + tokens, 0);
  let before = 0;
  let given = 0;
  return texts.map(({ tokens }) => {
    before += tokens;
    const upTo = sum === 0 ? 0 : Math.round((total * before) / sum);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}

/** The providers that give vectors. */
export function givesVectors(provider: string): boolean {
  return provider === 'openai' || provider === 'openrouter' || provider === 'replay';
}
