import { pruneModels } from '../../../engine/archive/models.ts';
import { ProblemError } from '../../../engine/problems.ts';
import { pruneOutputs } from '../../../engine/record/outputs-folder.ts';
import { runReferences } from '../../../engine/record/references.ts';
import { bytesOf } from '../../../engine/size.ts';
import { collectGarbage, type GcItem } from '../../../engine/store/gc.ts';
import type { Command } from '../../command.ts';
import { columns, counted, size } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json } from '../runs/words.ts';

export const gc: Command = {
  name: 'gc',
  summary: 'make the store smaller: what was used least recently goes first',
  description:
    'Removes what no result and no run names, and then results, values of rows and outputs of runs, the least recently used first, until the store is within its size. What runs pin, and what a running process uses, stays. Answers of language models go last: they are paid for. A run does the same at its end when the store is over its size.',
  options: [
    {
      flags: '--size <size>',
      description: 'down to this size, such as 500MB (default: cache_size of reprise.yaml)',
    },
    { flags: '--older-than <days>', description: 'also what was not used for so many days', atLeast: 0 },
    {
      flags: '--answers',
      description: 'with --older-than: also answers of language models, which cost money to be had again',
    },
    { flags: '--dry-run', description: 'only say what would go, and why' },
    json,
  ],
  examples: [
    { line: 'reprise cache gc --dry-run', does: 'what would go' },
    { line: 'reprise cache gc --older-than 30', does: 'what nobody used for a month' },
  ],
  async run(_, options, cli) {
    if (options['answers'] === true && options['olderThan'] === undefined)
      throw ProblemError.of('wrong-call', '--answers goes with --older-than: it says which answers', {
        hint: 'write: reprise cache gc --older-than 90 --answers',
      });
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder, cacheSize }) => {
      const { store, caches } = workspace;
      const said = options['size'] as string | undefined;
      const capBytes = said === undefined ? cacheSize : bytesOf(said);
      if (capBytes === undefined)
        throw ProblemError.of('size-form', `--size ${said} is no size`, {
          hint: 'write 500MB, 10GB or 10GiB',
        });
      const dryRun = options['dryRun'] === true;
      const result = await collectGarbage({
        store,
        caches,
        references: runReferences(runsFolder),
        capBytes,
        ...(typeof options['olderThan'] === 'number' && { maxAgeDays: options['olderThan'] }),
        answers: options['answers'] === true,
        dryRun,
      });
      if (!dryRun) pruneOutputs(store.folder, runsFolder);
      const models = pruneModels(store.folder, runsFolder, { dryRun });
      if (options['json']) {
        cli.out(`${JSON.stringify({ dry_run: dryRun, cap_bytes: capBytes, ...result, models })}\n`);
        return 0;
      }
      const { removed, before, after, kept } = result;
      if (dryRun && removed.length > 0) {
        const head = ['what', 'size', 'last used', 'workflow', 'why'].map((text) => cli.paint('bold', text));
        cli.out(columns([head, ...removed.map(lineOf)]));
      }
      cli.out(
        `${dryRun ? 'would remove' : 'removed'} ${counted(removed.length, 'item')}: ${size(before)} → ${size(after)}\n`,
      );
      for (const { digest, bytes } of models)
        cli.out(
          `${dryRun ? 'would remove' : 'removed'} the imported model ${digest.slice(7, 19)}, which no run names: ${size(bytes)}\n`,
        );
      if (after > capBytes)
        cli.err(
          `more than ${size(capBytes)}: ${size(kept)} is pinned by runs or in use; reprise cache unpin and reprise runs rm free what runs pin\n`,
        );
      return 0;
    });
  },
};

function lineOf({
  what,
  name,
  use,
  step,
  workflow,
  count,
  bytes,
  last_used: used,
  reason,
}: GcItem): string[] {
  const subject =
    what === 'result'
      ? `${step ?? name.slice(7, 19)} (${use})`
      : what === 'rows'
        ? `${counted(count, 'row')} of ${use}`
        : what === 'answers'
          ? `${counted(count, 'answer')} of ${name}`
          : `blob ${name.slice(7, 19)}`;
  return [subject, size(bytes), used.slice(0, 16).replace('T', ' '), workflow ?? '', reason];
}
