import { dirname, resolve } from 'node:path';
import { blobsOf } from '../../../engine/artefacts.ts';
import type { Digest } from '../../../engine/digest.ts';
import { ProblemError } from '../../../engine/problems.ts';
import { openSharedCache } from '../../../engine/remote/open.ts';
import type { Pushed } from '../../../engine/remote/shared-cache.ts';
import { readSource } from '../../../engine/workflow/load.ts';
import { ProblemList } from '../../../engine/workflow/problem-list.ts';
import type { Command } from '../../command.ts';
import { counted } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json } from '../runs/words.ts';

export const push: Command = {
  name: 'push',
  summary: 'put results that are here into the shared cache',
  description:
    'Puts results of steps into the shared cache that `remote` in reprise.yaml names: those that were made before it was named, without its credentials, or with `push: false`. A run puts there only what it computes. With a file, only the last results of that workflow, from the project that it lies in. Exit code 1 if not all could be put there.',
  arguments: [{ name: '[file]', description: 'a workflow: only its last results' }],
  options: [json],
  examples: [
    { line: 'reprise cache push', does: 'fill a new shared cache from this machine' },
    { line: 'reprise cache push workflows/support-topics.yaml', does: 'what one workflow needs' },
  ],
  async run([file], options, cli) {
    const path = file === undefined ? null : resolve(cli.cwd, file as string);
    if (path !== null) refuseUnreadable(path, cli.cwd);
    return withProject(cli, path === null ? cli.cwd : dirname(path), async ({ workspace }) => {
      const { caches, remote, root, store, steps } = workspace;
      if (remote === null)
        throw ProblemError.of('no-remote', 'there is no shared cache to put results into', {
          hint: 'name one in reprise.yaml: remote: { url: file:../team-cache }',
        });
      const shared = await openSharedCache(
        { ...remote, push: true },
        { root, store, steps },
        { signal: cli.signal, warn: (message) => cli.err(`${cli.paint('yellow', 'warning')} ${message}\n`) },
      );
      if (shared === null) return 1;
      const wanted = path === null ? null : lastOf(caches.steps.allLast(), workspace.relative(path));
      const sums: { [came in Pushed | 'incomplete']: number } = {
        pushed: 0,
        there: 0,
        'too-large': 0,
        failed: 0,
        incomplete: 0,
      };
      try {
        for await (const { key, entry } of caches.steps.all()) {
          if (cli.signal.aborted) break;
          if (wanted !== null && !wanted.has(key)) continue;
          const here = store.check(Object.values(entry.outputs).flatMap(blobsOf)).length === 0;
          sums[here ? await shared.pushNow(key, entry) : 'incomplete']++;
        }
      } finally {
        await shared.close();
      }
      const { pushed, there, 'too-large': tooLarge, failed, incomplete } = sums;
      if (options['json'])
        cli.out(
          `${JSON.stringify({ url: remote.url, pushed, there, too_large: tooLarge, failed, incomplete })}\n`,
        );
      else if (wanted !== null && Object.values(sums).every((sum) => sum === 0))
        cli.out(`no results of ${file as string} are here: nothing was put into ${remote.url}\n`);
      else {
        const parts = [
          `${counted(pushed, 'result')} put into ${remote.url}`,
          `${there} there already`,
          tooLarge > 0 && `${tooLarge} too large for it`,
          incomplete > 0 && `${incomplete} with files that are missing here`,
          failed > 0 && `${failed} failed`,
        ];
        cli.out(`${parts.filter((part) => part !== false).join(', ')}\n`);
      }
      return failed > 0 || cli.signal.aborted ? 1 : 0;
    });
  },
};

/** ProblemError if there is no such file, or none that can be read. */
function refuseUnreadable(path: string, cwd: string): void {
  const problems = new ProblemList();
  readSource(path, cwd, problems);
  if (problems.failed) throw new ProblemError(problems.errors);
}

function lastOf(all: readonly { workflow: string; key: Digest }[], path: string): Set<Digest> {
  return new Set(all.flatMap(({ workflow, key }) => (workflow === path ? [key] : [])));
}
