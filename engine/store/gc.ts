import type { Digest } from '../digest.ts';
import { size } from '../size.ts';
import type { Caches } from './caches.ts';
import { type Inventory, type RunReferences, resultsOf, takeInventory } from './inventory.ts';
import type { RowGroup } from './row-cache.ts';
import type { Store } from './store.ts';

const dayMs = 24 * 3_600_000;

/** Something that gc removes. */
export interface GcItem {
  /** A step's result with its blobs, values of rows, answers of language models, or a blob that belongs to no result. */
  what: 'result' | 'rows' | 'answers' | 'blob';
  /** Key of the result, or digest of the blob; of rows, the step type; of answers, the model. */
  name: string;
  /** Bytes that this frees: a blob that several results share goes with the last of them. */
  bytes: number;
  /** Values of rows, answers, or blobs. */
  count: number;
  /** Step type; null for answers and blobs. */
  use: string | null;
  step: string | null;
  workflow: string | null;
  /** ISO 8601 times. */
  created: string | null;
  last_used: string;
  reason: string;
}

export interface GcResult {
  /** Bytes of blobs, entries of the index and values of rows. */
  before: number;
  after: number;
  /** Bytes of blobs that runs pin or running processes rely on. */
  kept: number;
  removed: GcItem[];
}

export interface GcOptions {
  store: Store;
  caches: Caches;
  references: RunReferences;
  capBytes: number;
  maxAgeDays?: number;
  /** Answers of language models go by their age, too. */
  answers?: boolean;
  /** Only says what would be removed. */
  dryRun?: boolean;
}

/** One thing that may go, with what goes with it. */
interface Candidate {
  item: Omit<GcItem, 'bytes' | 'reason' | 'count' | 'last_used' | 'created'> & { createdMs: number | null };
  usedMs: number;
  key?: Digest;
  entryBytes: number;
  blobs: Digest[];
  rows?: RowGroup;
  answers?: RowGroup;
}

/**
 * Removes blobs that nothing names, then results, row values and outputs of runs that were not used for `maxAgeDays`, and
 * then the least recently used ones until the store fits into `capBytes`. What runs pin, and what running processes rely
 * on, stays. Answers of language models are paid for: they go last, and by their age only if that is asked for.
 */
export async function collectGarbage(options: GcOptions): Promise<GcResult> {
  const { store, caches, references, capBytes, maxAgeDays = Number.POSITIVE_INFINITY } = options;
  const estimated = caches.size.get()?.held;
  const inventory = await takeInventory(store, caches, references);
  const maxAnswerAgeDays = options.answers ? maxAgeDays : Number.POSITIVE_INFINITY;
  const { removed, after } = choose(inventory, { capBytes, maxAgeDays, maxAnswerAgeDays });
  const result = (bytes: number): GcResult => ({
    before: inventory.bytes,
    after: bytes,
    kept: keptBytes(inventory),
    removed: removed.map(({ item }) => item),
  });
  if (options.dryRun) return result(after);

  await caches.steps.delete(removed.flatMap(({ key }) => key ?? []));
  caches.rows.evict(removed.flatMap(({ rows }) => rows ?? []));
  caches.answers.evict(removed.flatMap(({ answers }) => answers ?? []));
  const wanted = removed.flatMap(({ blobs }) => blobs);
  const deleted = new Set(
    await store.remove(wanted, async () => {
      // Asked when the blobs are out of the way: a run may have ended meanwhile.
      const named = new Set(references.pinned());
      for (const { blobs } of await resultsOf(caches)) for (const { digest } of blobs) named.add(digest);
      return named;
    }),
  );
  let left = after;
  for (const entry of removed) {
    for (const digest of entry.blobs) {
      if (deleted.has(digest)) continue;
      const { bytes } = inventory.blobs.get(digest)!;
      entry.item.bytes -= bytes;
      left += bytes;
    }
  }
  caches.shrink();
  caches.size.set(left, { before: estimated });
  return { ...result(left), removed: removed.flatMap(({ item }) => (item.bytes > 0 ? [item] : [])) };
}

interface Choice {
  item: GcItem;
  key?: Digest;
  rows?: RowGroup;
  answers?: RowGroup;
  blobs: Digest[];
}

