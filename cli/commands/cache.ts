import { blobsOf } from '../../engine/artefacts.ts';
import { ProblemError } from '../../engine/problems.ts';
import { bytesOf } from '../../engine/project.ts';
import { pruneOutputs } from '../../engine/record/outputs-folder.ts';
import { pinnedBlobs } from '../../engine/record/runs.ts';
import { collectGarbage, usage } from '../../engine/store/gc.ts';
import type { Cli, Command } from '../command.ts';
import { columns, count, counted, size } from '../format.ts';
import { withProject } from '../project.ts';

const json = { flags: '--json', description: 'as JSON on stdout' };

const status: Command = {
  name: 'status',
  summary: 'what the store holds, by kind and by age of last use',
  options: [json],
  examples: [{ line: 'reprise cache', does: 'how big it is' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder, cacheSize }) => {
      const lines = await usage(workspace.store, workspace.caches, pinnedBlobs(runsFolder));
      const bytes = lines.reduce((sum, line) => sum + line.bytes, 0);
      if (options['json']) {
        cli.out(
          `${JSON.stringify({ folder: workspace.store.folder, bytes, cap_bytes: cacheSize, parts: lines })}\n`,
        );
        return 0;
      }
      const head = ['', 'count', 'size', '< 1 day', '< 1 week', '< 30 days', 'older'].map((text) =>
        cli.paint('bold', text),
      );
      const rows = lines.map(({ type, count: n, bytes, ages }) => [
        `  ${type}`,
        count(n),
        size(bytes),
        ...[ages.day, ages.week, ages.month, ages.older].map((age) => (age === 0 ? '' : size(age))),
      ]);
      cli.out(columns([head, ...rows]));
      cli.out(`${size(bytes)} of ${size(cacheSize)} in ${workspace.store.folder}\n`);
      return 0;
    });
  },
};

const gc: Command = {
  name: 'gc',
  summary: 'make the store smaller: what was used least recently goes first',
  description:
    'Removes results and blobs until the store is within its size. What runs need to be reproduced, and what a running process uses, stays.',
  options: [
    {
      flags: '--size <size>',
      description: 'down to this size, such as 500MB (default: cache_size of reprise.yaml)',
    },
    { flags: '--older-than <days>', description: 'also what was not used for so many days', atLeast: 0 },
    { flags: '--dry-run', description: 'only say what would go, and why' },
    json,
  ],
  examples: [
    { line: 'reprise cache gc --dry-run', does: 'what would go' },
    { line: 'reprise cache gc --older-than 30', does: 'what nobody used for a month' },
  ],
  async run(_, options, cli) {
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
        keep: async () => pinnedBlobs(runsFolder),
        capBytes,
        ...(typeof options['olderThan'] === 'number' && { maxAgeDays: options['olderThan'] }),
        dryRun,
      });
      if (!dryRun) pruneOutputs(store.folder, runsFolder);
      if (options['json']) cli.out(`${JSON.stringify({ dry_run: dryRun, ...result })}\n`);
      else {
        if (dryRun)
          cli.out(
            columns(
              result.removed.map(({ what, name, bytes, reason }) => [
                `  ${what}`,
                name.slice(0, 26),
                size(bytes),
                reason,
              ]),
            ),
          );
        cli.out(
          `${dryRun ? 'would remove' : 'removed'} ${counted(result.removed.length, 'item')}: ${size(result.before)} → ${size(result.after)}\n`,
        );
      }
      return 0;
    });
  },
};

const verify: Command = {
  name: 'verify',
  summary: 'read every blob and compare it with its digest',
  description:
    'Reads all of the store. Damaged blobs are removed, and computed again by the next run that needs them. Exit code 1 if there was damage.',
  options: [json],
  examples: [{ line: 'reprise cache verify', does: 'after a crash, or a disk that you do not trust' }],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder }) => {
      const { store, caches } = workspace;
      const expected = new Set(pinnedBlobs(runsFolder));
      for await (const { entry } of caches.steps.all()) {
        for (const artefact of Object.values(entry.outputs))
          for (const { digest } of blobsOf(artefact)) expected.add(digest);
      }
      const damaged: string[] = [];
      const missing: string[] = [];
      let checked = 0;
      for await (const { digest, state } of store.verify(expected)) {
        cli.signal.throwIfAborted();
        if (state === 'missing') missing.push(digest);
        else checked++;
        if (state !== 'damaged') continue;
        damaged.push(digest);
        await store.remove(digest);
      }
      if (options['json']) cli.out(`${JSON.stringify({ checked, damaged, missing })}\n`);
      else report(checked, damaged, missing, cli);
      return damaged.length + missing.length > 0 ? 1 : 0;
    });
  },
};

function report(checked: number, damaged: string[], missing: string[], { out, paint }: Cli): void {
  for (const digest of damaged)
    out(`${paint('red', 'damaged')}  ${digest}  removed; the next run that needs it computes it again\n`);
  for (const digest of missing)
    out(
      `${paint('yellow', 'missing')}  ${digest}  the next run that needs it computes it again, if it can\n`,
    );
  out(`${counted(checked, 'blob')} read, ${damaged.length} damaged, ${missing.length} missing\n`);
}

export const command: Command = {
  name: 'cache',
  summary: 'keep the store in bounds: status, gc, verify',
  commands: [status, gc, verify],
  default: 'status',
  examples: [
    { line: 'reprise cache', does: 'how big it is' },
    { line: 'reprise cache gc --dry-run', does: 'what would go' },
    { line: 'reprise cache verify', does: 'is every byte as it was?' },
  ],
};
