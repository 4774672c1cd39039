import { type ProviderAnswer, ProviderError, type ProviderRequest } from './provider.ts';

/** How far a provider is with a batch. */
export interface BatchStatus {
  readonly ended: boolean;
  readonly done: number;
  readonly total: number;
  /** Why requests of a batch that has ended may be without a result. */
  readonly unanswered: string;
  /** The batch was refused as a whole, and nothing of it was done. */
  readonly refused?: ProviderError;
}

/** What a batch came to for one of its requests. */
export type BatchResult = { readonly key: string } & (
  | { readonly answer: ProviderAnswer }
  | { readonly error: ProviderError }
);

/** What is known of a batch that may be at the provider. */
export interface LostBatch {
  readonly token: string;
  readonly requests: number;
  /** When it was submitted, in milliseconds since 1970. */
  readonly since: number;
  /** Batches that are other ones. */
  readonly others: readonly string[];
}

/**
 * A provider's way to take many requests at once. Every method is one try, and rejects with a ProviderError, or with the
 * reason of an aborted signal.
 */
export interface BatchProvider {
  /** What one batch may have. */
  readonly most: { readonly requests: number; readonly bytes: number };
  /** Whether `find` may give another batch than the one that is looked for. */
  readonly guesses: boolean;
  /** A request of a batch, as it is sent. `key`: at most 64 letters and digits. */
  line(key: string, request: ProviderRequest): string;
  /** Hands over a batch; gives what the provider calls it. The fault is `overloaded` only if it was surely not taken. */
  submit(lines: readonly string[], token: string, signal: AbortSignal): Promise<string>;
  /** A batch that was submitted by a process that did not hear what it is called; null if there is none. */
  find(lost: LostBatch, signal: AbortSignal): Promise<string | null>;
  status(id: string, signal: AbortSignal): Promise<BatchStatus>;
  /** What came of a batch that has ended, in any order. */
  results(id: string, signal: AbortSignal): AsyncIterable<BatchResult>;
  /** Removes what would stay at the provider of a batch whose results were fetched, or that was refused. */
  discard(id: string, signal: AbortSignal): Promise<void>;
}

/** What is noted of batches on disk; see engine/store/batch-log.ts. */
export interface BatchLog {
  begin(model: string, token: string, keys: readonly string[]): string[] | null;
  leaveOut(token: string, keys: readonly string[]): void;
  submitted(token: string, id: string): void;
  abandon(token: string): void;
  found(token: string, id: string): void;
  mistaken(token: string, id: string, keys: readonly string[]): void;
  drop(token: string, id: string | null): void;
  finish(token: string, answers: ReadonlyMap<string, string>): void;
  isOpen(token: string): boolean;
  holds(token: string, keys: readonly string[]): boolean;
  find(keys: readonly string[]): ({ readonly answer: string } | { readonly batch: string } | undefined)[];
  batch(token: string):
    | {
        readonly token: string;
        readonly id: string | null;
        readonly requests: number;
        readonly since: number;
        readonly submitting: boolean;
      }
    | undefined;
  ids(): string[];
  release(keys: readonly string[]): void;
}

/** The provider has no batch of that name, though one was submitted. Nothing is asked anew: it may be paid for. */
export function unknownBatch(id: string, error: ProviderError): ProviderError {
  if (error.fault !== 'unknown-model') return error;
  return new ProviderError('setup', `batch ${id} is not known to the provider: ${error.message}`, {
    hint: `is the key that of the account that submitted it? to ask and pay anew: reprise models batches --forget ${id}`,
  });
}

/**
 * Requests in as many batches as they need, in their order.
 *
 * @param bytes of each request as it is sent
 */
export function batchesOf<T extends { readonly bytes: number }>(
  requests: readonly T[],
  most: { requests: number; bytes: number },
): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= most.requests || bytes + request.bytes > most.bytes) {
      batches.push([request]);
      bytes = request.bytes;
    } else {
      last.push(request);
      bytes += request.bytes;
    }
  }
  return batches;
}
