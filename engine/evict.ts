import type { RunListener } from './events.ts';
import { pruneOutputs } from './record/outputs-folder.ts';
import { size } from './size.ts';
import { keepInBounds } from './store/bounds.ts';
import type { Workspace } from './workspace.ts';

/** Brings the store under its cap, while the run still holds what it needs. */
export async function evict(
  { store, caches }: Workspace,
  { runsFolder, cacheSize, now }: { runsFolder: string; cacheSize: number; now(): number },
  emit: RunListener,
  warn: (message: string) => void,
): Promise<void> {
  const references = async () => (await import('./record/references.ts')).runReferences(runsFolder);
  const result = await keepInBounds({ store, caches, references, capBytes: cacheSize });
  if (result === null) return;
  pruneOutputs(store.folder, runsFolder);
  (await import('./archive/models.ts')).pruneModels(store.folder, runsFolder);
  if (result.removed.length > 0) {
    emit({
      type: 'cache-evicted',
      time: now(),
      results: result.removed.filter(({ what }) => what === 'result').length,
      bytes: result.before - result.after,
      cap_bytes: cacheSize,
    });
  }
  const answers = result.removed.filter(({ what }) => what === 'answers');
  if (answers.length > 0)
    warn(
      `the store was over its ${size(cacheSize)}, and nothing was left to remove but ${answers.reduce((sum, { count }) => sum + count, 0)} answers of language models, which were used longest ago: to be had again they must be paid for; raise cache_size in reprise.yaml`,
    );
  if (result.after > cacheSize)
    warn(
      `the store holds ${size(result.after)}, more than its ${size(cacheSize)}: runs need ${size(result.kept)} of it, this run's own results included; raise cache_size in reprise.yaml, or remove old runs with reprise runs rm`,
    );
}
