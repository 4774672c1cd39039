import { parentPort } from 'node:worker_threads';
import { StepError } from '../problems.ts';
import type { Reply } from './pool.ts';

/** The other end of pool.ts: one task at a time, `exportName(args, report)` of a module. */
interface TaskMessage {
  module: string;
  exportName: string;
  args: unknown;
}
/** Asks the thread to end, whatever it does. */
interface EndMessage {
  kind: 'end';
}

const port = parentPort;
if (!port) throw new Error('worker.ts runs in a worker thread only');

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(reply, transfer);
}

port.on('message', async (message: TaskMessage | EndMessage) => {
  // Handled between two turns of the event loop, so never inside a native call.
  if ('kind' in message) process.exit();
  const { module, exportName, args } = message;
  try {
    const exports = (await import(module)) as Record<string, unknown>;
    const task = exports[exportName];
    if (typeof task !== 'function') throw new TypeError(`${module} has no function ${exportName}`);
    let last = 0;
    const report = (done: number, total: number) => {
      const now = performance.now();
      if (now - last < 50 && done < total) return;
      last = now;
      send({ kind: 'progress', done, total });
    };
    const value: unknown = await task(args, report);
    send({ kind: 'done', value }, buffersOf(value));
  } catch (error) {
    if (error instanceof StepError) {
      const { code, message, hint, retryable } = error;
      send({ kind: 'step-error', code, message, hint, retryable });
    } else send({ kind: 'failed', error });
  }
});

/** Buffers of typed arrays in the result: moved instead of copied. SharedArrayBuffers are shared anyway. */
function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength)
      found.add(value.buffer);
  } else if (Array.isArray(value)) {
    if (value.length < 1000) for (const item of value) buffersOf(item, found);
  } else if (value !== null && typeof value === 'object') {
    for (const item of Object.values(value)) buffersOf(item, found);
  }
  return [...found];
}
