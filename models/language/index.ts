import type { JsonObject } from '../../engine/json.ts';
import type {
  Answer,
  AskResult,
  LanguageModel,
  LanguageModels,
  LanguageRequest,
  RequestEstimate,
} from '../../engine/language-model.ts';
import type { AnswerCache } from './answers.ts';
import { Budget } from './budget.ts';
import { Endpoint, type Surroundings } from './endpoint.ts';
import { notKnown, outOfOrder } from './failures.ts';
import { OutputChecks } from './output.ts';
import { type FullRequest, fullRequest, requestDigest } from './request.ts';
import { isLanguageModel, readSettings } from './settings.ts';

export interface LanguageModelOptions {
  /** The project's root. */
  root: string;
  /** The `models` section of a workflow. */
  aliases: Readonly<Record<string, JsonObject>>;
  /** The value of an environment variable that holds a key. */
  secret(name: string): string | undefined;
  /** Null: every request is made anew. */
  answers: AnswerCache | null;
  /** US dollars that may be spent, altogether. */
  budget?: number | undefined;
  /** Only known answers are given: nothing is asked. */
  offline?: boolean;
}

/** The language models of a workflow. Nothing is loaded or opened before the first request that is not known. */
export function createLanguageModels(options: LanguageModelOptions): LanguageModels {
  const { root, aliases, answers, budget } = options;
  const around: Surroundings = {
    root,
    secret: options.secret,
    checks: new OutputChecks(),
    budget: budget === undefined ? null : new Budget(budget),
  };
  const models = new Map<string, LanguageModel>();
  for (const [alias, settings] of Object.entries(aliases))
    if (isLanguageModel(settings))
      models.set(alias, new Model(alias, settings, around, { answers, offline: options.offline === true }));
  return { names: [...models.keys()], find: (alias) => models.get(alias) };
}

/** A model of the chain, with the request as it would be asked. */
interface AskedEndpoint {
  endpoint: Endpoint;
  full: FullRequest;
  digest: Answer['request'];
}

class Model implements LanguageModel {
  readonly alias: string;
  readonly identity: JsonObject;
  readonly files: readonly string[];
  readonly asked: string;
  /** The model itself, then its fallbacks. */
  readonly #chain: readonly Endpoint[];
  readonly #answers: AnswerCache | null;
  readonly #offline: boolean;
  /** Requests being looked up or under way, by digest: equal ones are made once, and end alike. */
  readonly #underway = new Map<string, Promise<AskResult>>();
  readonly #told = new Set<Endpoint>();
  /** Tokens of earlier answers, on average; 0 if there are none. */
  #usualOutput: number | undefined;

  constructor(
    alias: string,
    written: JsonObject,
    around: Surroundings,
    { answers, offline }: { answers: AnswerCache | null; offline: boolean },
  ) {
    const settings = readSettings(written);
    this.alias = alias;
    this.#chain = [settings, ...settings.fallback].map((each) => new Endpoint(each, around));
    const [own] = this.#chain;
    this.identity = { ...own!.identity, sampling: { ...settings.sampling } as JsonObject };
    this.files = this.#chain.flatMap(({ settings }) => settings.path ?? []);
    this.asked = own!.shown;
    this.#answers = answers;
    this.#offline = offline;
  }

  async ask(
    request: LanguageRequest,
    { signal, notify }: { signal: AbortSignal; notify(message: string): void },
  ): Promise<AskResult> {
    signal.throwIfAborted();
    const asked = this.#chain.map((endpoint) => {
      const full = fullRequest(request, endpoint.settings.sampling);
      return { endpoint, full, digest: requestDigest(full) };
    });
    const { digest } = asked[0]!;
    for (let other = this.#underway.get(digest); other !== undefined; other = this.#underway.get(digest)) {
      const result = await other.catch(() => null);
      // Paid for by the one that asked.
      if (result !== null)
        return 'answer' in result ? { ...result, cached: true } : { ...result, spent: null };
      // It was called off; we are not.
      signal.throwIfAborted();
    }
    const result = this.#known(asked).then(
      (known) => known ?? (this.#offline ? notKnown(this.asked) : this.#live(asked, signal, notify)),
    );
    this.#underway.set(digest, result);
    try {
      return await result;
    } finally {
      if (this.#underway.get(digest) === result) this.#underway.delete(digest);
    }
  }

  async estimate(request: LanguageRequest): Promise<RequestEstimate> {
    const [own] = this.#chain;
    for (const endpoint of this.#chain) {
      const full = fullRequest(request, endpoint.settings.sampling);
      if ((await this.#answers?.get(endpoint.identity, requestDigest(full))) !== undefined)
        return { known: true, input_tokens: 0, output_tokens: 0, usd: 0 };
    }
    this.#usualOutput ??= meanOutput(this.#answers?.some?.(own!.identity, 200) ?? []);
    return {
      known: false,
      ...own!.estimate(fullRequest(request, own!.settings.sampling), this.#usualOutput),
    };
  }

  /** The answer that the model or a fallback gave earlier. */
  async #known(asked: readonly AskedEndpoint[]): Promise<AskResult | null> {
    for (const { endpoint, digest } of asked) {
      // What a file says is not kept beside it: it may say something else tomorrow.
      if (endpoint.settings.path !== undefined) continue;
      const answer = await this.#answers?.get(endpoint.identity, digest);
      if (answer !== undefined) return { answer, cached: true };
    }
    return null;
  }

  /** Asks down the chain until one answers. */
  async #live(
    asked: readonly AskedEndpoint[],
    signal: AbortSignal,
    notify: (message: string) => void,
  ): Promise<AskResult> {
    const { OutOfOrder } = await import('./resilience.ts');
    let result: AskResult | undefined;
    for (const [index, { endpoint, full, digest }] of asked.entries()) {
      try {
        result = await endpoint.ask(full, digest, signal);
      } catch (error) {
        if (!(error instanceof OutOfOrder)) throw error;
        result = outOfOrder(endpoint.shown, error.message);
      }
      if ('answer' in result) {
        if (endpoint.settings.path === undefined)
          this.#answers?.put(endpoint.identity, digest, result.answer);
        return result;
      }
      const next = asked[index + 1]?.endpoint;
      if (next === undefined || !mayFallBack(result.failure.code)) return result;
      if (!this.#told.has(endpoint)) notify(`${result.failure.message}; ${next.shown} is asked instead`);
      this.#told.add(endpoint);
    }
    return result!;
  }
}

function meanOutput(answers: readonly Answer[]): number {
  return answers.reduce((sum, { usage }) => sum + usage.output_tokens, 0) / Math.max(1, answers.length);
}

/** Another model may do what this one cannot; what the budget forbids, none may. */
function mayFallBack(code: string): boolean {
  return !code.startsWith('budget-');
}
