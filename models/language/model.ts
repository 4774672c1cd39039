import type { JsonObject } from '../../engine/json.ts';
import type {
  Answer,
  AskOptions,
  AskResult,
  LanguageModel,
  LanguageRequest,
  ModelTokens,
  RequestEstimate,
  RowField,
  Spent,
} from '../../engine/language-model.ts';
import type { AnswerCache } from './answers.ts';
import { addSpent } from './cost.ts';
import type { Endpoint } from './endpoint.ts';
import { type Failed, mixedVectors, noneFits, notKnown, recordedFailure } from './failures.ts';
import { type FullRequest, fullRequest, requestDigest, sourceOf } from './request.ts';
import type { Choice } from './route.ts';
import type { Underway } from './underway.ts';

/** A model of the chain, with the request as it would be asked. */
interface Asked {
  endpoint: Endpoint;
  full: FullRequest;
  digest: Answer['request'];
}

/** What the models of one run share. */
export interface Shared {
  readonly answers: AnswerCache | null;
  readonly offline: boolean;
  readonly underway: Underway<AskResult>;
}

/** Which models stand behind an alias, and which of them a request goes to. */
export interface Line {
  /** What a result depends on. */
  readonly identity: JsonObject;
  /** For records. */
  readonly asked: string;
  readonly tokens: ModelTokens;
  readonly endpoints: readonly Endpoint[];
  /** Fields of a row that the choice hangs on. */
  readonly rowFields: readonly RowField[];
  /** The models to ask, the first one first; or why that cannot be told. */
  choose(request: LanguageRequest, row: JsonObject | undefined): Promise<Choice | Failed>;
}

/** An alias of a workflow: asks the models behind it, one after the other, until one has an answer. */
export class Model implements LanguageModel {
  readonly alias: string;
  readonly identity: JsonObject;
  readonly files: readonly string[];
  readonly rowFields: readonly RowField[];
  readonly asked: string;
  readonly tokens: ModelTokens;
  readonly gathers: boolean;
  readonly #line: Line;
  readonly #shared: Shared;
  readonly #told = new Set<Endpoint>();
  /** Tokens of earlier answers, on average; 0 if there are none. */
  readonly #usualOutput = new Map<Endpoint, number>();

  constructor(alias: string, line: Line, shared: Shared) {
    this.alias = alias;
    this.identity = line.identity;
    this.files = line.endpoints.flatMap(({ settings }) =>
      [settings.path ?? [], settings.template ?? []].flat(),
    );
    this.rowFields = line.rowFields;
    this.asked = line.asked;
    this.tokens = line.tokens;
    this.gathers = line.endpoints.some((endpoint) => endpoint.gathers);
    this.#line = line;
    this.#shared = shared;
  }

  get latencyMs(): number | null {
    const asked = this.#line.endpoints.filter(({ settings }) => settings.provider !== 'replay');
    const known = asked.flatMap(({ latencyMs }) => latencyMs ?? []);
    return known.length === 1 ? known[0]! : null;
  }

