import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readNotes, readTags } from '../../../engine/record/notes.ts';
import { openBatches } from '../../../engine/record/open-batches.ts';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { withProject } from '../../project.ts';
import { json, runArgument } from './words.ts';

export const show: Command = {
  name: 'show',
  summary: 'one run: what it was made of and what came of it',
  description:
    'One page: when and by which command, commit, machine, params, what it read, steps with their metrics, failures with what to do, warnings, outputs and how to look at them, tags and notes. With `--json` the record, with `tags` and `notes`.',
  arguments: [runArgument],
  options: [json],
  examples: [{ line: 'reprise runs show latest', does: 'the last run' }],
  async run([run], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder, workspace }) => {
      const id = resolveRun(runsFolder, run as string);
      const record = readRun(runsFolder, id);
      const folder = join(runsFolder, id);
      const tags = [...readTags(runsFolder)].flatMap(([tag, of]) => (of === id ? [tag] : [])).sort();
      const notes = { ...readNotes(folder), tags };
      if (options['json']) {
        cli.out(`${JSON.stringify({ ...record, ...notes })}\n`);
        return 0;
      }
      const { shownRun } = await import('../../shown-run.ts');
      const page = join(folder, 'report.html');
      const shown = {
        notes,
        batches: openBatches(folder),
        store: workspace.store,
        folder: relative(cli.cwd, folder),
        report: existsSync(page) ? relative(cli.cwd, page) : null,
      };
      cli.out(shownRun(record, shown, cli));
      return 0;
    });
  },
};
