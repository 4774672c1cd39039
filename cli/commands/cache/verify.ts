import { blobsOf } from '../../../engine/artefacts.ts';
import type { Digest } from '../../../engine/digest.ts';
import { runReferences } from '../../../engine/record/references.ts';
import type { Command } from '../../command.ts';
import { counted } from '../../format.ts';
import { withProject } from '../../project.ts';
import { json } from '../runs/words.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'read every blob and compare it with its digest',
  description:
    'Reads all of the store and names every blob that is damaged (its bytes are not those of its name) or missing (a result or a run names it). With --repair, what is damaged is removed, together with the results that need it, and the next run computes it again. Exit code 1 if there was damage.',
  options: [{ flags: '--repair', description: 'remove what is damaged' }, json],
  examples: [
    { line: 'reprise cache verify', does: 'after a crash, or a disk that you do not trust' },
    { line: 'reprise cache verify --repair', does: 'and remove what is damaged' },
  ],
  async run(_, options, cli) {
    return withProject(cli, cli.cwd, async ({ workspace, runsFolder }) => {
      const { store, caches } = workspace;
      const repair = options['repair'] === true;
      const results = new Map<Digest, { key: Digest; name: string }[]>();
      for await (const { key, entry } of caches.steps.all()) {
        const { fingerprint, outputs, made_by: by } = entry;
        const name = by ? `${by.step} of ${by.workflow}` : `a result of ${String(fingerprint['step_type'])}`;
        for (const { digest } of Object.values(outputs).flatMap(blobsOf))
          results.set(digest, [...(results.get(digest) ?? []), { key, name }]);
      }
      const pinned = runReferences(runsFolder).pinned();
      const damaged: Digest[] = [];
      const missing: Digest[] = [];
      let checked = 0;
      for await (const { digest, state } of store.verify([...results.keys(), ...pinned])) {
        cli.signal.throwIfAborted();
        if (state === 'missing') missing.push(digest);
        else checked++;
        if (state === 'damaged') damaged.push(digest);
      }
      const removed = repair ? await store.remove(damaged) : [];
      const bad = [...damaged, ...missing];
      if (repair)
        await caches.steps.delete(bad.flatMap((digest) => results.get(digest)?.map(({ key }) => key) ?? []));
      if (options['json']) {
        cli.out(`${JSON.stringify({ checked, damaged, missing, removed })}\n`);
        return bad.length > 0 ? 1 : 0;
      }
      const gone = new Set(removed);
      for (const digest of bad) {
        const names = [...new Set(results.get(digest)?.map(({ name }) => name) ?? [])];
        if (pinned.has(digest)) names.push('pinned by a run');
        const word = missing.includes(digest) ? cli.paint('yellow', 'missing') : cli.paint('red', 'damaged');
        const fate = gone.has(digest) ? ', removed' : '';
        cli.out(`${word}  ${digest}  ${names.join(', ') || 'named by nothing'}${fate}\n`);
      }
      cli.out(
        `${counted(checked, 'blob')} read, ${damaged.length} damaged, ${missing.length} missing${repair ? `, ${removed.length} removed` : ''}\n`,
      );
      if (damaged.length > 0 && !repair)
        cli.err('remove what is damaged with --repair: the next run computes it again\n');
      return bad.length > 0 ? 1 : 0;
    });
  },
};
