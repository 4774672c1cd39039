/**
 * Threads that numeric functions may use: the engine's pool has this shape. A task is a function that a module
 * exports; its arguments and result are cloned, but for memory that threads share.
 */
export interface Workers {
  readonly threads: number;
  run<A, R>(module: string | URL, exportName: string, args: A): Promise<R>;
}

/**
 * Runs an exported function on equal parts of `items` side by side and gives the results in the order of the parts.
 * A part's result must not depend on where parts begin: then neither does the whole, whatever the number of threads.
 */
export function inParts<R>(
  workers: Workers,
  module: string,
  exportName: string,
  items: number,
  argsOf: (from: number, to: number) => unknown,
): Promise<R[]> {
  // More parts than threads, so that a thread that is slowed down holds up less.
  const parts = Math.max(1, Math.min(items, workers.threads === 1 ? 1 : workers.threads * 4));
  return Promise.all(
    Array.from({ length: parts }, (_, part) =>
      workers.run<unknown, R>(
        module,
        exportName,
        argsOf(Math.floor((part * items) / parts), Math.floor(((part + 1) * items) / parts)),
      ),
    ),
  );
}
