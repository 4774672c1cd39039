import { type FoundRun, searchRuns } from '../../../engine/record/search.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, count, duration, metric, truncate, usd } from '../../format.ts';
import { withProject } from '../../project.ts';
import { searchOf } from '../../run-search.ts';
import { json, statusStyles } from './words.ts';

/** Unreadable folders that are named. */
const unreadableShown = 5;

export const list: Command = {
  name: 'list',
  summary: 'the runs, the latest first',
  description: `Lists the runs that every given option fits. A param or metric that is named becomes a column, with or without a value
that it must have; a step of a matrix is named with its instance: \`topics[k=5].silhouette\`. Times are UTC.`,
  options: [
    { flags: '--workflow <name>', description: 'only runs of this workflow' },
    {
      flags: '--status <status>',
      description: 'only runs that ended so',
      choices: ['succeeded', 'failed', 'interrupted', 'running'],
    },
    { flags: '--tag <name>', description: 'only the run with this tag' },
    {
      flags: '--since <date>',
      description: 'only runs from this day or moment on, or of the last so many s, m, h, d or w: `7d`',
    },
    { flags: '--until <date>', description: 'only runs up to the end of this day, or before this moment' },
    {
      flags: '--param <k=v>',
      description: 'only runs with this value of a param; `k` alone shows it',
      repeat: true,
    },
    {
      flags: '--metric <test>',
      description:
        'only runs in which this holds: `"step.metric>0.7"`, with `>`, `>=`, `<`, `<=`, `=` or `!=`; `step.metric` alone shows it',
      repeat: true,
    },
    {
      flags: '--sort <by>',
      description: '`started` (default), `duration`, `cost` or `step.metric`, the largest first',
    },
    { flags: '--reverse', description: 'the smallest first' },
    { flags: '-n, --limit <n>', description: 'at most so many', atLeast: 1 },
    json,
  ],
  examples: [
    { line: 'reprise runs list --status failed -n 5', does: 'the last five that failed' },
    { line: 'reprise runs list --since 7d --metric "scores.v_measure>0.7"', does: 'the good ones of a week' },
    {
      line: 'reprise runs list --param topics --sort scores.v_measure -n 1',
      does: 'the best run, and its topics',
    },
  ],
  async run(_, options, cli) {
    const search = searchOf(options);
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const { runs, unreadable } = searchRuns(runsFolder, search);
      if (options['json']) cli.out(`${JSON.stringify({ runs, unreadable })}\n`);
      else {
        cli.out(runs.length === 0 ? 'no runs\n' : shownRuns(runs, search.sort === 'cost', cli));
        if (unreadable.length > 0) cli.err(unreadableText(unreadable));
        const asked = [search.workflow, ...(search.params ?? []), ...(search.metrics ?? [])];
        if (asked.some((part) => part !== undefined) || typeof search.sort === 'object') {
          const { unknownNames } = await import('../../../engine/record/known-names.ts');
          for (const { kind, name, meant } of unknownNames(runsFolder, search, runs))
            cli.err(`no run has the ${kind} ${name}${meant === null ? '' : `; did you mean ${meant}?`}\n`);
        }
      }
      return 0;
    });
  },
};

/** Folders of which nothing can be listed, by name: `runs show` says of each what is wrong. */
function unreadableText(names: readonly string[]): string {
  const more = names.length > unreadableShown ? ` and ${names.length - unreadableShown} more` : '';
  const shown = names.slice(0, unreadableShown).join(', ');
  return `without a readable run.json: ${shown}${more}; see reprise runs show ${names[0]}\n`;
}

/** A line for each run. There is a heading as soon as a column needs one. */
function shownRuns(runs: readonly FoundRun[], withCost: boolean, cli: Cli): string {
  const { params, metrics } = runs[0]!;
  const names = { params: Object.keys(params), metrics: Object.keys(metrics) };
  const lines = runs.map((run) => [
    run.id,
    cli.paint(statusStyles[run.status], run.status),
    run.started.slice(0, 16).replace('T', ' '),
    run.duration_ms === null ? '' : duration(run.duration_ms),
    ...(withCost ? [usd(run.summary.cost.usd)] : []),
    ...names.params.map((name) => valueText(run.params[name])),
    ...names.metrics.map((name) => valueText(run.metrics[name])),
    stepsText(run),
    run.tags.map((tag) => cli.paint('cyan', tag)).join(' '),
  ]);
  const asked = [...(withCost ? ['cost'] : []), ...names.params, ...names.metrics];
  if (asked.length === 0) return columns(lines);
  const heading = ['run', 'status', 'started', 'took', ...asked, 'steps', ''];
  return columns([heading.map((name) => cli.paint('bold', name)), ...lines]);
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object'
    ? truncate(JSON.stringify(value), 30)
    : truncate(metric(value as string), 30);
}

function stepsText({ summary }: FoundRun): string {
  const { ran, cached, skipped, failed, interrupted } = summary.steps;
  const ended = [
    [ran, 'ran'],
    [cached, 'cached'],
    [skipped, 'skipped'],
    [failed, 'failed'],
    [interrupted, 'interrupted'],
  ] as const;
  return ended.flatMap(([n, word]) => (n > 0 ? [`${count(n)} ${word}`] : [])).join(', ');
}
