import type { AskResult } from '../../engine/language-model.ts';
import type { Reservation } from './budget.ts';
import type { Failed } from './failures.ts';
import type { Waiting } from './followed-batch.ts';
import type { ProviderAnswer, ProviderError, ProviderRequest } from './provider.ts';

/** What a call is expected to take. */
export interface Expected {
  usd: number | null;
  tokens: number;
}

/** A request that waits to be part of a batch. */
export interface Gathered extends Waiting {
  readonly request: ProviderRequest;
  readonly expected: Expected;
  /** Aborted when it waits no more. */
  readonly signal: AbortSignal;
  /** What it was answered with meanwhile, by another process. */
  known(): Promise<AskResult | null>;
  /** How often it was submitted, or tried to be. */
  tries: number;
  /** Why it was not taken, the last time. */
  lost: ProviderError | null;
  tell(known: AskResult): void;
  refuse(failed: Failed): void;
}

/** What a request of a batch came to, with its room in the budget. */
export type BatchedAnswer =
  | { said: ProviderAnswer; room: Reservation | null }
  | { error: ProviderError; room: Reservation | null }
  | { known: AskResult; room: Reservation | null }
  | Failed;
