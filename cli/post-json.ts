/** A call that carries JSON. */
export interface JsonCall {
  headers: Readonly<Record<string, string>>;
  body: unknown;
  /** For the answer as a whole. */
  timeoutMs: number;
  /** Ends it before. */
  signal?: AbortSignal;
}

/**
 * Posts JSON; gives an answer that is not an error. What it throws says what happened in words that can stand behind
 * the address: `it cannot be reached: …`, `it answered 500 …`, `it took longer than 5 s`.
 */
export async function postJson(
  url: string,
  { headers, body, timeoutMs, signal }: JsonCall,
): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.any([timeLimit(timeoutMs), ...(signal ? [signal] : [])]),
  }).catch((error: Error) => {
    const { cause } = error;
    if (!(cause instanceof Error)) throw error;
    // A name may have several addresses: each was tried.
    const causes = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause];
    throw new Error(`it cannot be reached: ${causes.map(({ message }) => message).join('; ')}`);
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new Error(`it answered ${response.status} ${response.statusText}`.trim());
}

/** Aborted after so many milliseconds, with an error that says so. */
export function timeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error(`it took longer than ${ms / 1000} s`)), ms).unref();
  return controller.signal;
}
