import { pinnedRuns } from '../../../engine/record/pins.ts';
import { runReferences } from '../../../engine/record/references.ts';
import { type UsageLine, usage } from '../../../engine/store/usage.ts';
import type { Cli, Command } from '../../command.ts';
import { columns, count, counted, size } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json } from '../runs/words.ts';

export const status: Command = {
  name: 'status',
  summary: 'what the store holds, by kind, workflow, step type and age of last use',
  description:
    'What the store holds, by kind, by workflow and by step type, with the time of last use, beside its cap. A file that several results share counts once, at the one that was used last.',
  options: [json],
  examples: [{ line: 'reprise cache', does: 'how big it is' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder, cacheSize }) => {
      const { store, caches } = workspace;
      const held = await usage(store, caches, runReferences(runsFolder));
      const pinned = pinnedRuns(runsFolder);
      if (options['json']) {
        const { bytes, pinnedBytes, inUseBytes, kinds, workflows, types } = held;
        cli.out(
          `${JSON.stringify({
            folder: store.folder,
            bytes,
            cap_bytes: cacheSize,
            pinned_bytes: pinnedBytes,
            in_use_bytes: inUseBytes,
            pinned_runs: pinned,
            parts: kinds,
            workflows,
            step_types: types,
          })}\n`,
        );
        return 0;
      }
      cli.out(section('by kind', held.kinds, cli));
      cli.out(section('by workflow', held.workflows, cli));
      cli.out(section('by step type', held.types, cli));
      const notes = [
        held.pinnedBytes > 0 && `${size(held.pinnedBytes)} pinned by runs`,
        pinned.length > 0 && `the outputs of ${counted(pinned.length, 'run')} among them`,
        held.inUseBytes > 0 && `${size(held.inUseBytes)} in use now`,
      ].filter((note) => note !== false);
      cli.out(`${size(held.bytes)} of ${size(cacheSize)} in ${store.folder}\n`);
      if (notes.length > 0) cli.out(`${notes.join(', ')}\n`);
      return 0;
    });
  },
};

function section(title: string, lines: UsageLine[], cli: Cli): string {
  if (lines.length === 0) return '';
  const head = [title, 'count', 'size', '< 1 day', '< 1 week', '< 30 days', 'older'].map((text) =>
    cli.paint('bold', text),
  );
  const rows = lines.map(({ name, count: n, bytes, ages }) => [
    `  ${name}`,
    count(n),
    size(bytes),
    ...[ages.day, ages.week, ages.month, ages.older].map((age) => (age === 0 ? '' : size(age))),
  ]);
  return `${columns([head, ...rows])}\n`;
}
