import type { RunHead } from '../../../engine/record/record.ts';
import { listRuns } from '../../../engine/record/runs.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, count, counted, duration } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json, statusStyles } from './words.ts';

export const list: Command = {
  name: 'list',
  summary: 'the runs, the latest first',
  options: [
    { flags: '--workflow <name>', description: 'only runs of this workflow' },
    {
      flags: '--status <status>',
      description: 'only runs that ended so',
      choices: ['succeeded', 'failed', 'interrupted', 'running'],
    },
    { flags: '-n, --limit <n>', description: 'at most so many', atLeast: 1 },
    json,
  ],
  examples: [{ line: 'reprise runs list --status failed -n 5', does: 'the last five that failed' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const { runs, unreadable } = listRuns(runsFolder);
      const chosen = runs
        .filter(
          ({ summary }) => options['workflow'] === undefined || summary.workflow === options['workflow'],
        )
        .filter(({ status }) => options['status'] === undefined || status === options['status'])
        .slice(0, (options['limit'] as number | undefined) ?? runs.length);
      if (options['json']) cli.out(`${JSON.stringify({ runs: chosen, unreadable })}\n`);
      else {
        cli.out(chosen.length === 0 ? 'no runs\n' : columns(chosen.map((head) => listLine(head, cli))));
        if (unreadable.length > 0)
          cli.err(`${counted(unreadable.length, 'folder')} in runs/ without a readable run.json\n`);
      }
      return 0;
    });
  },
};

function listLine({ id, status, started, duration_ms, summary }: RunHead, cli: Cli): string[] {
  const { ran, cached, skipped, failed } = summary.steps;
  const steps = [
    [ran, 'ran'],
    [cached, 'cached'],
    [skipped, 'skipped'],
    [failed, 'failed'],
  ] as const;
  return [
    id,
    cli.paint(statusStyles[status], status),
    started.slice(0, 16).replace('T', ' '),
    duration_ms === null ? '' : duration(duration_ms),
    steps.flatMap(([n, word]) => (n > 0 ? [`${count(n)} ${word}`] : [])).join(', '),
  ];
}
