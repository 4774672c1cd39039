/** What is to be done when signals are aborted, with the listener that does it. */
const known = new WeakMap<AbortSignal, { calls: Set<() => void>; abort(): void }>();

/**
 * Calls `leave` when the signal is aborted, unless what this gives was called before. A signal gets one listener for all: with
 * thousands of requests, each listener of its own would be looked for among all the others whenever one comes or goes.
 */
export function onAbort(signal: AbortSignal, leave: () => void): () => void {
  const all = known.get(signal) ?? listening(signal);
  const call = () => leave();
  all.calls.add(call);
  return () => {
    all.calls.delete(call);
    if (all.calls.size > 0 || known.get(signal) !== all) return;
    known.delete(signal);
    signal.removeEventListener('abort', all.abort);
  };
}

function listening(signal: AbortSignal) {
  const calls = new Set<() => void>();
  const all = {
    calls,
    abort() {
      known.delete(signal);
      for (const call of calls) call();
    },
  };
  known.set(signal, all);
  signal.addEventListener('abort', all.abort, { once: true });
  return all;
}

/** Waits for work, but no longer than until the signal is aborted: then the work is left behind. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stay = onAbort(signal, () => aborted.reject(signal.reason));
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    stay();
    work.catch(() => {});
  }
}
