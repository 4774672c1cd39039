import { AsyncLocalStorage } from 'node:async_hooks';
import type { Row } from '../artefacts.ts';
import { type Asked, addCost, type ModelUse } from '../asked.ts';
import type {
  Answer,
  AskOptions,
  LanguageModel,
  LanguageRequest,
  ModelTokens,
  Spent,
} from '../language-model.ts';
import { StepError } from '../problems.ts';
import { type Cost, noCost } from '../record/record.ts';
import { type AskedModel, RowFailure } from '../step.ts';
import { routedRow } from './routed-rows.ts';

/** An answer and the alias of the model that it was asked of: a row of the output `answers`. */
export type UsedAnswer = Answer & { readonly model: string };

const betweenPiecesMs = 100;
/** What is spent is told together, so much later at most. */
const spentMs = 100;

/**
 * A step's way to its language models: counts what is spent and saved, and keeps which answers a row, or the step, was
 * made from, so that the run can be done again from its record.
 */
export class Asking {
  readonly #step: string;
  readonly #models: ReadonlyMap<string, LanguageModel>;
  readonly #signal: AbortSignal;
  readonly #notify: AskOptions['notify'];
  readonly #priority: number;
  readonly #onText: ((alias: string, text: string) => void) | undefined;
  readonly #onSpent: ((asked: Asked) => void) | undefined;
  readonly #onBatch: AskOptions['onBatch'];
  #telling: NodeJS.Timeout | undefined;
  /** When a piece of an answer was told last. */
  #told = -Infinity;
  readonly #scope = new AsyncLocalStorage<UsedAnswer[]>();
  readonly #gathered = new AsyncLocalStorage<() => void>();
  readonly #uses = new Map<string, ModelUse>();
  readonly #written = new Set<string>();
  /** Answers that belong to no row. */
  readonly #own: UsedAnswer[] = [];
  #cost: Cost = noCost;

  constructor(options: {
    /** Id of the step. */
    step: string;
    models: ReadonlyMap<string, LanguageModel>;
    /** The step's: an answer under way when a row fails is paid for, and let in. */
    signal: AbortSignal;
    notify: AskOptions['notify'];
    /** That of the step. */
    priority?: number;
    /** Hears answers as they come: the text so far, ten times a second at most. */
    onText?(alias: string, text: string): void;
    /** Hears what was asked so far, soon after something was spent. */
    onSpent?(asked: Asked): void;
    /** Hears how far batches are that requests are part of. */
    onBatch?: AskOptions['onBatch'];
  }) {
    this.#step = options.step;
    this.#models = options.models;
    this.#signal = options.signal;
    this.#notify = options.notify;
    this.#priority = options.priority ?? 0;
    this.#onText = options.onText;
    this.#onSpent = options.onSpent;
    this.#onBatch = options.onBatch;
  }

  /** The model behind an alias, as a step gets it. */
  model(alias: string): AskedModel | undefined {
    const model = this.#models.get(alias);
    return model && { name: alias, ask: (request) => this.#ask(model, request) };
  }

  /** Some requests are gathered, and asked together. */
  get gathers(): boolean {
    return [...this.#models.values()].some(({ gathers }) => gathers);
  }

  /** Calls work, and `onGathered` when a request of it waits to be asked together with others. */
  hearing<T>(onGathered: () => void, work: () => Promise<T>): Promise<T> {
    return this.#gathered.run(onGathered, work);
  }

  tokens(alias: string): ModelTokens | undefined {
    return this.#models.get(alias)?.tokens;
  }

  /** Calls the work of one row; gives the answers that it used, also those that made it fail. */
  async collect<T>(work: () => Promise<T>): Promise<{ value: T | RowFailure; answers: UsedAnswer[] }> {
    const answers: UsedAnswer[] = [];
    const value = await this.#scope.run(answers, work).catch((error: unknown) => {
      if (error instanceof RowFailure) return error;
      throw error;
    });
    return { value, answers };
  }

  /** Answers behind a value that was computed earlier. */
  reuse(answers: readonly UsedAnswer[]): void {
    for (const answer of answers) this.#use(answer, true);
  }

  /**
   * Rows of the output `answers`: each answer once, in an order that does not hang on which came first.
   *
   * @param row the row that they were used for; null for those that belong to none
   */
  *rows(answers: readonly UsedAnswer[] = this.#own, row: string | null = null): Iterable<Row> {
    const named = answers.map((answer) => ({
      id: `${answer.model}/${answer.request.slice(7, 39)}`,
      row,
      ...answer,
    }));
    for (const answer of named.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      if (this.#written.has(answer.id)) continue;
      this.#written.add(answer.id);
      yield answer as unknown as Row;
    }
  }

  /** Nothing more is told of what was spent: `asked` has it all. */
  close(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
  }

  get asked(): Asked {
    const models = [...this.#uses.values()].sort((a, b) => (a.alias < b.alias ? -1 : 1));
    return { cost: this.#cost, models };
  }

  async #ask(model: LanguageModel, request: LanguageRequest): Promise<Answer> {
    const result = await model.ask(request, {
      step: this.#step,
      signal: this.#signal,
      notify: this.#notify,
      priority: this.#priority,
      onText: (text) => this.#hear(model.alias, text),
      ...(this.#onBatch && { onBatch: this.#onBatch }),
      onGathered: () => this.#gathered.getStore()?.(),
      row: routedRow(),
    });
    const used = this.#scope.getStore() ?? this.#own;
    if ('failure' in result) {
      const { scope, code, message, hint, retryable } = result.failure;
      if (result.spent) this.#spend(model.alias, result.spent);
      if (scope === 'step') throw new StepError(code, message, hint, { retryable });
      const reason = hint === undefined ? message : `${message}; ${hint}`;
      if (result.said) used.push({ model: model.alias, ...result.said, failure: { code, message: reason } });
      throw new RowFailure(reason, retryable);
    }
    const { answer, cached, wasted } = result;
    used.push({ model: model.alias, ...answer });
    if (wasted) this.#spend(model.alias, wasted);
    this.#use({ model: model.alias, ...answer }, cached);
    if (!cached && model.latencyMs !== null)
      this.#useOf(model.alias).latency_ms = Math.round(model.latencyMs);
    return answer;
  }

  #hear(alias: string, text: string): void {
    const now = performance.now();
    if (now - this.#told < betweenPiecesMs) return;
    this.#told = now;
    this.#onText?.(alias, text);
  }

  #use({ model: alias, served, usage, usd }: UsedAnswer, known: boolean): void {
    const use = this.#useOf(alias);
    if (served !== null && !use.served.includes(served)) use.served.push(served);
    if (known) this.#cost = { ...this.#cost, saved_usd: this.#cost.saved_usd + (usd ?? 0) };
    else this.#spend(alias, { usage, usd });
  }

  #spend(alias: string, { usage: { input_tokens, output_tokens }, usd }: Spent): void {
    this.#cost = addCost(this.#cost, { usd: usd ?? 0, input_tokens, output_tokens, saved_usd: 0 });
    if (usd === null) this.#useOf(alias).unpriced++;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#onSpent?.(this.asked);
    }, spentMs).unref();
  }

  #useOf(alias: string): ModelUse {
    let use = this.#uses.get(alias);
    if (use === undefined) {
      use = { alias, asked: this.#models.get(alias)?.asked ?? alias, served: [], unpriced: 0 };
      this.#uses.set(alias, use);
    }
    return use;
  }
}
