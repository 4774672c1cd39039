import { blobsOf } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import type { StepFailure } from '../events.ts';
import { explainChange, type Fingerprint } from '../fingerprint/fingerprint.ts';
import type { StepEntry } from '../store/step-index.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import type { PreparedStep } from './prepare.ts';

/** What the step cache says of a prepared step. */
export type Lookup =
  | { hit: true; entry: StepEntry }
  /**
   * `failed`: it would fail again, as it did under the same key. `before`: what its last result is filed under, where
   * the reason is what differs from that.
   */
  | { hit: false; reason: string; damaged: string | null; failed?: StepFailure; before?: Fingerprint };

export interface LookupOptions {
  /** Path of the workflow file: "last time" is the last success of the step of this name in it. */
  workflowPath: string;
  /** Steps that must run whatever the cache says. */
  forced: ReadonlySet<string>;
  /** Failures by key that need not be tried again. */
  failedBefore?: ReadonlyMap<Digest, StepFailure> | undefined;
}

const again = 'failed before with the same inputs; not tried again';

/** Looks steps up together: one query, and one stat for each blob that a hit stands on. */
export async function lookUp(
  prepared: readonly PreparedStep[],
  workspace: Workspace,
  { workflowPath, forced, failedBefore }: LookupOptions,
): Promise<Lookup[]> {
  const keys = prepared.flatMap(({ key }) => (key === null ? [] : [key]));
  const found = keys.length === 0 ? [] : await workspace.steps.getMany(keys);
  const entries = new Map(keys.map((key, index) => [key, found[index]]));
  const blobs = found.flatMap((entry) => (entry ? Object.values(entry.outputs).flatMap(blobsOf) : []));
  const bad = new Map(workspace.store.check(blobs).map(({ digest, state }) => [digest, state]));
  const misses: { index: number; prepared: PreparedStep }[] = [];
  const lookups = prepared.map((item, index): Lookup => {
    const { step, key } = item;
    if (forced.has(step.id)) return { hit: false, reason: 'forced', damaged: null };
    if (!step.cache) return { hit: false, reason: 'its cache is off', damaged: null };
    if (key === null) return { hit: false, reason: `not cached: ${item.uncached}`, damaged: null };
    const entry = entries.get(key);
    if (entry === undefined) {
      const failed = failedBefore?.get(key);
      if (failed) return { hit: false, reason: again, damaged: null, failed };
      misses.push({ index, prepared: item });
      return { hit: false, reason: 'new', damaged: null };
    }
    for (const [name, artefact] of Object.entries(entry.outputs)) {
      const blob = blobsOf(artefact).find(({ digest }) => bad.has(digest));
      if (blob === undefined) continue;
      const damaged = `its stored output "${name}" is ${bad.get(blob.digest)}`;
      return { hit: false, reason: damaged, damaged };
    }
    return { hit: true, entry };
  });
  const reasons = await reasonsFor(
    misses.map((miss) => miss.prepared),
    workspace,
    workflowPath,
  );
  misses.forEach(({ index }, position) => {
    lookups[index] = { hit: false, ...reasons[position]!, damaged: null };
  });
  return lookups;
}

/** Why steps that miss must run: what differs from their last success in this workflow. */
async function reasonsFor(
  misses: PreparedStep[],
  workspace: Workspace,
  workflowPath: string,
): Promise<{ reason: string; before?: Fingerprint }[]> {
  if (misses.length === 0) return [];
  const lastKeys = workspace.steps.getLast(
    workflowPath,
    misses.map(({ step }) => step.id),
  );
  const keys = lastKeys.filter((key) => key !== undefined);
  const entries = new Map(
    (keys.length > 0 ? await workspace.steps.getMany(keys) : []).map((entry, index) => [keys[index]!, entry]),
  );
  const modulesOf = (code: Digest) => workspace.code.modulesOf(code);
  return misses.map(({ fingerprint, key }, index) => {
    const before = lastKeys[index];
    if (before === undefined) return { reason: 'new' };
    if (before === key) return { reason: 'its result is no longer in the cache' };
    const entry = entries.get(before);
    if (entry === undefined) return { reason: 'changed (the result before is no longer in the cache)' };
    const last = entry.fingerprint as unknown as Fingerprint;
    return { reason: explainChange(last, fingerprint!, modulesOf).join(', ') || 'changed', before: last };
  });
}

/**
 * Why a step must run whatever its inputs come to, which are not known yet: it has no earlier result, or what has
 * changed in it beside the inputs. Empty if nothing has.
 *
 * @param prepare prepares it without its inputs; null where that cannot be done before they are known
 */
export async function reasonsBesideInputs(
  step: ResolvedStep,
  prepare: () => Promise<PreparedStep | null>,
  workspace: Workspace,
  workflowPath: string,
): Promise<string[]> {
  const [last] = workspace.steps.getLast(workflowPath, [step.id]);
  if (last === undefined) return ['new'];
  const [entry] = await workspace.steps.getMany([last]);
  if (entry === undefined) return ['its result is no longer in the cache'];
  const prepared = await prepare();
  if (prepared === null) return [];
  const { fingerprint, uncached } = prepared;
  if (fingerprint === null) return [`not cached: ${uncached}`];
  const before = entry.fingerprint as unknown as Fingerprint;
  return explainChange(before, { ...fingerprint, inputs: before.inputs }, (code) =>
    workspace.code.modulesOf(code),
  );
}
