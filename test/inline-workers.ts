import type { Workers } from '../numerics/workers.ts';

/** Runs tasks on the calling thread, split as for so many threads: for tests of functions that take workers. */
export function inlineWorkers(threads = 1): Workers {
  return {
    threads,
    async run<A, R>(module: string | URL, exportName: string, args: A): Promise<R> {
      const exports = (await import(String(module))) as Record<string, (args: A) => R | Promise<R>>;
      return exports[exportName]!(args);
    },
  };
}
