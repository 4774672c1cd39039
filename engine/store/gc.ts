import { type Artefact, blobsOf } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import type { Caches } from './caches.ts';
import type { Store } from './store.ts';

const dayMs = 24 * 3_600_000;

/** Something that gc removes. */
export interface GcItem {
  what: 'blob' | 'step' | 'rows';
  /** A blob's digest, a step result's key, or the day on which the rows were used last. */
  name: string;
  /** Bytes that this frees; those of a step's result are counted at its blobs. */
  bytes: number;
  reason: string;
}

export interface GcResult {
  /** Bytes of blobs and row values. */
  before: number;
  after: number;
  removed: GcItem[];
}

/** What a part of the store takes. */
export interface UsageLine {
  type: 'table' | 'matrix' | 'files' | 'pinned' | 'unreferenced' | 'rows' | 'index';
  count: number;
  bytes: number;
  /** Bytes by age of last use: under a day, a week, 30 days, older. */
  ages: { day: number; week: number; month: number; older: number };
}

interface Result {
  key: Digest;
  usedMs: number;
  bytes: number;
  blobs: { digest: Digest; type: Artefact['kind'] }[];
}

async function resultsOf(caches: Caches): Promise<Result[]> {
  const results: Result[] = [];
  for await (const { key, entry, usedMs, bytes } of caches.steps.all())
    results.push({
      key,
      usedMs,
      bytes,
      blobs: Object.values(entry.outputs).flatMap((artefact) =>
        blobsOf(artefact).map(({ digest }) => ({ digest, type: artefact.kind })),
      ),
    });
  return results;
}

/** Sizes by type and age. `keep`: blobs that runs pin. */
export async function usage(store: Store, caches: Caches, keep: ReadonlySet<Digest>): Promise<UsageLine[]> {
  const lines = new Map<UsageLine['type'], UsageLine>();
  const now = Date.now();
  const add = (type: UsageLine['type'], count: number, bytes: number, usedMs: number): void => {
    let line = lines.get(type);
    if (!line) {
      line = { type, count: 0, bytes: 0, ages: { day: 0, week: 0, month: 0, older: 0 } };
      lines.set(type, line);
    }
    line.count += count;
    line.bytes += bytes;
    const days = (now - usedMs) / dayMs;
    line.ages[days < 1 ? 'day' : days < 7 ? 'week' : days < 30 ? 'month' : 'older'] += bytes;
  };
  const named = new Map<Digest, { type: Artefact['kind']; usedMs: number }>();
  for (const { usedMs, bytes, blobs } of await resultsOf(caches)) {
    add('index', 1, bytes, usedMs);
    for (const { digest, type } of blobs) {
      const other = named.get(digest);
      named.set(digest, { type, usedMs: Math.max(usedMs, other?.usedMs ?? 0) });
    }
  }
  for await (const { digest, bytes, mtimeMs } of store.blobs()) {
    const result = named.get(digest);
    const type = result?.type ?? (keep.has(digest) ? 'pinned' : 'unreferenced');
    add(type, 1, bytes, result?.usedMs ?? mtimeMs);
  }
  for (const { rows, bytes, usedMs } of caches.rows.ages()) add('rows', rows, bytes, usedMs);
  return [...lines.values()];
}

/**
 * Removes blobs that nothing names, results and row values that were not used for `maxAgeDays`, and then the least
 * recently used ones until blobs and row values fit into `capBytes`. What runs pin, and what running processes rely
 * on, stays. `keep` is a function, so that it can be asked again when blobs are about to be deleted: a run may have ended
 * meanwhile.
 */
