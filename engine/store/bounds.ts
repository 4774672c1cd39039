import type { Caches } from './caches.ts';
import type { GcResult } from './gc.ts';
import type { RunReferences } from './inventory.ts';
import type { Store } from './store.ts';

/** What an eviction leaves of the cap, so that not every run of a full store ends with one. */
const fill = 0.9;

/**
 * Brings the store under its cap, if it is over it: what was used least recently goes until a tenth of the cap is free. To
 * be called at the end of a run, while it still holds its blobs. Costs a look into the index where there is nothing to
 * do; a run that stored nothing does not try again what could not be done last time.
 *
 * @returns what was removed; null if the store is within its cap
 */
export async function keepInBounds(options: {
  store: Store;
  caches: Caches;
  references: () => Promise<RunReferences>;
  capBytes: number;
}): Promise<GcResult | null> {
  const { store, caches, references, capBytes } = options;
  if (!store.writable) return null;
  const grown = noteGrowth(store, caches);
  const known = caches.size.get();
  if (known && !store.followsKill && (known.held <= capBytes || (known.isStuck && grown === 0))) return null;
  const [{ collectGarbage }, { takeInventory }, runs] = await Promise.all([
    import('./gc.ts'),
    import('./inventory.ts'),
    references(),
  ]);
  // The first run of a store, or an estimate that may be too high: count.
  const { bytes } = await takeInventory(store, caches, runs);
  caches.size.set(bytes, { before: known?.held });
  if (bytes <= capBytes) return null;
  const result = await collectGarbage({
    store,
    caches,
    references: runs,
    capBytes: Math.floor(capBytes * fill),
  });
  if (result.after > capBytes) caches.size.set(result.after, { before: result.after, isStuck: true });
  return result;
}

/** Adds what this process stored since the last call to the estimate of the store's size; gives the bytes. */
export function noteGrowth(store: Store, caches: Caches): number {
  const { rows, answers } = caches;
  const values = rows.takeWritten() + answers.takeWritten();
  const bytes = values + store.takeWritten() + caches.steps.takeWritten();
  caches.size.add(bytes);
  return bytes;
}
