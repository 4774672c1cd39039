import type { Digest } from '../digest.ts';
import type { Caches } from './caches.ts';
import { type RunReferences, takeInventory } from './inventory.ts';
import type { Store } from './store.ts';

const dayMs = 24 * 3_600_000;

/** What a part of the store takes. */
export interface UsageLine {
  /** A kind of thing, a workflow's path, or a step type. */
  name: string;
  count: number;
  bytes: number;
  /** Bytes by age of last use: under a day, a week, 30 days, older. */
  ages: { day: number; week: number; month: number; older: number };
}

export interface Usage {
  bytes: number;
  /** Bytes of blobs that runs pin, and of those that running processes rely on. */
  pinnedBytes: number;
  inUseBytes: number;
  kinds: UsageLine[];
  workflows: UsageLine[];
  types: UsageLine[];
}

class Lines {
  readonly #lines = new Map<string, UsageLine>();
  readonly #now = Date.now();

  add(name: string, count: number, bytes: number, usedMs: number): void {
    let line = this.#lines.get(name);
    if (!line) {
      line = { name, count: 0, bytes: 0, ages: { day: 0, week: 0, month: 0, older: 0 } };
      this.#lines.set(name, line);
    }
    line.count += count;
    line.bytes += bytes;
    const days = (this.#now - usedMs) / dayMs;
    line.ages[days < 1 ? 'day' : days < 7 ? 'week' : days < 30 ? 'month' : 'older'] += bytes;
  }

  /** The largest first. */
  sorted(): UsageLine[] {
    return [...this.#lines.values()].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
  }
}

/**
 * Sizes by kind, by workflow and by step type. A blob that several results share counts once, at the one that was used
 * last.
 */
export async function usage(store: Store, caches: Caches, references: RunReferences): Promise<Usage> {
  const inventory = await takeInventory(store, caches, references);
  const [kinds, workflows, types] = [new Lines(), new Lines(), new Lines()];
  const counted = new Set<Digest>();
  for (const result of inventory.results.sort((a, b) => b.usedMs - a.usedMs)) {
    let bytes = result.entryBytes;
    kinds.add('index', 1, result.entryBytes, result.usedMs);
    for (const { digest, kind } of result.blobs) {
      const blob = inventory.blobs.get(digest);
      if (!blob || counted.has(digest)) continue;
      counted.add(digest);
      bytes += blob.bytes;
      kinds.add(kind, 1, blob.bytes, result.usedMs);
    }
    workflows.add(result.workflow ?? 'unknown', 1, bytes, result.usedMs);
    types.add(result.use, 1, bytes, result.usedMs);
  }
  for (const { use, rows, bytes, usedMs } of inventory.rows) {
    kinds.add('rows', rows, bytes, usedMs);
    types.add(`rows of ${use}`, rows, bytes, usedMs);
  }
  for (const { model, rows, bytes, usedMs } of inventory.answers) {
    kinds.add('answers', rows, bytes, usedMs);
    types.add(`answers of ${model}`, rows, bytes, usedMs);
  }
  for (const { bytes, run, usedMs } of inventory.loose)
    kinds.add(run === null ? 'unreferenced' : 'other outputs', 1, bytes, usedMs);
  let [pinnedBytes, inUseBytes] = [0, 0];
  for (const [digest, { bytes, storedMs }] of inventory.blobs) {
    if (inventory.inUse.has(digest)) inUseBytes += bytes;
    if (!inventory.pinned.has(digest)) continue;
    pinnedBytes += bytes;
    if (!counted.has(digest)) kinds.add('pinned', 1, bytes, storedMs);
  }
  return {
    bytes: inventory.bytes,
    pinnedBytes,
    inUseBytes,
    kinds: kinds.sorted(),
    workflows: workflows.sorted(),
    types: types.sorted(),
  };
}
