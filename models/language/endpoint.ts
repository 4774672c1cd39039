import type { Json, JsonObject } from '../../engine/json.ts';
import type { Answer, AskResult, Message, Spent, Usage } from '../../engine/language-model.ts';
import type { Budget } from './budget.ts';
import { addUsage, costOf, estimatedInput, estimatedTokens, listedPrice, type Price } from './cost.ts';
import { fromProvider, schemaWrong, unusable, withoutKey } from './failures.ts';
import { cleaned, type OutputChecks } from './output.ts';
import { type ProviderAnswer, ProviderError } from './provider.ts';
import type { FullRequest } from './request.ts';
import type { Resilience } from './resilience.ts';
import { type ModelSettings, modelIdentity } from './settings.ts';

/** What endpoints of one run share. */
export interface Surroundings {
  readonly root: string;
  secret(name: string): string | undefined;
  readonly checks: OutputChecks;
  readonly budget: Budget | null;
}

/** Output that a call is expected to have before any was seen and without max_tokens. */
const guessedOutput = 500;

/** One model at one provider: asks it, reads what comes back, and counts what it cost. */
export class Endpoint {
  readonly settings: ModelSettings;
  readonly identity: JsonObject;
  /** `openai/gpt-5-mini` */
  readonly shown: string;
  readonly #around: Surroundings;
  readonly #price: Price | undefined;
  #line: Promise<Resilience> | undefined;
  #mostOutput = 0;

  constructor(settings: ModelSettings, around: Surroundings) {
    this.settings = settings;
    this.identity = modelIdentity(settings);
    const { provider, model, path } = settings;
    this.shown = `${provider}/${model || path || ''}`;
    this.#around = around;
    this.#price = settings.price ?? (settings.hosted ? listedPrice(provider, model) : undefined);
  }

  /** A whole answer that fits the schema, or why there is none. Rejects with OutOfOrder, or when the signal is aborted. */
  async ask(request: FullRequest, digest: Answer['request'], signal: AbortSignal): Promise<AskResult> {
    const { keyName, keyRequired } = this.settings;
    if (keyRequired && this.#around.secret(keyName!) === undefined) return withoutKey(this.shown, keyName!);
    if (request.schema !== null) {
      const wrong = await this.#around.checks.wrongIn(request.schema);
      if (wrong !== null) return schemaWrong(wrong);
    }
    const bill = new Bill();
    const messages = this.#inWords(request);
    const first = await this.#call(request, messages, signal, bill);
    if ('failure' in first) return first;
    let text = textOf(first.said, bill);
    if (typeof text !== 'string') return text;
    let { served } = first.said;
    let json: Json | null = null;
    if (request.schema !== null) {
      let checked = await this.#around.checks.check(text, request.schema);
      if ('wrong' in checked) {
        const second = await this.#call(request, repairTurn(messages, text, checked.wrong), signal, bill);
        if ('failure' in second) return { ...second, spent: bill.spent };
        text = textOf(second.said, bill);
        if (typeof text !== 'string') return text;
        served = second.said.served;
        checked = await this.#around.checks.check(text, request.schema);
        if ('wrong' in checked) return unusable.invalid(bill.spent, checked.wrong);
      }
      ({ json } = checked);
    }
    const { provider, model } = this.settings;
    const { usage, usd } = bill.spent;
    return {
      answer: { request: digest, provider, asked: model, served, text, json, usage, usd },
      cached: false,
    };
  }

  /** One request, with its retries, on the bill. */
  async #call(
    { sampling, schema, sample }: FullRequest,
    messages: readonly Message[],
    signal: AbortSignal,
    bill: Bill,
  ): Promise<{ said: ProviderAnswer } | Extract<AskResult, { failure: object }>> {
    const { budget } = this.#around;
    const input = estimatedInput(messages);
    const output = Math.min(
      sampling.max_tokens ?? Infinity,
      this.#mostOutput || sampling.max_tokens || guessedOutput,
    );
    const expected = this.#expected(input, output);
    const refused = (await budget?.reserve(expected, this.shown, signal)) ?? null;
    if (refused !== null) return refused;
    let usd = 0;
    try {
      const line = await this.#connect();
      const { model } = this.settings;
      const said = await line.ask({ model, messages, sampling, schema, sample }, input + output, signal);
      const usage: Usage =
        said.usage === null
          ? { ...noUsage, input_tokens: input, output_tokens: estimatedTokens(said.text), estimated: true }
          : { ...said.usage, estimated: false };
      this.#mostOutput = Math.max(this.#mostOutput, usage.output_tokens);
      const cost = said.billed ?? (this.#price ? costOf(usage, this.#price) : null);
      usd = cost ?? 0;
      bill.add(usage, cost);
      return { said };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProviderError) return fromProvider(error, this.shown, this.settings.limits);
      throw error;
    } finally {
      budget?.settle(expected ?? 0, usd);
    }
  }

