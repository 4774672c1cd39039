import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemError } from '../../../engine/problems.ts';
import { readHead, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { json } from './words.ts';

export const rm: Command = {
  name: 'rm',
  summary: 'remove runs and free what only they pinned',
  description:
    'Removes the folders of runs. What only they pinned stays in the store until `reprise cache gc` needs the room; models that were imported for them go with the next `reprise cache gc`.',
  arguments: [{ name: '<run...>', description: 'run ids, prefixes, latest, latest~2, tags' }],
  options: [json],
  examples: [{ line: 'reprise runs rm latest~3', does: 'remove one run' }],
  async run([names], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const ids = [...new Set((names as string[]).map((name) => resolveRun(runsFolder, name)))];
      const alive = ids.find((id) => readHead(join(runsFolder, id))?.status === 'running');
      if (alive)
        throw ProblemError.of('run-is-running', `${alive} is still running`, { hint: 'stop it first' });
      for (const id of ids) {
        rmSync(join(runsFolder, id), { recursive: true });
        if (!options['json']) cli.out(`removed ${id}\n`);
      }
      if (options['json']) cli.out(`${JSON.stringify({ removed: ids })}\n`);
      else cli.err('what no other run needs (blobs, imported models) goes with `reprise cache gc`\n');
      return 0;
    });
  },
};