export async function collectGarbage(options: {
  store: Store;
  caches: Caches;
  keep: () => Promise<ReadonlySet<Digest>>;
  capBytes: number;
  maxAgeDays?: number;
  /** Only says what would be removed. */
  dryRun?: boolean;
}): Promise<GcResult> {
  const { store, caches, keep, capBytes, maxAgeDays = Number.POSITIVE_INFINITY, dryRun = false } = options;
  const now = Date.now();
  const removed: GcItem[] = [];
  const gone: Digest[] = [];
  const keys: Digest[] = [];

  // Uses before names: a process names its blobs before it lets go of them.
  const inUse = store.inUse();
  const pinned = await keep();
  const stays = (digest: Digest): boolean => pinned.has(digest) || inUse.has(digest);
  const results = (await resultsOf(caches)).sort((a, b) => a.usedMs - b.usedMs);
  const names = new Map<Digest, number>();
  for (const { blobs } of results)
    for (const digest of new Set(blobs.map((blob) => blob.digest)))
      names.set(digest, (names.get(digest) ?? 0) + 1);

  const sizes = new Map<Digest, number>();
  let total = 0;
  for await (const { digest, bytes } of store.blobs()) {
    sizes.set(digest, bytes);
    total += bytes;
  }
  const days = caches.rows.ages();
  for (const { bytes } of days) total += bytes;
  const before = total;

  const drop = (digest: Digest, reason: string): void => {
    const bytes = sizes.get(digest);
    if (bytes === undefined || stays(digest)) return;
    sizes.delete(digest);
    total -= bytes;
    gone.push(digest);
    removed.push({ what: 'blob', name: digest, bytes, reason });
  };
  for (const digest of [...sizes.keys()])
    if (!names.has(digest)) drop(digest, 'no result and no run names it');

  let rowsBefore = 0;
  const dropRows = ({ usedMs, bytes }: { usedMs: number; bytes: number }, reason: string): void => {
    rowsBefore = usedMs + dayMs;
    total -= bytes;
    removed.push({ what: 'rows', name: new Date(usedMs).toISOString().slice(0, 10), bytes, reason });
  };
  const dropResult = ({ key, blobs }: Result, reason: string): void => {
    keys.push(key);
    removed.push({ what: 'step', name: key, bytes: 0, reason });
    for (const digest of new Set(blobs.map((blob) => blob.digest))) {
      const left = names.get(digest)! - 1;
      names.set(digest, left);
      if (left === 0) drop(digest, reason);
    }
  };
  // Both lists begin with what was used longest ago.
  for (;;) {
    const result = results[0];
    const day = days[0];
    const oldest = Math.min(
      result?.usedMs ?? Number.POSITIVE_INFINITY,
      day?.usedMs ?? Number.POSITIVE_INFINITY,
    );
    const age = Math.floor((now - oldest) / dayMs);
    let reason: string;
    if (age >= maxAgeDays) reason = `not used for ${age} days`;
    else if (total > capBytes && oldest < Number.POSITIVE_INFINITY)
      reason = `used longest ago (${age} days); the store is larger than ${capBytes} bytes`;
    else break;
    if (day && oldest === day.usedMs) dropRows(days.shift()!, reason);
    else {
      const { blobs } = results.shift()!;
      // Nothing is won by forgetting a result whose blobs stay.
      if (!blobs.some(({ digest }) => sizes.has(digest)) || !blobs.every(({ digest }) => stays(digest)))
        dropResult(result!, reason);
    }
  }

  if (!dryRun) {
    await caches.steps.delete(keys);
    if (rowsBefore > 0) caches.rows.evict(rowsBefore);
    const deleted = new Set(
      await store.remove(gone, async () => {
        const named = new Set(await keep());
        for (const { blobs } of await resultsOf(caches)) for (const { digest } of blobs) named.add(digest);
        return named;
      }),
    );
    for (let index = removed.length - 1; index >= 0; index--) {
      const { what, name, bytes } = removed[index]!;
      if (what !== 'blob' || deleted.has(name as Digest)) continue;
      total += bytes;
      removed.splice(index, 1);
    }
    caches.shrink();
  }
  return { before, after: total, removed };
}
