import { pinnedRuns, pinRun, unpinRun } from '../../../engine/record/pins.ts';
import { outputBlobs } from '../../../engine/record/record.ts';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { counted } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json, runArgument } from '../runs/words.ts';

export const pin: Command = {
  name: 'pin',
  summary: 'keep all outputs of a run, whatever the size of the store',
  description:
    'Every run pins the inputs that reproducing it takes. This pins its outputs as well: gc and eviction leave them alone until `reprise cache unpin` or `reprise runs rm`.',
  arguments: [runArgument],
  options: [json],
  examples: [{ line: 'reprise cache pin latest', does: 'the results of the last run stay' }],
  async run([name], options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder }) => {
      const run = resolveRun(runsFolder, name as string);
      const blobs = outputBlobs(readRun(runsFolder, run));
      pinRun(runsFolder, run);
      const held: Set<string> = new Set();
      for await (const { digest } of workspace.store.blobs()) held.add(digest);
      const missing = blobs.filter((digest) => !held.has(digest));
      if (options['json']) cli.out(`${JSON.stringify({ run, blobs: blobs.length, missing })}\n`);
      else cli.out(`pinned ${run}: ${counted(blobs.length, 'output file')}\n`);
      if (missing.length > 0)
        cli.err(
          `${cli.paint('yellow', 'warning')} ${missing.length} of them are no longer in the store; run the workflow again to have them back\n`,
        );
      return 0;
    });
  },
};

export const unpin: Command = {
  name: 'unpin',
  summary: 'let the outputs of a pinned run go when room is needed',
  arguments: [runArgument],
  options: [json],
  examples: [{ line: 'reprise cache unpin latest', does: 'undo cache pin' }],
  async run([name], options, cli) {
    return withProject(cli, cli.cwd, async ({ runsFolder }) => {
      const run = resolveRun(runsFolder, name as string);
      const was = unpinRun(runsFolder, run);
      if (options['json'])
        cli.out(`${JSON.stringify({ run, was_pinned: was, pinned: pinnedRuns(runsFolder) })}\n`);
      else cli.out(was ? `unpinned ${run}\n` : `${run} was not pinned\n`);
      return 0;
    });
  },
};