/** What goes, in order, and the bytes that are left. */
function choose(
  inventory: Inventory,
  {
    capBytes,
    maxAgeDays,
    maxAnswerAgeDays,
  }: { capBytes: number; maxAgeDays: number; maxAnswerAgeDays: number },
): { removed: Choice[]; after: number } {
  const { blobs, results } = inventory;
  const now = Date.now();
  let total = inventory.bytes;
  const stays = (digest: Digest): boolean =>
    !blobs.has(digest) || inventory.pinned.has(digest) || inventory.inUse.has(digest);
  const names = new Map<Digest, number>();
  for (const result of results)
    for (const digest of distinct(result.blobs)) names.set(digest, (names.get(digest) ?? 0) + 1);
  const removed: Choice[] = [];

  const drop = (
    { item, usedMs, key, entryBytes, blobs: named, rows, answers }: Candidate,
    reason: string,
  ): void => {
    const free = named.filter((digest) => {
      const left = (names.get(digest) ?? 1) - 1;
      names.set(digest, left);
      return left === 0 && !stays(digest);
    });
    const bytes = entryBytes + free.reduce((sum, digest) => sum + blobs.get(digest)!.bytes, 0);
    total -= bytes;
    const { createdMs, ...said } = item;
    removed.push({
      item: {
        ...said,
        bytes,
        count: (rows ?? answers)?.rows ?? free.length,
        created: createdMs === null ? null : new Date(createdMs).toISOString(),
        last_used: new Date(usedMs).toISOString(),
        reason,
      },
      blobs: free,
      ...(key !== undefined && { key }),
      ...(rows !== undefined && { rows }),
      ...(answers !== undefined && { answers }),
    });
  };

  for (const candidate of candidatesOf(inventory)) {
    const { named, usedMs } = candidate;
    const age = (now - usedMs) / dayMs;
    if (!named) {
      if (!candidate.blobs.every(stays)) drop(candidate, 'no result and no run names it');
      continue;
    }
    if (age >= (candidate.answers ? maxAnswerAgeDays : maxAgeDays)) {
      if (candidate.rows || candidate.answers || candidate.key || !candidate.blobs.every(stays))
        drop(candidate, `not used for ${Math.floor(age)} days`);
    } else if (total > capBytes) {
      // Nothing is won by forgetting a result whose blobs stay.
      if (
        candidate.blobs.length === 0 ? !(candidate.rows ?? candidate.answers) : candidate.blobs.every(stays)
      )
        continue;
      drop(
        candidate,
        `used longest ago (${Math.floor(age)} days); the store is larger than ${size(capBytes)}`,
      );
    }
  }
  return { removed, after: total };
}

/** What nothing names first, then everything by the time of its last use, and answers behind all else. */
function candidatesOf({ results, rows, answers, loose }: Inventory): (Candidate & { named: boolean })[] {
  const nothing = { use: null, step: null, workflow: null, createdMs: null };
  const all: (Candidate & { named: boolean })[] = [
    ...results.map(({ key, use, step, workflow, usedMs, createdMs, entryBytes, blobs }) => ({
      item: { what: 'result' as const, name: key, use, step, workflow, createdMs },
      named: true,
      usedMs,
      key,
      entryBytes,
      blobs: distinct(blobs),
    })),
    ...rows.map((group) => ({
      item: { ...nothing, what: 'rows' as const, name: group.use, use: group.use },
      named: true,
      usedMs: group.usedMs,
      entryBytes: group.bytes,
      blobs: [],
      rows: group,
    })),
    ...answers.map((group) => ({
      item: { ...nothing, what: 'answers' as const, name: group.model },
      named: true,
      usedMs: group.usedMs,
      entryBytes: group.bytes,
      blobs: [],
      answers: group,
    })),
    ...loose.map(({ digest, run, usedMs, storedMs }) => ({
      item: { ...nothing, what: 'blob' as const, name: digest, createdMs: storedMs },
      named: run !== null,
      usedMs,
      entryBytes: 0,
      blobs: [digest],
    })),
  ];
  const rank = ({ named, answers: paid }: Candidate & { named: boolean }) => (paid ? 2 : Number(named));
  return all.sort((a, b) => rank(a) - rank(b) || a.usedMs - b.usedMs);
}

function distinct(blobs: readonly { digest: Digest }[]): Digest[] {
  return [...new Set(blobs.map(({ digest }) => digest))];
}

function keptBytes({ blobs, pinned, inUse }: Inventory): number {
  let kept = 0;
  for (const [digest, { bytes }] of blobs) if (pinned.has(digest) || inUse.has(digest)) kept += bytes;
  return kept;
}
