import { compareRuns } from '../../../engine/record/compare/compare-runs.ts';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { shownDiff } from '../../shown-diff.ts';
import { json } from './words.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'what differs between two runs',
  description:
    'Params, workflow and code, data, environment, cost and time, and per step why it ran again and what it did to metrics and outputs: rows added, removed and changed (joined by id), values of matrices, files.',
  arguments: [
    { name: '<a>', description: 'the earlier run' },
    { name: '[b]', description: 'the later run (default: latest)' },
  ],
  options: [json],
  examples: [
    { line: 'reprise runs diff latest~1 latest', does: 'the last run against the one before' },
    { line: 'reprise runs diff baseline', does: 'the last run against the one with this tag' },
  ],
  async run([a, b], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder, workspace }) => {
      const [old, now] = [a as string, (b as string | undefined) ?? 'latest'].map((run) =>
        readRun(runsFolder, resolveRun(runsFolder, run)),
      );
      const difference = await compareRuns(old!, now!, workspace.store, {
        modulesOf: (code) => workspace.code.modulesOf(code),
      });
      cli.out(options['json'] ? `${JSON.stringify(difference)}\n` : shownDiff(difference, cli));
      return 0;
    });
  },
};
