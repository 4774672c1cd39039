import type { JsonObject } from '../../engine/json.ts';
import type { Message, Sampling, TokenLogprob, Usage } from '../../engine/language-model.ts';
import type { BatchProvider } from './batch.ts';

/** Anthropic's API wants a limit, and gets this one where nobody says; an answer that reaches it is a failure of its row. */
export const anthropicMaxTokens = 4096;

/** What a provider is asked: what goes over the wire. */
export interface ProviderRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  /** With the seed of this sample, where there is one. */
  readonly sampling: Sampling;
  readonly schema: JsonObject | null;
  /** Which of several answers to the same words. Programs are told; it does not go to a server. */
  readonly sample?: number;
  /** Vectors of these texts are wanted, not an answer to `messages`. */
  readonly embedding?: { readonly texts: readonly string[]; readonly dimensions: number | null };
  /** Hears the text so far, of a provider that streams. */
  readonly onText?: (text: string) => void;
}

/** Tokens, as a provider counts them. */
export type ProviderUsage = Omit<Usage, 'estimated'>;

export interface ProviderAnswer {
  readonly text: string;
  /** Of texts to embed, in their order: little-endian float32 in base64. */
  readonly vectors?: readonly string[];
  /** `length`: cut off at max_tokens or the end of the context. `refused`: by the model or a filter. */
  readonly finish: 'stop' | 'length' | 'refused';
  /** Null if the provider did not say, or what it said cannot be. */
  readonly usage: ProviderUsage | null;
  readonly served: string | null;
  /** What the provider billed, in US dollars, if it says. */
  readonly billed: number | null;
  readonly limits: RateLimits | null;
  /** If they were asked for and the provider gives them. */
  readonly logprobs: readonly TokenLogprob[] | null;
}

/** What the headers of an answer say about what is left. */
export interface RateLimits {
  readonly requests: Left | null;
  readonly tokens: Left | null;
}
export interface Left {
  readonly remaining: number;
  /** Milliseconds until it is full again. */
  readonly resetMs: number;
  /** What there is when it is full; null if the server does not say. */
  readonly limit: number | null;
}

/** A way to reach models. One call of `ask` is one try: no retries, no cache. */
export interface Provider {
  /** Rejects with a ProviderError, or with the reason of an aborted signal. */
  ask(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Of providers that take many requests at once, and answer within a day, for less. */
  readonly batches?: BatchProvider;
}

/**
 * - `overloaded`: too many requests, or a server that has too much to do
 * - `unavailable`: the server failed, hung up, took too long or answered what is no answer
 * - `denied`: the key or what it may do; no request will pass
 * - `unknown-model`: no request will pass
 * - `setup`: something on this machine is missing; no request will pass
 * - `rejected`: this request is wrong (too long, say)
 */
export const faults = ['overloaded', 'unavailable', 'denied', 'unknown-model', 'setup', 'rejected'] as const;
/** `unanswered`: a batch ended before it was this request's turn. */
export type ProviderFault = (typeof faults)[number] | 'unanswered';

/** Milliseconds: a server that asks to wait for longer than this is not waited for. */
export const longestRetryAfterMs = 5 * 60_000;

/** Why a try failed. */
export class ProviderError extends Error {
  readonly fault: ProviderFault;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | null;
  readonly hint: string | undefined;
  readonly limits: RateLimits | null;
  /** What an answer that is none took all the same, and what was billed for it. */
  readonly usage: ProviderUsage | null;
  readonly billed: number | null;
  /** How often the request was made before it was given up. */
  tries = 1;

  constructor(
    fault: ProviderFault,
    message: string,
    more: {
      retryAfterMs?: number | null;
      hint?: string | undefined;
      limits?: RateLimits | null;
      usage?: ProviderUsage | null;
      billed?: number | null;
    } = {},
  ) {
    super(message);
    this.name = 'ProviderError';
    this.fault = fault;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.hint = more.hint;
    this.limits = more.limits ?? null;
    this.usage = more.usage ?? null;
    this.billed = more.billed ?? null;
  }

  get mayPass(): boolean {
    return this.fault === 'overloaded' || this.fault === 'unavailable';
  }
}
