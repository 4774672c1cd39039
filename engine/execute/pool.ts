import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { StepError } from '../problems.ts';
import type { Pool } from '../step.ts';

interface Task {
  module: string;
  exportName: string;
  args: unknown;
  transfer: readonly ArrayBuffer[];
  onProgress: ((done: number, total: number) => void) | undefined;
  signal: AbortSignal;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** What a thread says of its task. A StepError is told by its members: cloning an error keeps the message only. */
export type Reply =
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'done'; value: unknown }
  | { kind: 'step-error'; code: string; message: string; hint: string | undefined; retryable: boolean }
  | { kind: 'failed'; error: unknown };

/** How long a thread that runs JavaScript has to end by itself. */
const graceMs = 100;

/**
 * A few worker threads shared by all steps of a run. A thread serves one task at a time and is kept for the next, so
 * that a model loaded by one batch is there for the next one. Cancelling a task stops its thread.
 *
 * A thread that is terminated inside a native call takes the whole process down (onnxruntime's binding throws into an
 * environment that is no more). So a thread is asked to end, which it does as soon as its event loop turns. One that
 * does not, but answers questions, which V8 answers between two instructions of JavaScript, is in a loop of JavaScript:
 * it is terminated. One that answers nothing is inside a native call, which is waited for.
 */
export class WorkerPool {
  readonly threads: number;
  /** Threads that were asked to end and have not yet. */
  #ending = new Set<Promise<void>>();
  #idle: Worker[] = [];
  #busy = new Map<Worker, Task>();
  #queue: Task[] = [];
  #closed = false;

  constructor(options: { threads?: number } = {}) {
    const threads = options.threads ?? availableParallelism();
    if (!Number.isInteger(threads) || threads < 1)
      throw new RangeError(`threads must be a positive integer, got ${threads}`);
    this.threads = threads;
  }

  /** The pool as one step sees it: its tasks end with its signal. */
  forStep(signal: AbortSignal): Pool {
    return {
      threads: this.threads,
      run: <A, R>(
        module: string | URL,
        exportName: string,
        args: A,
        options: {
          transfer?: readonly ArrayBuffer[];
          onProgress?: (done: number, total: number) => void;
        } = {},
      ) =>
        new Promise<R>((resolve, reject) => {
          if (this.#closed) return reject(new Error('the worker pool is closed'));
          if (signal.aborted) return reject(signal.reason);
          const cancel = () => this.#cancel(task);
          const settled = () => signal.removeEventListener('abort', cancel);
          const task: Task = {
            module: String(module),
            exportName,
            args,
            transfer: options.transfer ?? [],
            onProgress: options.onProgress,
            signal,
            resolve(value) {
              settled();
              resolve(value as R);
            },
            reject(reason) {
              settled();
              reject(reason);
            },
          };
          this.#queue.push(task);
          signal.addEventListener('abort', cancel, { once: true });
          this.#next();
        }),
    };
  }

  /** Stops all threads. Tasks still running are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    for (const task of [...this.#busy.values(), ...this.#queue])
      task.reject(new Error('the worker pool is closed'));
    this.#idle = [];
    this.#busy.clear();
    this.#queue = [];
    for (const worker of workers) this.#end(worker);
    await Promise.all(this.#ending);
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#busy.size < this.threads) {
      const task = this.#queue.shift()!;
      const worker = this.#idle.pop() ?? this.#start();
      this.#busy.set(worker, task);
      worker.ref();
      try {
        const { module, exportName, args } = task;
        worker.postMessage({ module, exportName, args }, [...task.transfer]);
      } catch (error) {
        // Arguments that cannot be cloned: the thread has heard nothing of the task.
        this.#busy.delete(worker);
        this.#idle.push(worker);
        worker.unref();
        task.reject(error);
      }
    }
  }

  #start(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url));
    worker.on('message', (reply: Reply) => {
      const task = this.#busy.get(worker);
      if (!task) return;
      if (reply.kind === 'progress') return task.onProgress?.(reply.done, reply.total);
      this.#busy.delete(worker);
      this.#idle.push(worker);
      worker.unref();
      if (reply.kind === 'done') task.resolve(reply.value);
      else if (reply.kind === 'failed') task.reject(reply.error);
      else task.reject(new StepError(reply.code, reply.message, reply.hint, { retryable: reply.retryable }));
      this.#next();
    });
    const lost = (error: unknown) => {
      this.#idle = this.#idle.filter((other) => other !== worker);
      const task = this.#busy.get(worker);
      if (!this.#busy.delete(worker)) return;
      task?.reject(error);
      this.#next();
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`a worker thread ended with code ${code}`)));
    return worker;
  }

  #cancel(task: Task): void {
    const waiting = this.#queue.indexOf(task);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    for (const [worker, running] of this.#busy) {
      if (running !== task) continue;
      this.#busy.delete(worker);
      this.#end(worker);
      this.#next();
    }
    task.reject(task.signal.reason);
  }

  #end(worker: Worker): void {
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
    worker.ref();
    worker.postMessage({ kind: 'end' });
    void terminateLoop(worker, ended);
  }
}

/** Terminates a thread that was asked to end and is in a loop of JavaScript. */
async function terminateLoop(worker: Worker, ended: Promise<void>): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  // A native call may have been under way at the first answer; the turn after it would have ended the thread.
  for (let answers = 0; ; ) {
    try {
      await worker.getHeapStatistics();
      answers++;
    } catch {
      // It has not started yet, or it has ended.
    }
    if (over) return;
    if (answers === 2) break;
    await delay(graceMs);
  }
  await worker.terminate();
}
