import { join, relative, resolve } from 'node:path';
import { blobsOf } from '../../../engine/artefacts.ts';
import { readRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { counted, size } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json } from './words.ts';

export const importRun: Command = {
  name: 'import',
  summary: 'take in a run that `runs export` packed',
  description:
    'Checks every byte of the archive before anything of it appears here. A run that is here already stays as it is; one of the same id with another record is refused.',
  arguments: [{ name: '<file>', description: 'the archive' }],
  options: [json],
  examples: [{ line: 'reprise runs import run.tgz', does: 'then: reprise reproduce latest' }],
  async run([file], options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder }) => {
      const { importArchive } = await import('../../../engine/archive/read.ts');
      const path = resolve(cli.cwd, file as string);
      const { store } = workspace;
      const imported = await importArchive({ path, runsFolder, store, signal: cli.signal });
      const { run, added, entries, bytes } = imported;
      if (options['json']) {
        cli.out(`${JSON.stringify(imported)}\n`);
        return 0;
      }
      const where = relative(cli.cwd, join(runsFolder, run));
      if (added.includes(run)) cli.out(`imported ${where}: ${counted(entries, 'file')}, ${size(bytes)}\n`);
      else cli.out(`${where} was here already; what its store lacked was added\n`);
      cli.err(`do it again with: reprise reproduce ${run}\n`);
      const outputs = readRun(runsFolder, run).steps.flatMap((step) => Object.values(step.outputs));
      if (store.check(outputs.flatMap(blobsOf)).length > 0)
        cli.err('what its steps made is not in the archive: runs export --with-outputs packs it, too\n');
      return 0;
    });
  },
};
