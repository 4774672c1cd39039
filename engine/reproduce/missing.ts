import { blobsOf } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import { ProblemError } from '../problems.ts';
import { answersOf, type RunRecord } from '../record/record.ts';
import { DamagedBlobError, type Store } from '../store/store.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import type { ReproduceOptions, RestoredProject } from './reproduce.ts';
import type { Missing } from './restore.ts';

/** Files that the workflow is made of and that could not be restored: those that it names by absolute paths. */
export function changedSources(record: RunRecord, workflow: ResolvedWorkflow): Missing[] {
  const recorded = new Set(record.workflow.sources.map(({ digest }) => digest));
  return workflow.sources
    .filter(({ digest }) => !recorded.has(digest))
    .map(({ path }) => ({
      what: path,
      why: 'it is not what it was, and is named by an absolute path',
      steps: [],
    }));
}

/** Models by path that are nowhere: the workflow could not be read without them. */
export function missingFolders(record: RunRecord, { modelSources }: RestoredProject): Missing[] {
  const resolvers = modelSources();
  const gone = record.models.filter(
    ({ name, digest }) => digest !== null && name.includes('/') && !resolvers.some(({ find }) => find(name)),
  );
  return missingModels(record, new Map(gone.map(({ name }) => [name, null])));
}

/** Models that the workflow names and that are nowhere. */
export function missingModels({ steps }: RunRecord, digests: ReadonlyMap<string, Digest | null>): Missing[] {
  return [...digests].flatMap(([name, digest]) => {
    if (digest !== null) return [];
    const users = steps.filter(({ fingerprint }) => fingerprint && Object.hasOwn(fingerprint.models, name));
    return [{ what: `the model ${name}`, why: 'it is not here', steps: users.map(({ id }) => id) }];
  });
}

/** Answers of language models that the record pins and that the store does not have as they were. */
export async function missingAnswers({ steps }: RunRecord, store: Store): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const step of steps) {
    const answers = answersOf(step);
    for (const { digest } of answers ? blobsOf(answers) : []) {
      const flaw = await flawOf(store, digest);
      if (flaw === null) continue;
      const why =
        flaw === 'changed' ? 'their bytes in the store were changed' : 'they are not in the store any more';
      const what = `the answers of ${step.asked?.models.map(({ alias }) => alias).join(', ') || 'its model'}`;
      missing.push({ what, why, steps: [step.id] });
    }
  }
  return missing;
}

/** What is wrong with a blob: all its bytes are read. */
async function flawOf(store: Store, digest: Digest): Promise<'missing' | 'changed' | null> {
  try {
    for await (const _ of store.stream(digest));
    return null;
  } catch (error) {
    if (error instanceof DamagedBlobError) return error.reason;
    throw error;
  }
}

/** Copies what steps read of earlier runs into the store of the reproduction. */
export async function takePastInputs(
  { record, workspace: own, productsOf }: ReproduceOptions,
  { store }: Workspace,
): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const { id, inputs } of record.steps) {
    for (const { run, step } of Object.values(inputs).flat()) {
      if (run === null) continue;
      const what = `${step} of run ${run}`;
      try {
        const products = productsOf(run, step);
        if (products === undefined) throw new Error('that step left no outputs');
        for (const output of Object.values(products.outputs))
          for (const { digest } of blobsOf(output)) await store.put(own.store.stream(digest));
      } catch (error) {
        if (!(error instanceof DamagedBlobError || error instanceof ProblemError || error instanceof Error))
          throw error;
        missing.push({ what, why: error.message, steps: [id] });
      }
    }
  }
  await store.sync();
  return missing;
}
