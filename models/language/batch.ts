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
  /** A request of a batch, as it is sent. `key`: at most 64 letters and digits. */
  line(key: string, request: ProviderRequest): string;
  /** Hands over a batch; gives what the provider calls it. */
  submit(lines: readonly string[], token: string, signal: AbortSignal): Promise<string>;
  /** A batch that was submitted by a process that did not hear what it is called; null if there is none. */
  find(lost: LostBatch, signal: AbortSignal): Promise<string | null>;
  status(id: string, signal: AbortSignal): Promise<BatchStatus>;
  /** What came of a batch that has ended, in any order. */
  results(id: string, signal: AbortSignal): AsyncIterable<BatchResult>;
}

/** What is noted of batches on disk; see engine/store/batch-log.ts. */
export interface BatchLog {
  begin(source: string, token: string, keys: readonly string[]): { number: number; keys: string[] } | null;
  submitted(number: number, id: string): void;
  abandon(number: number): void;
  drop(number: number): void;
  finish(number: number, answers: ReadonlyMap<string, string>): void;
  find(keys: readonly string[]): ({ readonly answer: string } | { readonly batch: number } | undefined)[];
  batch(number: number):
    | {
        readonly number: number;
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
    hint: 'is the key that of the account that submitted it? to ask and pay anew, delete .reprise/cache/batches.sqlite',
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