  async ask(request: LanguageRequest, options: AskOptions): Promise<AskResult> {
    options.signal.throwIfAborted();
    if (request.embedding && this.#line.endpoints.length > 1) return mixedVectors(this.alias);
    const choice = await this.#line.choose(request, options.row);
    if ('failure' in choice) return choice;
    const { order, route } = choice;
    const chain = order.map((endpoint) => askedOf(endpoint, request));
    // Without asking, what any of them said is better than nothing.
    const alike = chain.slice(0, this.#shared.offline ? chain.length : choice.alike);
    const known = (await this.#given(chain, options)) ?? (await this.#firstKnown(alike));
    if (known !== null) return routed(known, route);
    // What a replay says is known, though it is not kept.
    const allowed = this.#shared.offline ? chain.filter(({ endpoint }) => !endpoint.isKept) : chain;
    if (this.#shared.offline && allowed.length === 0) return notKnown(this.asked);
    return routed(await this.#live(allowed, options), route);
  }

  async estimate(request: LanguageRequest, row?: JsonObject): Promise<RequestEstimate> {
    const { answers } = this.#shared;
    const choice = await this.#line.choose(request, row);
    const { order, alike } = 'failure' in choice ? { order: [], alike: 0 } : choice;
    for (const endpoint of order.slice(0, this.#shared.offline ? order.length : alike)) {
      const { full, digest } = askedOf(endpoint, request);
      if ((await answers?.get(await endpoint.filedUnder(full), digest)) !== undefined)
        return { known: true, input_tokens: 0, output_tokens: 0, usd: 0 };
    }
    const [first] = order;
    if (first === undefined) return { known: false, input_tokens: 0, output_tokens: 0, usd: 0 };
    const { full } = askedOf(first, request);
    let usual = this.#usualOutput.get(first);
    if (usual === undefined) {
      usual = meanOutput(answers?.some?.(await first.filedUnder(full), 200) ?? []);
      this.#usualOutput.set(first, usual);
    }
    return { known: false, ...(await first.estimates.closely(full, usual)) };
  }

  /** By a record, what the step was given then, whichever model of the chain would come first now. */
  async #given(chain: readonly Asked[], { step }: AskOptions): Promise<AskResult | null> {
    const { answers } = this.#shared;
    if (answers?.given === undefined || step === undefined) return null;
    const asker = { step, alias: this.alias };
    for (const { endpoint, full, digest } of chain) {
      const filed = await endpoint.filedUnder(full);
      const answer = await answers.given(asker, filed, digest);
      if (answer !== undefined) return knownResult(answer, filed);
    }
    return null;
  }

  async #firstKnown(chain: readonly Asked[]): Promise<AskResult | null> {
    for (const asked of chain) {
      const known = await this.#known(asked);
      if (known !== null) return known;
    }
    return null;
  }

  /** The answer that a model of the chain gave earlier. */
  async #known({ endpoint, full, digest }: Asked): Promise<AskResult | null> {
    if (!endpoint.isKept) return null;
    const filed = await endpoint.filedUnder(full);
    const answer = await this.#shared.answers?.get(filed, digest);
    return answer === undefined ? null : knownResult(answer, filed);
  }

  /** Asks down the chain until one answers. */
  async #live(chain: readonly Asked[], options: AskOptions): Promise<AskResult> {
    let wasted: Spent | null = null;
    for (const [index, asked] of chain.entries()) {
      const result = await this.#once(asked, options);
      if ('answer' in result) return { ...result, wasted: together(wasted, result.wasted) };
      wasted = together(wasted, result.spent);
      const { endpoint } = asked;
      const next = chain[index + 1]?.endpoint;
      if (next === undefined || !mayFallBack(result.failure.code)) return { ...result, spent: wasted };
      if (!this.#told.has(endpoint))
        options.notify(`${result.failure.message}; ${next.shown} is asked instead`);
      this.#told.add(endpoint);
    }
    return noneFits(this.asked);
  }

  /** Asks one model, and files its answer. A request that is under way, by whatever alias, is not made again. */
  async #once({ endpoint, full, digest }: Asked, options: AskOptions): Promise<AskResult> {
    const { answers, underway } = this.#shared;
    const filed = await endpoint.filedUnder(full);
    if (endpoint.gathers) options.onGathered?.();
    return underway.once(
      `${digest} ${JSON.stringify(filed)}`,
      options.signal,
      async () => {
        // It may have been answered since it was looked for.
        const known = await this.#known({ endpoint, full, digest });
        if (known !== null) return known;
        const filing = {
          filed,
          digest,
          known: () => this.#known({ endpoint, full, digest }),
          keep: (answer: Answer) => {
            if (endpoint.isKept) answers?.put(filed, digest, answer);
          },
        };
        return endpoint.ask(full, filing, options);
      },
      // Paid for by the one that asked.
      (result) =>
        'answer' in result ? { ...result, cached: true, wasted: null } : { ...result, spent: null },
    );
  }
}

function knownResult(answer: Answer, filed: JsonObject): AskResult {
  if (answer.failure !== undefined) return recordedFailure(answer, answer.failure);
  return { answer: { ...answer, source: sourceOf(filed) }, cached: true, wasted: null };
}

/** The answer with why this model gave it. One of a record says so already: what was fast then need not be now. */
function routed(result: AskResult, route: Choice['route']): AskResult {
  if (route === null) return result;
  if ('answer' in result) return { ...result, answer: { route, ...result.answer } };
  return { ...result, said: result.said && { route, ...result.said } };
}

function together(a: Spent | null, b: Spent | null): Spent | null {
  return a === null || b === null ? (a ?? b) : addSpent(a, b);
}

function askedOf(endpoint: Endpoint, request: LanguageRequest): Asked {
  const full = fullRequest(request, endpoint.settings.sampling);
  return { endpoint, full, digest: requestDigest(full) };
}

function meanOutput(answers: readonly Answer[]): number {
  return answers.reduce((sum, { usage }) => sum + usage.output_tokens, 0) / Math.max(1, answers.length);
}

/** Another model may do what this one cannot; what the budget forbids, none may, and a schema that is none, none can. */
function mayFallBack(code: string): boolean {
  return !code.startsWith('budget-') && code !== 'answer-schema';
}
