import { relative } from 'node:path';
import type { PlannedStep } from '../../engine/plan.ts';
import type { AttemptEnded, WatchEvent } from '../../engine/watch/events.ts';
import type { MetricChange } from '../../engine/watch/metric-changes.ts';
import type { Cli } from '../command.ts';
import { columns, counted, duration, metric } from '../format.ts';
import { planTable } from '../plan-table.ts';
import { renderProblems } from '../render-problems.ts';
import { plainReporter } from './plain.ts';
import { type Reporter, terminalReporter } from './terminal.ts';

/** Names of files or steps that a line holds; the rest is counted. */
const namesShown = 4;
/** Metrics that are told when a run has changed them; the rest is counted. */
const changesShown = 12;

/**
 * A watch as text on stderr: what was saved and which steps that concerns, the run as `reprise run` shows it without the
 * steps that were reused, and what became of the metrics.
 *
 * @param keys the line that says which keys there are; empty where there are none
 */
export function watchReporter(cli: Cli, keys: string): (event: WatchEvent) => void {
  let run: Reporter | null = null;
  let first = true;
  let wish: string = 'run';
  const warned = new Set<string>();
  const say = (text: string) => cli.err(`${text}\n`);
  return (event) => {
    switch (event.type) {
      case 'files-saved':
        if (event.leads_to === 'attempt-later')
          say(`${cli.paint('bold', 'saved')} ${named(event.files)}; it is run when this run has ended`);
        break;
      case 'attempt-started':
        run = cli.terminal.err ? terminalReporter(cli) : plainReporter(cli);
        wish = event.wish;
        if (event.cause === 'saved') say(`\n${cli.paint('bold', 'saved')} ${named(event.files)}`);
        break;
      case 'attempt-planned':
        if (wish === 'plan') cli.err(planTable(event.steps, cli));
        else for (const line of reasons(event.steps, cli)) say(line);
        break;
      case 'workflow-refused':
        cli.err(renderProblems(event.problems, cli, { run: event.last_good }));
        if (event.last_good) say('the workflow as it was without these problems runs instead');
        break;
      case 'attempt-cancelled':
        run?.end();
        if (event.files.length > 0)
          say(`${cli.paint('yellow', 'stopped')}: ${named(event.files)} changed; what is done stays done`);
        break;
      case 'attempt-left':
        say(`  ${cli.paint('cyan', '…')} goes on: ${named(event.steps)}`);
        break;
      case 'attempt-ended':
        run?.end();
        run = null;
        first = false;
        for (const line of ending(event, cli)) say(line);
        if (keys !== '') say(cli.paint('dim', keys));
        break;
      case 'watching':
        say(cli.paint('dim', `watching ${counted(event.files, 'file')}`));
        break;
      case 'watch-problem':
        say(`${cli.paint('yellow', 'warning')} ${event.message}`);
        break;
      case 'watch-ended':
        break;
      case 'run-warning':
        // The same is true of every run: once is enough.
        if (warned.has(event.message)) break;
        warned.add(event.message);
        run?.on(event);
        break;
      case 'step-finished':
        if (first || event.outcome.status !== 'cached') run?.on(event);
        break;
      default:
        run?.on(event);
    }
  };
}

/** What will run, and why: `→ rows: input data/a.jsonl changed`. */
function reasons(steps: readonly PlannedStep[], cli: Cli): string[] {
  const sure = steps.filter(({ state }) => state === 'run' || state === 'failed');
  const perhaps = steps.filter(({ state }) => state === 'unknown');
  const lines = columns(
    sure.slice(0, namesShown).map(({ id, reason }) => [`  ${cli.paint('green', '→')} ${id}`, reason]),
  )
    .split('\n')
    .filter((line) => line !== '');
  if (sure.length > namesShown) lines.push(`  → and ${counted(sure.length - namesShown, 'more step')}`);
  if (perhaps.length > 0)
    lines.push(
      cli.paint(
        'dim',
        `    then ${named(perhaps.map(({ id }) => id))}, unless their inputs come out the same`,
      ),
    );
  return lines;
}

function ending({ outcome, steps, duration_ms, metrics, pages, error }: AttemptEnded, cli: Cli): string[] {
  const time = duration(duration_ms);
  const lines: string[] = [];
  const worked = steps.ran + steps.failed + steps.skipped + steps.interrupted > 0;
  const parts = [
    `${steps.ran} ran`,
    `${steps.cached} reused`,
    ...(['skipped', 'failed'] as const)
      .filter((name) => steps[name] > 0)
      .map((name) => `${steps[name]} ${name}`),
  ].join(', ');
  if (outcome === 'succeeded' && worked)
    lines.push(`${cli.paint('green', 'succeeded')} in ${time} · ${parts}`);
  else if (outcome === 'succeeded' || outcome === 'unchanged')
    lines.push(
      `${cli.paint('green', 'nothing to do')}${outcome === 'unchanged' ? '' : `: ${parts}`} · ${time}`,
    );
  else if (outcome === 'failed') lines.push(`${cli.paint('red', 'failed')} in ${time} · ${parts}`);
  lines.push(...metrics.slice(0, changesShown).map((change) => changeLine(change, cli)));
  if (metrics.length > changesShown)
    lines.push(`  and ${counted(metrics.length - changesShown, 'more metric')}`);
  if (error) {
    lines.push(`${cli.paint('red', 'error')}: ${error.message}`);
    if (error.hint) lines.push(`     → ${error.hint}`);
  }
  for (const page of pages) lines.push(`report   ${relative(cli.cwd, page)}`);
  return lines;
}

/** `scores.v_measure 0.771 → 0.779 (+0.008)` */
function changeLine({ step, metric: name, before, after }: MetricChange, cli: Cli): string {
  const head = `  ${step}.${name} ${metric(before)} → ${cli.paint('bold', metric(after))}`;
  if (typeof before !== 'number' || typeof after !== 'number') return head;
  const difference = after - before;
  return `${head} (${difference < 0 ? '-' : '+'}${metric(Math.abs(difference))})`;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(', ');
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown;
}
