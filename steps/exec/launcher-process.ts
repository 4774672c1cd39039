import type { Order, Report } from './launcher.ts';
import { runProgram } from './program.ts';

/** The other end of launcher.ts. It ends with the process that started it, and what it runs ends with it. */
const stops = new Map<number, AbortController>();

function tell(report: Report): void {
  if (process.connected) process.send?.(report);
}

process.on('message', async (order: Order) => {
  const { id } = order;
  if ('stop' in order) {
    stops.get(id)?.abort();
    return;
  }
  const stop = new AbortController();
  stops.set(id, stop);
  try {
    const end = await runProgram({
      ...order.start,
      signal: stop.signal,
      onStart: (pid) => tell({ id, pid }),
      onLines: (lines) => tell({ id, lines }),
    });
    tell({ id, end });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    tell({ id, error: { code, message } });
  } finally {
    stops.delete(id);
  }
});
// program.ts kills what still runs when this process ends.
process.on('disconnect', () => process.exit());
tell({ ready: true });
