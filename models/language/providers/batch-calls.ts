import { ProviderError } from '../provider.ts';
import { fromSdk } from './http-errors.ts';

/** One try of a call to a batch API. Rejects with a ProviderError, or with the reason of the aborted signal. */
export async function tryCall<T>(
  keyName: string | null,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw fromSdk(error, keyName);
  }
}

/**
 * One try of a call that hands over a batch. A server that knows no such address has no batches. Of those that may pass
 * only 429 says for sure that nothing was taken: a gateway answers 503 for a server that has done its work.
 */
export async function tryToSubmit<T>(
  keyName: string | null,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  let status: number | undefined;
  try {
    return await tryCall(keyName, signal, async () => {
      try {
        return await work();
      } catch (error) {
        status = statusOf(error);
        throw error;
      }
    });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (status === 404 || status === 405 || status === 501)
      throw new ProviderError('setup', `this server has no batch API (it answered ${status})`, {
        hint: 'drop `batch:` of this model: then each request is asked for itself',
      });
    if (error.fault !== 'overloaded' || status === 429) throw error;
    throw new ProviderError('unavailable', error.message, { retryAfterMs: error.retryAfterMs });
  }
}

/** The HTTP status that an SDK's error has; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { status?: number } | undefined)?.status;
}
