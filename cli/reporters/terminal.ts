import type { CacheEvicted, RunEvent, StepHeld, StepOutcome, StepsAdded } from '../../engine/events.ts';
import type { BatchState } from '../../engine/language-model.ts';
import type { Cli } from '../command.ts';
import { cellWidth, count, counted, duration, metric, size, truncate } from '../format.ts';

/** What a reporter is: told of every event, and of the end. */
export interface Reporter {
  on(event: RunEvent): void;
  /** Leaves the terminal as it should stay. */
  end(): void;
}

interface Running {
  id: string;
  use: string;
  since: number;
  done: number;
  total: number | null;
  unit: string;
  cached: number;
  waiting: string | null;
  log: string | null;
}

/** Redraws a second, at most. */
const framesPerSecond = 12;
/** Lines of running steps that are shown; the rest is counted. */
const linesShown = 8;
/** Share of the work to do that must be done before the time for the rest is told. */
const leastForEta = 0.03;
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * The run on a terminal: finished steps scroll by, a line each; below them a line for each running step with rows,
 * rows/s and ETA, drawn over itself.
 */
export function terminalReporter(cli: Cli): Reporter {
  const running = new Map<string, Running>();
  let width = 0;
  let drawn = 0;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  let waiting = 0;
  /** Cached steps are not worth a line each when there are many. */
  let quiet = false;

  const erase = () => {
    if (drawn > 0) cli.err(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const lines = [...running.values()]
      .slice(0, linesShown)
      .map((step) => runningLine(step, width, cli, frame));
    const hidden = running.size - lines.length;
    if (hidden > 0) lines.push(cli.paint('dim', `    and ${counted(hidden, 'more running step')}`));
    if (waiting > running.size)
      lines.push(cli.paint('dim', `    ${counted(waiting - running.size, 'step')} waiting for a free slot`));
    if (lines.length > 0) cli.err(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const print = (line: string) => {
    erase();
    cli.err(`${line}\n`);
    draw();
  };

  return {
    on(event) {
      switch (event.type) {
        case 'run-started':
          width = Math.min(28, Math.max(0, ...event.steps.map(({ id }) => cellWidth(id))));
          quiet = event.steps.length > 40;
          cli.err(
            `${cli.paint('bold', event.workflow)} ${cli.paint('dim', `· ${counted(event.steps.length, 'step')} · run ${event.run}`)}\n`,
          );
          timer = setInterval(() => {
            frame++;
            if (running.size > 0) draw();
          }, 1000 / framesPerSecond);
          timer.unref();
          break;
        case 'steps-added':
          width = Math.min(28, Math.max(width, ...event.steps.map(({ id }) => cellWidth(id))));
          quiet ||= event.steps.length > 40;
          print(addedLine(event));
          break;
        case 'step-queued':
          waiting++;
          break;
        case 'step-held':
          print(heldLine(event, cli));
          break;
        case 'step-started':
          running.set(event.step, {
            id: event.step,
            use: '',
            since: event.time,
            done: 0,
            total: null,
            unit: 'rows',
            cached: 0,
            waiting: null,
            log: event.reason,
          });
          break;
        case 'step-waiting': {
          const step = running.get(event.step);
          if (step) step.waiting = event.holder;
          else
            print(
              `  ${cli.paint('yellow', '…')} ${event.step}: ${event.holder} is doing it; waiting for its result`,
            );
          break;
        }
        case 'step-progress': {
          const step = running.get(event.step);
          if (step)
            Object.assign(step, {
              done: event.done,
              total: event.total,
              unit: event.unit,
              cached: event.cached,
              waiting: null,
            });
          break;
        }
        case 'step-log': {
          const step = running.get(event.step);
          if (step) step.log = event.message;
          break;
        }
        case 'step-batch': {
          const step = running.get(event.step);
          if (step) step.log = batchText(event.batch);
          break;
        }
        case 'step-retry':
          print(
            `  ${cli.paint('yellow', '↻')} ${event.step}: ${event.message}; again in ${duration(event.delay_ms)}`,
          );
          break;
        case 'cache-damaged':
          print(
            `  ${cli.paint('yellow', '!')} ${event.step ?? 'cache'}: ${event.message}; it is computed again`,
          );
          break;
        case 'step-finished':
          if (running.delete(event.step) || event.outcome.status !== 'cached')
            waiting = Math.max(0, waiting - 1);
          if (!quiet || event.outcome.status !== 'cached') print(finishedLine(event.outcome, width, cli));
          for (const warning of event.outcome.warnings)
            print(`      ${cli.paint('yellow', 'warning')} ${warning}`);
          break;
        case 'cache-evicted':
          print(evictedLine(event));
          break;
        case 'run-warning':
          print(`  ${cli.paint('yellow', 'warning')} ${event.message}`);
          break;
        case 'run-finished':
          erase();
          break;
      }
    },
    end() {
      clearInterval(timer);
      erase();
    },
  };
}

function runningLine(step: Running, width: number, cli: Cli, frame: number): string {
  const seconds = (Date.now() - step.since) / 1000;
  const parts: string[] = [];
  if (step.waiting) parts.push(`waiting for ${step.waiting}, which does the same work`);
  else if (step.total !== null && step.total > 0) {
    const fresh = step.done - step.cached;
    const rate = fresh / Math.max(seconds, 0.001);
    parts.push(bar(step.done / step.total), `${count(step.done)}/${count(step.total)} ${step.unit}`);
    const left = step.total - step.done;
    if (rate > 0 && seconds > 0.5) {
      parts.push(`${count(Math.round(rate))} ${step.unit}/s`);
      // The first rows also pay for loading a model: what they say of the others is wrong.
      if (left > 0 && fresh >= leastForEta * (fresh + left))
        parts.push(`ETA ${duration((left / rate) * 1000)}`);
    }
  } else if (step.done > 0) {
    parts.push(`${count(step.done)} ${step.unit}`);
  } else if (step.log) {
    parts.push(step.log);
  }
  const head = `  ${cli.paint('cyan', spinner[frame % spinner.length]!)} ${pad(step.id, width)}  `;
  return `${head}${truncate(`${duration(seconds * 1000)}  ${parts.join('  ')}`, cli.columns - cellWidth(head) - 1)}`;
}

function bar(share: number): string {
  const cells = 16;
  const full = Math.round(Math.min(1, share) * cells);
  return '━'.repeat(full) + '╌'.repeat(cells - full);
}

const marks = {
  ran: ['green', '✔'],
  cached: ['blue', '≡'],
  skipped: ['dim', '○'],
  failed: ['red', '✘'],
  interrupted: ['yellow', '■'],
} as const;

/** Metrics in the line of a finished step: the first ones are the most telling. */
const metricsShown = 3;

/** What a step with `for_each` has come to: `answers stands for 12 steps`. */
export function addedLine({ step, steps }: StepsAdded): string {
  return `  … ${step} stands for ${counted(steps.length, 'step')}`;
}

/** Which pools have no room for a step. */
export function heldLine({ step, pools }: StepHeld, cli: Cli): string {
  const full = pools.map((pool) => `the pool ${pool}`).join(' and ');
  return `  ${cli.paint('yellow', '…')} ${step}: waits for room in ${full}`;
}

/** How far a batch is: `batch b_1: 12 of 100 requests done`. */
export function batchText({ id, requests, done, state }: BatchState): string {
  if (state === 'submitted') return `batch ${id} of ${counted(requests, 'request')} was submitted`;
  return `batch ${id}: ${count(done)} of ${counted(requests, 'request')} done`;
}

/** What an eviction took: `evicted 12 results, 3.4 GB: …`. */
export function evictedLine({ results, bytes, cap_bytes: cap }: CacheEvicted): string {
  return `  evicted ${counted(results, 'result')}, ${size(bytes)}: the store was over its ${size(cap)}`;
}

/**
 * One finished step: mark, id, type, what came of it, and why it ran. Where there is no room for all of it, metrics
 * go first, from the last one.
 */
export function finishedLine(
  outcome: StepOutcome,
  width: number,
  cli: Cli,
  columns: number = cli.columns,
): string {
  const [style, mark] = marks[outcome.status];
  const head = `  ${cli.paint(style, mark)} ${pad(outcome.id, width)}  ${cli.paint('dim', pad(outcome.use, 9))}`;
  if (outcome.status === 'failed')
    return `${head}  ${cli.paint('red', outcome.error?.message ?? outcome.reason)}`;
  if (outcome.status === 'skipped' || outcome.status === 'interrupted')
    return `${head}  ${cli.paint('dim', outcome.reason)}`;
  const facts: string[] = [];
  if (outcome.rows !== null) facts.push(counted(outcome.rows, 'row'));
  if (outcome.rows_failed > 0) facts.push(cli.paint('yellow', `${count(outcome.rows_failed)} failed`));
  if (outcome.status === 'ran' && outcome.rows_cached > 0)
    facts.push(`${count(outcome.rows_computed)} computed, ${count(outcome.rows_cached)} from the row cache`);
  const told = facts.length;
  // A metric that repeats the number of rows says nothing new.
  const telling = Object.entries(outcome.metrics).filter(([, value]) => value !== outcome.rows);
  for (const [name, value] of telling.slice(0, metricsShown)) facts.push(metricText(name, value));
  const hit = outcome.reason === 'unchanged' ? 'cached' : `cached ${outcome.reason}`;
  const how = outcome.status === 'cached' ? hit : `${duration(outcome.duration_ms)} · ${outcome.reason}`;
  const room = columns - cellWidth(head) - 3;
  while (facts.length > told && cellWidth(`${facts.join(' · ')}   ${how}`) > room) facts.pop();
  const what = facts.length > 0 ? `${facts.join(' · ')}   ` : '';
  return `${head}  ${what}${cli.paint('dim', truncate(how, Math.max(12, room - cellWidth(what))))}`;
}

function metricText(name: string, value: number | string | boolean): string {
  return name === 'bytes' && typeof value === 'number' ? size(value) : `${name} ${metric(value)}`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cellWidth(text)));
}
