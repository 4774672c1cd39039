import type { Cli } from '../command.ts';
import { cellWidth, count, counted, duration } from '../format.ts';
import { addedLine, batchText, evictedLine, finishedLine, heldLine, type Reporter } from './terminal.ts';

/** Milliseconds between two progress lines of one step. */
const quietTime = 10_000;
/** The run where there is no terminal (CI, a file): a line when a step starts, every ten seconds, and when it ends. */
export function plainReporter(cli: Cli): Reporter {
  const lastSaid = new Map<string, number>();
  let width = 0;
  let quiet = false;
  const { say, flush } = lineWriter(cli.err);
  return {
    on(event) {
      switch (event.type) {
        case 'run-started':
          width = Math.min(28, Math.max(0, ...event.steps.map(({ id }) => cellWidth(id))));
          quiet = event.steps.length > 40;
          say(`${event.workflow} · ${counted(event.steps.length, 'step')} · run ${event.run}`);
          break;
        case 'steps-added':
          say(addedLine(event));
          break;
        case 'step-started':
          lastSaid.set(event.step, event.time);
          say(`  → ${event.step.padEnd(width)}  ${event.reason}`);
          break;
        case 'step-progress': {
          if (event.time - (lastSaid.get(event.step) ?? 0) < quietTime) break;
          lastSaid.set(event.step, event.time);
          const total = event.total === null ? '' : ` of ${count(event.total)}`;
          say(`  … ${event.step.padEnd(width)}  ${count(event.done)}${total} ${event.unit}`);
          break;
        }
        case 'step-waiting':
          say(`  … ${event.step}: ${event.holder} does the same work; waiting for its result`);
          break;
        case 'step-held':
          say(heldLine(event, cli));
          break;
        case 'step-retry':
          say(`  ↻ ${event.step}: ${event.message}; again in ${duration(event.delay_ms)}`);
          break;
        case 'step-batch':
          // Each look at it would be a line.
          if (event.batch.state !== 'running')
            say(`  … ${event.step.padEnd(width)}  ${batchText(event.batch)}`);
          break;
        case 'cache-damaged':
          say(`  ! ${event.step ?? 'cache'}: ${event.message}; it is computed again`);
          break;
        case 'step-finished':
          if (!quiet || event.outcome.status !== 'cached')
            say(finishedLine(event.outcome, width, cli, Number.POSITIVE_INFINITY));
          for (const warning of event.outcome.warnings) say(`      warning ${warning}`);
          break;
        case 'cache-evicted':
          say(evictedLine(event));
          break;
        case 'run-warning':
          say(`  warning ${event.message}`);
          break;
      }
    },
    end: flush,
  };
}

/** After so many lines within so many milliseconds, those that follow are written together. */
const burst = { lines: 16, ms: 20 };

/** Writes lines at once, but those of a burst together: a thousand small steps have two thousand. */
function lineWriter(write: (text: string) => void): { say(line: string): void; flush(): void } {
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  let since = 0;
  let lines = 0;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered !== '') write(gathered);
    gathered = '';
  };
  const say = (line: string) => {
    const now = performance.now();
    if (now - since > burst.ms) {
      flush();
      since = now;
      lines = 0;
    }
    lines++;
    if (lines <= burst.lines) write(`${line}\n`);
    else {
      gathered += `${line}\n`;
      timer ??= setTimeout(flush, burst.ms);
    }
  };
  return { say, flush };
}
