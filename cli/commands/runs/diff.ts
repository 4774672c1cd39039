import { diffRuns } from '../../../engine/record/diff.ts';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { shownDiff } from '../../shown-diff.ts';
import { json } from './words.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'what differs between two runs',
  description:
    'Params, workflow and code, data, environment, and per step why it ran again and what it did to outputs and metrics.',
  arguments: [
    { name: '<a>', description: 'the earlier run' },
    { name: '[b]', description: 'the later run (default: latest)' },
  ],
  options: [json],
  examples: [{ line: 'reprise runs diff latest~1 latest', does: 'the last run against the one before' }],
  async run([a, b], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder, workspace }) => {
      const [old, now] = [a as string, (b as string | undefined) ?? 'latest'].map((run) =>
        readRun(runsFolder, resolveRun(runsFolder, run)),
      );
      const difference = diffRuns(old!, now!, (code) => workspace.code.modulesOf(code));
      cli.out(options['json'] ? `${JSON.stringify(difference)}\n` : shownDiff(difference, cli));
      return 0;
    });
  },
};
