import { onAbort } from './aborted.ts';
import { type Budget, Refused, type Reservation } from './budget.ts';
import { noUsage } from './cost.ts';
import type { Estimates, Expected } from './estimates.ts';
import { type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';
import type { Resilience, Tries } from './resilience.ts';

/** Texts of one request, and their estimated tokens, at most: OpenAI takes 2,048 and 300,000. A server may take fewer. */
const mostTexts = 128;
const mostTokens = 100_000;

/** What was learnt of requests that are the same but for their texts. */
interface Learnt {
  /** Texts that the server takes in one request. */
  most: number;
  /** It has taken one. */
  accepted: boolean;
}

interface Waiting {
  readonly text: string;
  readonly expected: Expected;
  readonly tries: Pick<Tries, 'priority' | 'onFailed'>;
  resolve(answer: ProviderAnswer): void;
  reject(error: unknown): void;
}

interface Group {
  readonly learnt: Learnt;
  readonly request: ProviderRequest;
  /** Those that were called off are taken out. */
  readonly texts: Set<Waiting>;
  tokens: number;
  /** Ends the request once nobody waits for a text of it. */
  readonly stop: AbortController;
}

/**
 * Asks for the vectors of texts, many in one request: what is asked within a turn of the event loop, and in those after it
 * as long as more comes, goes together. Each text gets its own answer, and its share of the tokens; the request is one call of
 * the budget, and goes as early as the most urgent of its texts. One that is rejected is made again in halves, so that only
 * the texts that are wrong fail; where both halves are taken it was too large, and later ones are no larger. As long as none was
 * taken, two single texts are asked for first: if both are rejected for the same reason, it is none of the texts.
 */
export class TextBatches {
  readonly #line: Pick<Resilience, 'ask'>;
  readonly #budget: Budget | null;
  readonly #estimates: Estimates;
  /** `openai/text-embedding-3-small` */
  readonly #shown: string;
  /** Texts that wait, by what else is the same for a request. */
  readonly #waiting = new Map<string, Group>();
  readonly #learnt = new Map<string, Learnt>();
  readonly #mostTokens: number;

  constructor(options: {
    line: Pick<Resilience, 'ask'>;
    budget: Budget | null;
    estimates: Estimates;
    shown: string;
    tokensPerMinute: number | undefined;
  }) {
    this.#mostTokens = Math.min(mostTokens, options.tokensPerMinute ?? Infinity);
    this.#line = options.line;
    this.#budget = options.budget;
    this.#estimates = options.estimates;
    this.#shown = options.shown;
  }

  /** The vector of one text; rejects as `Resilience.ask` does, or with Refused where the budget has no room. */
  ask(
    request: ProviderRequest,
    text: string,
    expected: Expected,
    signal: AbortSignal,
    tries: Pick<Tries, 'priority' | 'onFailed'>,
  ): Promise<ProviderAnswer> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const group = this.#groupFor(request, expected);
      const one: Waiting = {
        text,
        expected,
        tries,
        resolve(answer) {
          stay();
          resolve(answer);
        },
        reject(error) {
          stay();
          reject(error);
        },
      };
      const stay = onAbort(signal, () => {
        group.texts.delete(one);
        if (group.texts.size === 0) group.stop.abort(signal.reason);
        reject(signal.reason);
      });
      group.texts.add(one);
      group.tokens += expected.input;
    });
  }

  /** Those that a text goes with. */
  #groupFor(request: ProviderRequest, { input }: Expected): Group {
    const name = JSON.stringify([request.model, request.embedding?.dimensions ?? null]);
    const found = this.#waiting.get(name);
    const learnt = this.#learnt.get(name) ?? { most: mostTexts, accepted: false };
    this.#learnt.set(name, learnt);
    const hasRoom =
      found !== undefined && found.texts.size < learnt.most && found.tokens + input <= this.#mostTokens;
    if (hasRoom && !found.stop.signal.aborted) return found;
    const group: Group = { request, learnt, texts: new Set(), tokens: 0, stop: new AbortController() };
    this.#waiting.set(name, group);
    if (found === undefined) this.#flushWhenStill(name, 0);
    else this.#sendGroup(found);
    return group;
  }

  #flushWhenStill(name: string, seen: number): void {
    setImmediate(() => {
      const group = this.#waiting.get(name);
      if (group === undefined) return;
      if (group.texts.size !== seen) {
        this.#flushWhenStill(name, group.texts.size);
        return;
      }
      this.#waiting.delete(name);
      this.#sendGroup(group);
    });
  }

  #sendGroup(group: Group): void {
    void this.#send(group, [...group.texts]);
  }

  /** Gives null if the texts were taken as they were sent, else what went wrong; all of them have their answers, or errors, then. */
  async #send(group: Group, texts: readonly Waiting[]): Promise<unknown> {
    if (texts.length === 0) return null;
    const { request, stop } = group;
    const first = () => texts.find((each) => group.texts.has(each));
    const dimensions = request.embedding?.dimensions ?? null;
    const expected = texts.reduce(
      (sum, { expected: one }) => ({
        usd: sum.usd === null || one.usd === null ? null : sum.usd + one.usd,
        tokens: sum.tokens + one.tokens,
        input: sum.input + one.input,
      }),
      { usd: 0 as number | null, tokens: 0, input: 0 },
    );
    let room: Reservation | null = null;
    const spend = ({ usage, billed }: Pick<ProviderAnswer, 'usage' | 'billed'>) => {
      const tokens = usage ?? noUsage;
      const usd = billed ?? this.#estimates.cost({ ...tokens, estimated: true }) ?? 0;
      room?.spend(usd, tokens.input_tokens + tokens.output_tokens);
    };
    try {
      const reserved = await this.#budget?.reserve(expected, this.#shown, stop.signal);
      if (reserved && 'failure' in reserved) throw new Refused(reserved);
      room = reserved ?? null;
      const answer = await this.#line.ask(
        { ...request, embedding: { texts: texts.map(({ text }) => text), dimensions } },
        expected.input,
        stop.signal,
        {
          priority: Math.max(...texts.map(({ tries }) => tries.priority ?? 0)),
          onFailed(error) {
            spend(error);
            // What a try cost is one amount: it goes on one bill.
            first()?.tries.onFailed?.(error);
          },
          async beforeAgain() {
            const refused = (await room?.renew()) ?? null;
            if (refused !== null) throw new Refused(refused);
          },
        },
      );
      spend(answer.usage ? answer : { ...answer, usage: { ...noUsage, input_tokens: expected.input } });
      const inputs = shared(answer.usage?.input_tokens ?? 0, texts);
      texts.forEach((each, index) => {
        each.resolve({
          ...answer,
          text: answer.vectors?.[index] ?? '',
          usage: answer.usage && { ...answer.usage, input_tokens: inputs[index]! },
          billed: answer.billed === null ? null : answer.billed / texts.length,
        });
      });
      group.learnt.accepted = true;
      return null;
    } catch (error) {
      const left = texts.filter((each) => group.texts.has(each));
      if (texts.length > 1 && isRejection(error)) {
        room?.end();
        await this.#sendApart(group, left);
      } else for (const each of left) each.reject(error);
      return error;
    } finally {
      room?.end();
    }
  }

  /** What was rejected together, in smaller requests. */
  async #sendApart(group: Group, texts: readonly Waiting[]): Promise<void> {
    const { learnt } = group;
    const probes = learnt.accepted || texts.length < 4 ? [] : shortestTwo(texts);
    const wrong = await Promise.all(probes.map((one) => this.#send(group, [one])));
    const rest = texts.filter((each) => !probes.includes(each) && group.texts.has(each));
    const [first, second] = wrong;
    if (isRejection(first) && isRejection(second) && first.message === second.message) {
      for (const each of rest) each.reject(first);
      return;
    }
    const size = Math.min(Math.ceil(rest.length / 2), learnt.most);
    const parts: Waiting[][] = [];
    for (let from = 0; from < rest.length; from += size) parts.push(rest.slice(from, from + size));
    const results = await Promise.all(parts.map((part) => this.#send(group, part)));
    // No text was wrong: there were too many.
    if (parts.length > 1 && [...wrong, ...results].every((result) => result === null))
      learnt.most = Math.min(learnt.most, size);
  }
}

function isRejection(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.fault === 'rejected';
}

/** The two shortest different texts that say something: the least likely to be wrong; none if all are alike. */
function shortestTwo(texts: readonly Waiting[]): Waiting[] {
  const sorted = texts.filter(({ text }) => text.trim() !== '').sort((a, b) => a.text.length - b.text.length);
  const [first] = sorted;
  const second = sorted.find(({ text }) => text !== first?.text);
  return first && second ? [first, second] : [];
}

/** Parts of a whole number in proportion to what texts were expected to have, that add up to it. */
function shared(total: number, texts: readonly { expected: Expected }[]): number[] {
  const sum = texts.reduce((all, { expected }) => all + expected.input, 0);
  let before = 0;
  let given = 0;
  return texts.map(({ expected }) => {
    before += expected.input;
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