  /** What asking would take. `usualOutput`: tokens of earlier answers, 0 if there are none. */
  estimate({ messages, sampling }: FullRequest, usualOutput: number) {
    const input = estimatedInput(messages);
    const output = Math.min(
      sampling.max_tokens ?? Infinity,
      usualOutput || sampling.max_tokens || guessedOutput,
    );
    return { input_tokens: input, output_tokens: output, usd: this.#expected(input, output) };
  }

  #expected(input: number, output: number): number | null {
    // OpenRouter and replays say what they cost.
    if (this.settings.provider === 'replay') return 0;
    if (this.#price === undefined) return null;
    return costOf({ ...noUsage, input_tokens: input, output_tokens: output }, this.#price);
  }

  /** Where the provider is not held to a schema, the model is told of it. */
  #inWords({ messages, schema }: FullRequest): readonly Message[] {
    const { json, provider } = this.settings;
    if (schema === null || (json === 'schema' && provider !== 'command')) return messages;
    return [
      {
        role: 'system',
        content: `Answer with JSON only. It must fit this JSON Schema:\n${JSON.stringify(schema)}`,
      },
      ...messages,
    ];
  }

  /** Loads the provider with its SDK, and what makes requests robust: only now is there something to ask. */
  #connect(): Promise<Resilience> {
    this.#line ??= (async () => {
      const { settings } = this;
      const [{ openProvider }, { Gate }, { Resilience }] = await Promise.all([
        import('./providers/index.ts'),
        import('./gate.ts'),
        import('./resilience.ts'),
      ]);
      const { keyName } = settings;
      const key = keyName === null ? undefined : this.#around.secret(keyName);
      const provider = await openProvider({ settings, key, keyName, root: this.#around.root });
      return new Resilience(provider, new Gate(settings.limits), settings.limits);
    })();
    return this.#line;
  }
}

const noUsage: Usage = {
  input_tokens: 0,
  cached_tokens: 0,
  written_tokens: 0,
  output_tokens: 0,
  estimated: false,
};

/** The sum of the calls that one answer took. */
class Bill {
  #usage = noUsage;
  #usd: number | null = 0;

  add(usage: Usage, usd: number | null): void {
    this.#usage = addUsage(this.#usage, usage);
    this.#usd = this.#usd === null || usd === null ? null : this.#usd + usd;
  }

  get spent(): Spent {
    return { usage: this.#usage, usd: this.#usd };
  }
}

/** The text of an answer that is whole, without what is no part of it. */
function textOf({ text, finish }: ProviderAnswer, { spent }: Bill) {
  if (finish === 'length') return unusable.truncated(spent);
  if (finish === 'refused') return unusable.refused(spent, text);
  return cleaned(text) ?? unusable.unfinished(spent);
}

function repairTurn(messages: readonly Message[], text: string, wrong: string): Message[] {
  return [
    ...messages,
    { role: 'assistant', content: text },
    {
      role: 'user',
      content: `That is not what was asked for: ${wrong}. Answer again, with nothing but JSON that fits the schema.`,
    },
  ];
}
