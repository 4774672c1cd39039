import type { Cli } from '../command.ts';
import { cellWidth, count, duration } from '../format.ts';
import { finishedLine, type Reporter } from './terminal.ts';

/** Milliseconds between two progress lines of one step. */
const quietTime = 10_000;

/** The run where there is no terminal (CI, a file): a line when a step starts, every ten seconds, and when it ends. */
export function plainReporter(cli: Cli): Reporter {
  const lastSaid = new Map<string, number>();
  let width = 0;
  let quiet = false;
  return {
    on(event) {
      switch (event.type) {
        case 'run-started':
          width = Math.min(28, Math.max(0, ...event.steps.map(({ id }) => cellWidth(id))));
          quiet = event.steps.length > 40;
          cli.err(`${event.workflow} · ${event.steps.length} steps · run ${event.run}\n`);
          break;
        case 'step-started':
          lastSaid.set(event.step, event.time);
          cli.err(`  → ${event.step.padEnd(width)}  ${event.reason}\n`);
          break;
        case 'step-progress': {
          if (event.time - (lastSaid.get(event.step) ?? 0) < quietTime) break;
          lastSaid.set(event.step, event.time);
          const total = event.total === null ? '' : ` of ${count(event.total)}`;
          cli.err(`  … ${event.step.padEnd(width)}  ${count(event.done)}${total} ${event.unit}\n`);
          break;
        }
        case 'step-waiting':
          cli.err(`  … ${event.step}: ${event.holder} does the same work; waiting for its result\n`);
          break;
        case 'step-retry':
          cli.err(`  ↻ ${event.step}: ${event.message}; again in ${duration(event.delay_ms)}\n`);
          break;
        case 'cache-damaged':
          cli.err(`  ! ${event.step ?? 'cache'}: ${event.message}; it is computed again\n`);
          break;
        case 'step-finished':
          if (!quiet || event.outcome.status !== 'cached')
            cli.err(`${finishedLine(event.outcome, width, cli, Number.POSITIVE_INFINITY)}\n`);
          for (const warning of event.outcome.warnings) cli.err(`      warning ${warning}\n`);
          break;
        case 'run-warning':
          cli.err(`  warning ${event.message}\n`);
          break;
      }
    },
    end() {},
  };
}
