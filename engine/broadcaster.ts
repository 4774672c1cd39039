import type { RunEvent, RunListener } from './events.ts';

/** Tells every listener; one that throws is dropped, since no reporter may fail a run. */
export function broadcaster(listeners: RunListener[]): RunListener {
  const live = new Set(listeners);
  const tell = (event: RunEvent) => {
    for (const listener of live) {
      try {
        listener(event);
      } catch (error) {
        live.delete(listener);
        const message = `a reporter failed and is told no more: ${(error as Error).message}`;
        tell({ type: 'run-warning', time: event.time, message });
      }
    }
  };
  return tell;
}
