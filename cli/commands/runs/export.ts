import { resolve } from 'node:path';
import { readRun, resolveRun } from '../../../engine/record/runs.ts';
import type { Command } from '../../command.ts';
import { columns, counted, size } from '../../format.ts';
import { packageVersion } from '../../package.ts';
import { withProject } from '../../project.ts';
import { json, runArgument } from './words.ts';

export const exportRun: Command = {
  name: 'export',
  summary: 'pack a run with all that reproducing it needs, for another machine',
  description:
    'Writes one .tgz file: the record, events, report and notes, the data that the run pinned, and the models of the project that it used. Built-in models come with reprise and are not packed. `reprise runs import` takes it in, and `reprise reproduce` passes there, offline.',
  arguments: [runArgument],
  options: [
    { flags: '-o, --output <file>', description: 'the archive (default: <run>.tgz)' },
    {
      flags: '--with-outputs',
      description: 'also what its steps made: a difference can then be shown row by row',
    },
    { flags: '--without-models', description: 'leave out the models of the project' },
    { flags: '--force', description: 'write over a file that is there already' },
    json,
  ],
  examples: [{ line: 'reprise runs export latest -o run.tgz', does: 'take the last run along' }],
  async run([run], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const { workspace, runsFolder } = project;
      const record = readRun(runsFolder, resolveRun(runsFolder, run as string));
      const path = resolve(cli.cwd, (options['output'] as string | undefined) ?? `${record.id}.tgz`);
      const force = options['force'] === true;
      const [{ contentsOf, refuseExisting, writeArchive }, { modelsOfRun }] = await Promise.all([
        import('../../../engine/archive/write.ts'),
        import('../../models-of-run.ts'),
      ]);
      if (!force) refuseExisting(path);
      const contents = await contentsOf({
        record,
        runsFolder,
        root: workspace.root,
        store: workspace.store,
        engineVersion: packageVersion(),
        outputs: options['withOutputs'] === true,
        models: options['withoutModels'] === true ? [] : await modelsOfRun(record, project, cli),
      });
      const { sizes, manifest, notes } = contents;
      const bytes = Object.values(sizes).reduce((sum, part) => sum + part, 0);
      const parts = Object.entries(sizes).filter(([, part]) => part > 0);
      cli.err(
        `${record.id}: ${counted(manifest.entries.length, 'file')}, ${size(bytes)} before compression\n`,
      );
      cli.err(columns(parts.map(([kind, part]) => [`  ${kind}`, size(part)])));
      for (const note of notes) cli.err(`${cli.paint('yellow', 'note')} ${note}\n`);
      const written = await writeArchive(contents, path, cli.signal, { force });
      if (options['json'])
        cli.out(
          `${JSON.stringify({ run: record.id, file: path, bytes: written, entries: manifest.entries.length, sizes, notes })}\n`,
        );
      else cli.out(`${path}  ${size(written)}\n`);
      return 0;
    });
  },
};
