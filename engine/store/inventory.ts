import { type Artefact, blobsOf } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Caches } from './caches.ts';
import type { RowGroup } from './row-cache.ts';
import type { Store } from './store.ts';

/** What the records of runs say of the store; `engine/record/references.ts` reads it. */
export interface RunReferences {
  /** Blobs that must stay: what runs need to be reproduced, and all outputs of runs that somebody pinned. */
  pinned(): ReadonlySet<Digest>;
  /** When each workflow, by path, was run last. */
  workflowUses(): ReadonlyMap<string, number>;
  /** Of blobs that no result names, those that runs name: the latest run of each. */
  namedBy(blobs: ReadonlySet<Digest>): ReadonlyMap<Digest, { run: string; usedMs: number }>;
}

/** A step's result in the index. */
export interface StoredResult {
  key: Digest;
  /** Step type. */
  use: string;
  /** Where it was computed first, or used last; null where nobody knows any more. */
  step: string | null;
  workflow: string | null;
  usedMs: number;
  createdMs: number;
  /** Bytes of its entry in the index. */
  entryBytes: number;
  blobs: { digest: Digest; kind: Artefact['kind'] }[];
}

/** A blob that no result names. */
export interface LooseBlob {
  digest: Digest;
  bytes: number;
  storedMs: number;
  /** The latest run that names it among its outputs (a step that is not cached, or had failed rows). */
  run: string | null;
  usedMs: number;
}

/** Everything in the store. */
export interface Inventory {
  results: StoredResult[];
  blobs: Map<Digest, { bytes: number; storedMs: number }>;
  /** Neither named by a result nor pinned. */
  loose: LooseBlob[];
  rows: (RowGroup & { use: string })[];
  /** Answers of language models, by model and hour of last use. */
  answers: (RowGroup & { model: string })[];
  pinned: ReadonlySet<Digest>;
  /** Blobs that running processes rely on. */
  inUse: ReadonlySet<Digest>;
  /** Of blobs, entries, row values and answers together. */
  bytes: number;
}

/** Results as the index has them, with the time of last use: a result that is the last of a step is as recent as its workflow. */
export async function resultsOf(
  caches: Caches,
  workflowUses: ReadonlyMap<string, number> = new Map(),
): Promise<StoredResult[]> {
  const last = new Map<Digest, { workflow: string; step: string; usedMs: number }>();
  for (const { workflow, step, key } of caches.steps.allLast()) {
    const usedMs = workflowUses.get(workflow) ?? 0;
    if (usedMs >= (last.get(key)?.usedMs ?? 0)) last.set(key, { workflow, step, usedMs });
  }
  const results: StoredResult[] = [];
  for await (const { key, entry, usedMs, bytes } of caches.steps.all()) {
    const by = entry.made_by ?? last.get(key);
    results.push({
      key,
      use: String(entry.fingerprint['step_type'] ?? 'unknown'),
      step: by?.step ?? null,
      workflow: by?.workflow ?? null,
      usedMs: Math.max(usedMs, last.get(key)?.usedMs ?? 0),
      createdMs: Date.parse(entry.created) || usedMs,
      entryBytes: bytes,
      blobs: Object.values(entry.outputs).flatMap((artefact) =>
        blobsOf(artefact).map(({ digest }) => ({ digest, kind: artefact.kind })),
      ),
    });
  }
  return results;
}

/** Walks the store: a stat for each blob, a read of the whole index. */
export async function takeInventory(
  store: Store,
  caches: Caches,
  references: RunReferences,
): Promise<Inventory> {
  // Uses before names: a process names its blobs before it lets go of them.
  const inUse = store.inUse();
  const pinned = references.pinned();
  const results = await resultsOf(caches, references.workflowUses());
  const named = new Set(results.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
  const blobs: Inventory['blobs'] = new Map();
  const unnamed = new Set<Digest>();
  let total = 0;
  for await (const { digest, bytes, mtimeMs } of store.blobs()) {
    blobs.set(digest, { bytes, storedMs: mtimeMs });
    total += bytes;
    if (!named.has(digest) && !pinned.has(digest)) unnamed.add(digest);
  }
  const runs = unnamed.size === 0 ? new Map() : references.namedBy(unnamed);
  const loose = [...unnamed].map((digest): LooseBlob => {
    const { bytes, storedMs } = blobs.get(digest)!;
    const run = runs.get(digest);
    return { digest, bytes, storedMs, run: run?.run ?? null, usedMs: Math.max(storedMs, run?.usedMs ?? 0) };
  });
  const rows = caches.rows.groups().map((group) => ({ ...group, use: typeOf(group.identity) }));
  const answers = caches.answers.groups().map((group) => ({ ...group, model: modelOf(group.identity) }));
  for (const { entryBytes } of results) total += entryBytes;
  for (const { bytes } of [...rows, ...answers]) total += bytes;
  return { results, blobs, loose, rows, answers, pinned, inUse, bytes: total };
}

/** The step type of a row cache's namespace. */
function typeOf(identity: string): string {
  return String(membersOf(identity)['type'] ?? 'unknown');
}

/** The model that answers are filed under: `openai/gpt-5-mini`. */
function modelOf(identity: string): string {
  const { provider = 'unknown', model } = membersOf(identity);
  return model ? `${provider}/${model}` : String(provider);
}

/** Of a damaged name of a namespace, nothing: what is filed under it is never found, and goes with time. */
function membersOf(identity: string): JsonObject {
  try {
    const value = JSON.parse(identity) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
