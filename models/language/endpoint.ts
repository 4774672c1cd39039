import type { JsonObject } from '../../engine/json.ts';
import type {
  Answer,
  AskOptions,
  AskResult,
  Message,
  ModelTokens,
  Usage,
} from '../../engine/language-model.ts';
import type { BatchLog } from './batch.ts';
import type { Batches } from './batches.ts';
import { type Budget, Refused, type Reservation } from './budget.ts';
import type { Catalogue } from './catalogue.ts';
import { Bill, nothingSpent, noUsage } from './cost.ts';
import { Estimates, type Expected } from './estimates.ts';
import { type Failed, fromProvider, noVectors, outOfOrder, schemaWrong, withoutKey } from './failures.ts';
import type { OutputChecks } from './output.ts';
import { type Provider, type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';
import { endedAt, readAnswer } from './reading.ts';
import { batchKey, type FullRequest, inWords, ofSample, sourceOf } from './request.ts';
import type { Resilience, Tries } from './resilience.ts';
import { type ModelSettings, modelIdentity, shownModel } from './settings.ts';
import { givesVectors, TextBatches } from './text-batches.ts';

/** What endpoints of one run share. */
export interface Surroundings {
  readonly root: string;
  secret(name: string): string | undefined;
  /** Whether the value of the variable is a key that must stand nowhere, and not a word for a server that wants none. */
  isSecret(name: string): boolean;
  /** Variables that no program is given, unless it is said to be for it. */
  readonly secretNames: readonly string[];
  readonly checks: OutputChecks;
  readonly budget: Budget | null;
  /** Null: nothing is asked in batches. */
  readonly batches: BatchLog | null;
  readonly catalogue: Catalogue;
  /** Digest of a file by its path from the root; null if it cannot be read. */
  fileDigest(path: string): Promise<string | null>;
}

/** Where the answer to a request is kept. */
export interface Filing {
  /** What it is filed under, beside the request: see `filedUnder`. */
  readonly filed: JsonObject;
  readonly digest: Answer['request'];
  /** The answer that there is by now, by whomever. */
  known(): Promise<AskResult | null>;
  keep(answer: Answer): void;
}

/** One model at one provider: asks it, reads what comes back, and counts what it cost. */
export class Endpoint {
  readonly settings: ModelSettings;
  readonly identity: JsonObject;
  /** `openai/gpt-5-mini` */
  readonly shown: string;
  readonly estimates: Estimates;
  readonly #around: Surroundings;
  #provider: Promise<Provider> | undefined;
  #line: Promise<Resilience> | undefined;
  #batches: Promise<Batches> | undefined;
  #texts: TextBatches | undefined;
  #warned = false;
  #opened: Resilience | undefined;

  constructor(settings: ModelSettings, around: Surroundings) {
    this.settings = settings;
    this.identity = modelIdentity(settings);
    this.shown = shownModel(settings);
    this.#around = around;
    const { root, catalogue } = around;
    this.estimates = new Estimates(settings, { root, catalogue, inBatches: this.gathers });
  }

  /** Its requests are asked in batches. */
  get gathers(): boolean {
    return this.settings.batch !== null && this.#around.batches !== null;
  }

  /** What answers to a request are filed under, beside the request: how JSON is asked for counts where it is. */
  async filedUnder({ schema }: FullRequest): Promise<JsonObject> {
    const { json, provider, path, template } = this.settings;
    const form = schema === null || json === 'schema' ? this.identity : { ...this.identity, json };
    // The same path may hold another model tomorrow.
    if (provider !== 'local') return form;
    const { fileDigest } = this.#around;
    const file = await fileDigest(path!);
    return template === undefined
      ? { ...form, file }
      : { ...form, file, template: await fileDigest(template) };
  }

  /** Whether its answers are kept. What a replay says is not: its file may say something else tomorrow. */
  get isKept(): boolean {
    return this.settings.provider !== 'replay';
  }

  /** A whole answer that fits the schema, which is kept, or why there is none. Rejects when the signal is aborted. */
  async ask(request: FullRequest, filing: Filing, options: AskOptions): Promise<AskResult> {
    const { keyName } = this.settings;
    if (keyName !== null && this.#around.secret(keyName) === undefined)
      return withoutKey(this.shown, keyName);
    if (request.schema !== null) {
      const wrong = await this.#around.checks.wrongIn(request.schema);
      if (wrong !== null) return schemaWrong(wrong);
    }
    const { provider, model } = this.settings;
    if (provider === 'local' && request.sample > 0 && !request.sampling.temperature)
      this.#warnOfCopies(options);
    const bill = new Bill();
    const { digest } = filing;
    const source = sourceOf(filing.filed);
    const answerOf = (said: { text: string; served: string | null }, raw: string): Answer => {
      const { usage, usd } = bill.spent ?? nothingSpent;
      const { text, served } = said;
      return {
        request: digest,
        source,
        provider,
        asked: model,
        served,
        text,
        ...(raw.trim() !== text && { raw }),
        json: null,
        usage,
        usd,
      };
    };
    if (request.embedding !== null && (this.gathers || !givesVectors(provider)))
      return noVectors(this.shown, this.gathers);
    let messages = inWords(request, this.settings);
    const keys: string[] = [];
    for (let turn = 1; ; turn++) {
      const called = await this.#call(request, messages, filing, options, bill, turn);
      if ('failure' in called) {
        const said = called.failure.scope === 'row' ? answerOf({ text: '', served: null }, '') : null;
        return { ...called, spent: bill.spent, said };
      }
      if ('known' in called) {
        const { known } = called;
        return 'answer' in known ? { ...known, wasted: bill.spent } : { ...known, spent: bill.spent };
      }
      if (request.embedding !== null) {
        const { text, served } = called.said;
        const answer = answerOf({ text, served }, text);
        filing.keep(answer);
        return { answer, cached: false, wasted: null };
      }
      if (called.key !== null) keys.push(called.key);
      const said = this.settings.api === 'chat' ? called.said : endedAt(called.said, request.sampling.stop);
      const { text: raw, served, logprobs } = said;
      const read = await readAnswer(said, request.schema, messages, this.#around.checks);
      if (!('failed' in read)) {
        const { text, json } = read;
        const answer = { ...answerOf({ text, served }, raw), json, ...(logprobs !== null && { logprobs }) };
        filing.keep(answer);
        // Not before: what is not kept is still in its batch.
        this.#around.batches?.release(keys);
        return { answer, cached: false, wasted: null };
      }
      if (read.again !== null && turn < 2) {
        messages = read.again;
        continue;
      }
      this.#around.batches?.release(keys);
      return { ...read.failed, spent: bill.spent, said: answerOf({ text: raw.trim(), served }, raw) };
    }
  }

  #warnOfCopies({ notify }: AskOptions): void {
    if (!this.#warned)
      notify(
        `the samples of ${this.shown} are copies of one answer: it takes the likeliest word each time; with a temperature it draws them`,
        'warning',
      );
    this.#warned = true;
  }

  /** One request, on the bill: with its retries, or as part of a batch. `key` names it there. */
  async #call(
    full: FullRequest,
    messages: readonly Message[],
    filing: Filing,
    options: AskOptions,
    bill: Bill,
    turn: number,
  ): Promise<{ said: ProviderAnswer; key: string | null } | { known: AskResult } | Failed> {
    const { sampling, schema, sample } = full;
    const { signal, onText } = options;
    const { model } = this.settings;
    const drawn = ofSample(sampling, sample);
    const asked = { model, messages, sampling: drawn, schema, sample, ...(onText && { onText }) };
    let key: string | null = null;
    const expected = this.estimates.expected(messages, full.embedding ? { max_tokens: 0 } : sampling);
    let room: Reservation | null = null;
    const charge = (usage: Usage, billed: number | null) => {
      const cost = billed ?? this.estimates.cost(usage);
      room?.spend(cost ?? 0, usage.input_tokens + usage.output_tokens);
      bill.add(usage, cost);
    };
    // An answer that is none may have been paid for.
    const chargeFailed = ({ usage, billed }: ProviderError) => {
      if (usage !== null || billed !== null)
        charge({ ...(usage ?? noUsage), estimated: usage === null }, billed);
      else room?.spend(0, 0);
    };
    const answered = async (said: ProviderAnswer) => {
      const usage =
        said.usage === null
          ? // A vector is no output that is paid for.
            await this.estimates.counted(messages, full.embedding === null ? said.text : '')
          : { ...said.usage, estimated: false };
      this.estimates.learn(usage);
      charge(usage, said.billed);
      return { said, key };
    };
    try {
      if (this.gathers && full.embedding === null) {
        key = batchKey(filing.filed, { ...asked, embedding: full.embedding }, turn);
        const batched = await (await this.#gatherer()).ask(key, asked, expected, filing.known, options);
        if ('failure' in batched) return batched;
        room = batched.room;
        if ('known' in batched) return batched;
        if ('said' in batched) return await answered(batched.said);
        chargeFailed(batched.error);
        throw batched.error;
      }
      // What a replay says is nobody's call; texts to embed have room together.
      const reserves = this.settings.provider !== 'replay' && full.embedding === null;
      const budget = reserves ? this.#around.budget : null;
      const reserved = budget && (await budget.reserve(expected, this.shown, signal));
      if (reserved !== null && 'failure' in reserved) return reserved;
      room = reserved;
      const tries: Tries = {
        priority: options.priority ?? 0,
        onFailed: chargeFailed,
        async beforeAgain() {
          const refused = (await reserved?.renew()) ?? null;
          if (refused !== null) throw new Refused(refused);
        },
      };
      return await answered(await this.#asked(asked, full, expected, signal, tries));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused) return error.failed;
      if (error instanceof ProviderError) return fromProvider(error, this.shown);
      const { OutOfOrder } = await import('./resilience.ts');
      if (error instanceof OutOfOrder) return outOfOrder(this.shown, error.message);
      throw error;
    } finally {
      room?.end();
    }
  }

  async #asked(
    asked: ProviderRequest,
    { embedding }: FullRequest,
    expected: Expected,
    signal: AbortSignal,
    tries: Tries,
  ): Promise<ProviderAnswer> {
    const line = await this.#connect();
    if (embedding === null) return line.ask(asked, expected.input + expected.usual, signal, tries);
    const wanted = { ...asked, embedding: { texts: [], ...embedding } };
    if (this.settings.provider === 'replay') return line.ask(wanted, expected.input, signal, tries);
    const { budget } = this.#around;
    this.#texts ??= new TextBatches({
      line,
      budget,
      estimates: this.estimates,
      shown: this.shown,
      tokensPerMinute: this.settings.limits.tokens_per_minute,
    });
    return this.#texts.ask(wanted, asked.messages.at(-1)?.content ?? '', expected, signal, tries);
  }

  get tokens(): ModelTokens {
    return this.estimates.tokens;
  }

  /** Milliseconds that its last answers took, at the median; null before the first. */
  get latencyMs(): number | null {
    return this.#opened?.latencyMs ?? null;
  }

  /** Loads the provider with its SDK, and what makes requests robust: only now is there something to ask. */
  #connect(): Promise<Resilience> {
    this.#line ??= (async () => {
      const { limits } = this.settings;
      const [provider, { Gate }, { Resilience }] = await Promise.all([
        this.#open(),
        import('./gate.ts'),
        import('./resilience.ts'),
      ]);
      this.#opened = new Resilience(provider, new Gate(limits), limits);
      return this.#opened;
    })();
    return this.#line;
  }

  /** The same for batches. */
  #gatherer(): Promise<Batches> {
    this.#batches ??= (async () => {
      const [{ batches }, { Batches }] = await Promise.all([this.#open(), import('./batches.ts')]);
      const { batches: log, budget } = this.#around;
      const { batch: settings, limits } = this.settings;
      if (!batches || log === null || settings === null) throw new Error(`${this.shown} has no batches`);
      return new Batches({ provider: batches, log, budget, settings, limits, shown: this.shown });
    })();
    return this.#batches;
  }

  #open(): Promise<Provider> {
    this.#provider ??= (async () => {
      const { settings } = this;
      const { openProvider } = await import('./providers/index.ts');
      const { keyName } = settings;
      const key = keyName === null ? undefined : this.#around.secret(keyName);
      const keyIsSecret = keyName !== null && this.#around.isSecret(keyName);
      const { root, secretNames } = this.#around;
      return openProvider({ settings, key, keyName, keyIsSecret, secretNames, root });
    })();
    return this.#provider;
  }
}
