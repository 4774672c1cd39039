import { AsyncLocalStorage } from 'node:async_hooks';
import { StepError } from '../problems.ts';

/** Who hears of what a step's code does outside of its promise. */
export interface GuardedStep {
  /** What the code prints; nothing but results may reach stdout. */
  onLine(line: string): void;
  /** An error that comes when the step has ended. */
  onLate(error: unknown): void;
}

interface Guarded extends GuardedStep {
  fail(error: unknown): void;
  rest: string;
}

type Write = typeof process.stdout.write;

/**
 * Keeps the code of steps from taking the process down. What a step throws in a timer or in a promise that nobody waits
 * for, its `process.exit()`, and its waiting for what can never happen are failures of that step, like what its promise is
 * rejected with. Which step it was, AsyncLocalStorage tells; what belongs to no step goes to `onDefect`.
 *
 * The process is watched from the first step until `close`. Its events are the process's, so there is one guard in it.
 */
export class StepGuard {
  /** Hears errors that no step is to blame for; without it they end the process, as they do without a guard. */
  onDefect: ((error: unknown) => void) | null = null;
  readonly #current = new AsyncLocalStorage<Guarded | null>();
  readonly #live = new Set<Guarded>();
  #restore: (() => void) | null = null;

  /** Calls a step's code. Rejects with what it throws, in its promise or outside of it. */
  run<T>(step: GuardedStep, work: () => Promise<T>): Promise<T> {
    this.#restore ??= this.#watch();
    return new Promise<T>((resolve, reject) => {
      let known: unknown;
      const guarded: Guarded = {
        ...step,
        rest: '',
        fail: (error) => {
          if (this.#live.delete(guarded)) reject(error);
          // What `process.exit()` throws comes back here unless the step catches it.
          else if (error !== known) step.onLate(error);
          known = error;
        },
      };
      this.#live.add(guarded);
      this.#current
        .run(guarded, work)
        .then(resolve, reject)
        .finally(() => {
          if (guarded.rest !== '') this.outside(() => step.onLine(guarded.rest));
          this.#live.delete(guarded);
        });
    });
  }

  /** Calls what is not the step's code, such as a reporter, from within it. */
  outside<T>(work: () => T): T {
    return this.#restore === null ? work() : this.#current.run(null, work);
  }

  /** Ends the watch. What steps left running is no longer told apart from the rest of the process. */
  close(): void {
    this.#restore?.();
    this.#restore = null;
  }

  #watch(): () => void {
    const stray = (error: unknown): void => {
      const step = this.#current.getStore();
      if (step) this.outside(() => step.fail(error));
      else if (this.onDefect) this.onDefect(error);
      else throw error;
    };
    const stuck = (): void => {
      for (const step of [...this.#live])
        step.fail(
          new StepError(
            'step-stuck',
            'it waits for something that can never happen: no timer, file, program or connection is left that could wake it',
            'look for a promise that nothing resolves, or a callback that is never called',
          ),
        );
    };
    const exit = process.exit;
    process.exit = (code?: number | string | null): never => {
      const step = this.#current.getStore();
      if (!step) return exit.call(process, code);
      const error = new StepError(
        'step-exit',
        `it called process.exit(${code ?? ''})`,
        'a step ends when its promise does; to fail, throw an error',
      );
      this.outside(() => step.fail(error));
      throw error;
    };
    const streams = [process.stdout, process.stderr] as const;
    const restoreStreams = streams.map((stream) => this.#redirect(stream));
    process.on('unhandledRejection', stray);
    process.on('uncaughtException', stray);
    process.on('beforeExit', stuck);
    return () => {
      process.exit = exit;
      for (const restore of restoreStreams) restore();
      process.off('unhandledRejection', stray);
      process.off('uncaughtException', stray);
      process.off('beforeExit', stuck);
    };
  }

  /** What the code of steps writes to a stream becomes lines of their logs. */
  #redirect(stream: NodeJS.WriteStream): () => void {
    const write = stream.write;
    const guardedWrite = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | ((error?: Error | null) => void),
      done?: (error?: Error | null) => void,
    ): boolean => {
      const step = this.#current.getStore();
      if (!step) return write.call(stream, chunk, encoding as BufferEncoding, done);
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const lines = (step.rest + text).split('\n');
      step.rest = lines.pop()!;
      for (const line of lines) if (line !== '') this.outside(() => step.onLine(line));
      const called = typeof encoding === 'function' ? encoding : done;
      if (called) process.nextTick(called);
      return true;
    };
    stream.write = guardedWrite as Write;
    return () => {
      stream.write = write;
    };
  }
}

/** The process's guard. */
export const stepGuard = new StepGuard();
