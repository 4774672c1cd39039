import type { Digest } from './digest.ts';
import type { Json, JsonObject } from './json.ts';

/** What `path` of provider `local` ends with where it is a language model, not the folder of an encoder. */
export const ggufFile = /\.gguf$/;

/** Whether an entry of a workflow's `models` is a language model: the others are encoders in a folder. */
export function isLanguageModel({ provider, path }: JsonObject): boolean {
  return provider !== 'local' || (typeof path === 'string' && ggufFile.test(path));
}

/**
 * The seam between steps that ask language models and the layer that answers (models/language). Only types: the engine
 * is handed the layer, as it is handed the step types.
 */

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
  /** Pictures that go with the text. */
  readonly images?: readonly { readonly media_type: string; readonly base64: string }[];
}

/** How an answer is drawn. What is not said here, the alias or the provider decides. */
export interface Sampling {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly max_tokens?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** So many of the likeliest tokens in each place are wanted with the answer, where the provider gives them. */
  readonly top_logprobs?: number;
}

export interface LanguageRequest extends Sampling {
  readonly messages: readonly Message[];
  /**
   * The vector of the last message's text is wanted, with so many numbers if the model can: the answer's text is its
   * numbers, as little-endian float32 in base64.
   */
  readonly embedding?: { readonly dimensions: number | null };
  /** JSON Schema that the answer must fit; without it the answer is text. */
  readonly schema?: JsonObject;
  /** Which of several answers to the same words this is; 0 if not given. */
  readonly sample?: number;
}

/** Tokens of a call, or of the calls that led to one answer. */
export interface Usage {
  readonly input_tokens: number;
  /** Of the input, read from the provider's own cache. */
  readonly cached_tokens: number;
  /** Of the input, written to the provider's own cache. */
  readonly written_tokens: number;
  readonly output_tokens: number;
  /** Of the output, what the model thought before its answer, where the provider says. */
  readonly reasoning_tokens?: number;
  /** The provider did not say, or said nonsense: counted from the length of the texts. */
  readonly estimated: boolean;
}

/** A token of an answer, the natural logarithm of its probability, and the likeliest that might have stood there. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top: readonly { readonly token: string; readonly logprob: number }[];
}

/** Why a request went to one of several models, and not to the others. */
export interface RouteTrace {
  readonly by: string;
  /** The alias that was asked first; null if none fits. */
  readonly chosen: string | null;
  readonly why: string;
  readonly others: readonly { readonly model: string; readonly why: string }[];
}

/** A model's answer, as it is kept: it holds no time, and nothing of our code. */
export interface Answer {
  /** Names the request (messages, sampling, schema, sample), whoever answers it. */
  readonly request: Digest;
  /** Names who answered: provider, address, model, revision. */
  readonly source: Digest;
  readonly provider: string;
  /** The model as asked, and as the provider says it served. */
  readonly asked: string;
  readonly served: string | null;
  readonly text: string;
  /** The text as it came, where that is another one: with what the model thought aloud before it. */
  readonly raw?: string;
  /** With a schema: the answer as JSON that fits it. */
  readonly json: Json | null;
  readonly usage: Usage;
  /** What it cost; null if no price is known. */
  readonly usd: number | null;
  readonly logprobs?: readonly TokenLogprob[];
  /** Of a model that was chosen among several for this request. It is recorded, and not kept with the answer. */
  readonly route?: RouteTrace;
  /** What was said is no result, for this reason. Such an answer is recorded, and never given again by a cache. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** What was spent on a request that came to nothing. */
export interface Spent {
  readonly usage: Usage;
  readonly usd: number | null;
}

export type AskResult =
  | {
      readonly answer: Answer;
      readonly cached: boolean;
      /** What was spent beside it: on models before this one, that had no answer. */
      readonly wasted: Spent | null;
    }
  | {
      readonly failure: {
        /** `row`: this request failed, others need not. `step`: no other would fare better now. */
        readonly scope: 'row' | 'step';
        readonly code: string;
        readonly message: string;
        readonly hint?: string;
        /** Asking again later may help. */
        readonly retryable: boolean;
      };
      readonly spent: Spent | null;
      /** For the record: what the model said all the same, if anything. Null for a failure that is no answer to the request. */
      readonly said: Answer | null;
    };

/** How a model counts texts, for what has to fit. */
export interface ModelTokens {
  /** Tokens that a request and its answer may have together; null if not known. */
  readonly context: number | null;
  /** Loads a way to count a text's tokens: exactly, or rather too many than too few. */
  counter(): Promise<(text: string) => number>;
}

/** What goes with a request, and counts for nothing in its answer. */
export interface AskOptions {
  readonly signal: AbortSignal;
  /** Hears what a user may want to know while it waits: a fallback, a limit that was hit. A warning is kept with the step. */
  notify(message: string, level?: 'info' | 'warning'): void;
  /** Of requests that wait for a model, those with a higher number go first; 0 if not given. */
  readonly priority?: number;
  /** Hears an answer as it comes, the text so far, of a model that is asked to stream. */
  onText?(text: string): void;
  /** Hears how far the batch is that the request is part of. */
  onBatch?(state: BatchState): void;
  /** Called when the request waits to be asked together with others: for hours, and until then it takes nothing. */
  onGathered?(): void;
  /** Id of the step that asks. */
  readonly step?: string;
  /** The `rowFields` of the row that is asked about; not there where a step asks about no row. */
  readonly row?: JsonObject | undefined;
}

/** How far a batch of requests is at a provider. */
export interface BatchState {
  /** `openai/gpt-5-mini` */
  readonly model: string;
  /** What the provider calls it. */
  readonly id: string;
  readonly requests: number;
  readonly done: number;
  readonly state: 'submitted' | 'running' | 'ended';
}

/** A field of a row that decides who is asked. */
export interface RowField {
  readonly name: string;
  /** Whoever reads it asks first whether it is there. */
  readonly optional: boolean;
}

/** A model under the name that the workflow gives it. */
export interface LanguageModel {
  readonly alias: string;
  /** What a result depends on: provider, address, model and sampling; not keys, limits, retries or fallbacks. */
  readonly identity: JsonObject;
  /** Files that answers come from, relative to the project's root: a result depends on what is in them. */
  readonly files: readonly string[];
  /** Fields of a row that decide who is asked: a row's result depends on them, whatever its prompt names. */
  readonly rowFields: readonly RowField[];
  /** For records: `openai/gpt-5-mini`. */
  readonly asked: string;
  readonly tokens: ModelTokens;
  /** Requests are gathered and asked together: what can be asked should be, before the first answer is waited for. */
  readonly gathers: boolean;
  /** Milliseconds from sending a request to its answer: the median of the last 20; null before the first, and where several models answered. */
  readonly latencyMs: number | null;
  /** Asks, unless the answer is known. Rejects only when `signal` is aborted. */
  ask(request: LanguageRequest, options: AskOptions): Promise<AskResult>;
  /** What asking would take; asks nobody. The length of an answer is that of earlier ones, on average, else max_tokens. */
  estimate(request: LanguageRequest, row?: JsonObject): Promise<RequestEstimate>;
}

/** What a request would take. */
export interface RequestEstimate {
  /** The answer is there already. */
  readonly known: boolean;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Null if no price is known. */
  readonly usd: number | null;
}

export interface LanguageModels {
  /** Aliases that name a language model. */
  readonly names: readonly string[];
  find(alias: string): LanguageModel | undefined;
}
