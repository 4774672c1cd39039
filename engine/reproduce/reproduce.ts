import { join } from 'node:path';
import { blobsOf } from '../artefacts.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { RunListener } from '../events.ts';
import type { PastProducts } from '../execute/io.ts';
import { canonicalJson, type JsonObject } from '../json.ts';
import { ProblemError } from '../problems.ts';
import { readEnvironment } from '../record/environment.ts';
import type { RunRecord, StepRecord } from '../record/record.ts';
import type { ModelResolver } from '../registry.ts';
import { DamagedBlobError } from '../store/store.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import { compareMetrics, compareOutputs } from './compare.ts';
import { type EnvironmentDifference, environmentDifferences, type Surroundings } from './environment.ts';
import { chooseModels } from './models.ts';
import { relocated } from './relocate.ts';
import { runAgain } from './rerun.ts';
import { type Missing, type Restored, restore } from './restore.ts';
import type { Sandbox } from './sandbox.ts';
import { judge, type StepPair, type Verdict } from './verdict.ts';

/** The restored project, opened with a store of its own that knows nothing. */
export interface RestoredProject {
  workspace: Workspace;
  /** Reads the workflow with these params, in the folder of the recorded call. */
  compile(file: string, params: JsonObject): Promise<ResolvedWorkflow>;
  /** Where models may be found, by preference; asked when the workflow was read, whose aliases count. */
  modelSources(): readonly ModelResolver[];
}

export interface ReproduceOptions {
  record: RunRecord;
  /** Names of the params that the recorded call gave. */
  given: readonly string[];
  /** The project that the run is in: it is only read. */
  workspace: Workspace;
  /** Steps of earlier runs, by the id of the run and of the step. */
  productsOf(run: string, step: string): PastProducts | undefined;
  sandbox: Sandbox;
  open(restored: Restored, storeFolder: string): RestoredProject;
  engineVersion: string;
  /** Refuses to run when anything around it differs. */
  strict: boolean;
  jobs?: number;
  /** Rows that are given whole where a table differs. */
  examples?: number;
  signal: AbortSignal;
  listeners: readonly RunListener[];
  now(): number;
  /** Told before anything runs. */
  onReady(ready: Ready): void;
}

/** What is known before anything runs. */
export interface Ready {
  restored: Pick<Restored, 'commit' | 'patch' | 'files' | 'notes'>;
  environment: EnvironmentDifference[];
}

export interface Reproduction extends Ready, Verdict {
  run: string;
  workflow: string;
  /** Version of the engine that did it. */
  engine: string;
  /** The reproduction was ended by the user: what was not done is not comparable. */
  interrupted: boolean;
  duration_ms: number;
}

/**
 * Does a run again from its record and compares what came of it. Neither the project's step cache nor its row cache is
 * used, and nothing in the project is changed.
 *
 * ProblemError, and nothing was run: `cannot-be-restored` with all that is missing; `environment-differs` when strict.
 *
 * Answers of hosted models will be taken from the record here, in `open`: a run has none yet.
 */
export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  const { record, workspace: own, sandbox, now } = options;
  const started = now();
  refuseUnfinished(record);
  const restored = await restore(record, own, sandbox);
  refuseMissing(restored.missing, record);
  const project = options.open(restored, sandbox.file('store'));
  const { workspace } = project;
  try {
    refuseMissing(missingFolders(record, project), record);
    const workflow = relocated(await compiled(options, project), restored.tree, record.root ?? own.root);
    const { models, digests } = await chooseModels(record, project.modelSources(), workspace.files);
    workspace.models = models;
    const missing = [
      ...changedSources(record, workflow),
      ...missingModels(record, digests),
      ...(await takePastInputs(options, workspace)),
    ];
    refuseMissing(missing, record);
    const environment = environmentDifferences(
      record,
      await surroundings(options, workspace, workflow, digests),
    );
    const ready: Ready = {
      restored: {
        commit: restored.commit,
        patch: restored.patch,
        files: restored.files,
        notes: restored.notes,
      },
      environment,
    };
    options.onReady(ready);
    if (options.strict && environment.length > 0) refuseEnvironment(environment);
    const { steps, interrupted } = await runAgain(options, workspace, workflow);
    const pairs = await pairsOf(options, workspace, workflow, steps, restored);
    const verdict = judge(
      pairs,
      environment,
      (code) => workspace.code.modulesOf(code) ?? own.code.modulesOf(code),
    );
    return {
      run: record.id,
      workflow: record.workflow.name,
      engine: options.engineVersion,
      interrupted,
      ...ready,
      ...verdict,
      duration_ms: now() - started,
    };
  } finally {
    await workspace.close();
  }
}

function refuseUnfinished({ id, status, steps }: RunRecord): void {
  if (status === 'running')
    throw ProblemError.of('run-is-running', `${id} is still running`, { hint: 'wait for its end' });
  const done = steps.some((step) => ['ran', 'cached', 'failed'].includes(step.status));
  if (done) return;
  throw ProblemError.of('nothing-to-compare', `${id} did no step: there is nothing to compare with`, {
    hint:
      steps.length === 0
        ? 'it was killed before its record was written, or failed as it started'
        : 'see: reprise runs show',
  });
}

function refuseMissing(missing: readonly Missing[], { id }: RunRecord): void {
  if (missing.length === 0) return;
  throw new ProblemError(
    missing.map(({ what, why, steps }) => ({
      code: 'cannot-be-restored',
      severity: 'error',
      message: `${id} cannot be done again without ${what}: ${why}${steps.length > 0 ? ` (needed by ${steps.join(', ')})` : ''}`,
      hint: 'bring it back as it was; nothing was run',
    })),
  );
}

function refuseEnvironment(environment: readonly EnvironmentDifference[]): never {
  throw new ProblemError(
    environment.map(({ what, recorded, now }) => ({
      code: 'environment-differs',
      severity: 'error',
      message: `${what} is not as it was: ${recorded ?? 'none'} → ${now ?? 'none'}`,
      hint: 'without --strict it is reproduced all the same, and the verdict says what this changes; nothing was run',
    })),
  );
}

/**
 * The workflow as the recorded call made it. Params that the call gave are given again; whatever else comes out otherwise
 * than the record says (a profile, a changed record) is given as well: the record wins.
 */
async function compiled(
  { record, given }: ReproduceOptions,
  { compile }: RestoredProject,
): Promise<ResolvedWorkflow> {
  const pick = (names: Iterable<string>): JsonObject =>
    Object.fromEntries(
      [...names].flatMap((name) =>
        Object.hasOwn(record.params, name) ? [[name, record.params[name]!]] : [],
      ),
    );
  let workflow = await compile(record.workflow.path, pick(given));
  const others = Object.keys(record.params).filter(
    (name) => canonicalJson(workflow.params[name] ?? null) !== canonicalJson(record.params[name]!),
  );
  if (others.length > 0) workflow = await compile(record.workflow.path, pick(new Set([...given, ...others])));
  return { ...workflow, seed: record.seed };
}

/** Files that the workflow is made of and that could not be restored: those that it names by absolute paths. */
function changedSources(record: RunRecord, workflow: ResolvedWorkflow): Missing[] {
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
function missingFolders(record: RunRecord, { modelSources }: RestoredProject): Missing[] {
  const resolvers = modelSources();
  const gone = record.models.filter(
    ({ name, digest }) => digest !== null && name.includes('/') && !resolvers.some(({ find }) => find(name)),
  );
  return missingModels(record, new Map(gone.map(({ name }) => [name, null])));
}

function missingModels({ steps }: RunRecord, digests: ReadonlyMap<string, Digest | null>): Missing[] {
  return [...digests].flatMap(([name, digest]) => {
    if (digest !== null) return [];
    const users = steps.filter(({ fingerprint }) => fingerprint && Object.hasOwn(fingerprint.models, name));
    return [{ what: `the model ${name}`, why: 'it is not here', steps: users.map(({ id }) => id) }];
  });
}

/** Copies what steps read of earlier runs into the store of the reproduction. */
async function takePastInputs(
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

async function surroundings(
  { record, workspace: own, engineVersion }: ReproduceOptions,
  { registry, code: digests }: Workspace,
  workflow: ResolvedWorkflow,
  models: ReadonlyMap<string, Digest | null>,
): Promise<Surroundings> {
  const code = new Map<string, { digest: Digest; packages: Record<string, string> }>();
  const env: Record<string, Digest> = {};
  for (const step of workflow.steps) {
    for (const [name, value] of Object.entries(step.env)) {
      const found = typeof value === 'string' ? value : 'from' in value ? process.env[value.from] : undefined;
      if (found !== undefined) env[name] = digestOf(found);
      else if (typeof value !== 'string' && 'template' in value) {
        // Made of secrets: what came of it is in the fingerprint of the step that runs, and compared there.
        const same = record.steps.find(({ id }) => id === step.id)?.fingerprint?.env[name];
        if (same !== undefined) env[name] = same as Digest;
      }
    }
    const source = registry.find(step.use);
    const found =
      source && digests.of(source.module, registry.names.includes(step.use) ? step.use : undefined);
    if (found && 'digest' in found) code.set(step.use, found);
  }
  const environment = await readEnvironment({
    root: own.root,
    engine: engineVersion,
    packages: {},
    digestOf: async (path) => (await own.files.digestOf(path)).digest,
  });
  return { environment, code, models, env };
}

async function pairsOf(
  { record, workspace: own, examples }: ReproduceOptions,
  { store }: Workspace,
  workflow: ResolvedWorkflow,
  steps: readonly StepRecord[],
  { root }: Restored,
): Promise<StepPair[]> {
  const [old, now] = [
    { record, store: own.store },
    { record: { id: record.id, steps: [...steps] }, store },
  ];
  const pairs: StepPair[] = [];
  for (const before of record.steps) {
    const after = steps.find(({ id }) => id === before.id);
    const done = (step: StepRecord | undefined) => step?.status === 'ran' || step?.status === 'cached';
    const both = done(before) && done(after);
    pairs.push({
      old: before,
      now: after && withoutSandbox(after, root, record.root ?? own.root),
      outputs: both ? await compareOutputs(before.id, old, now, examples) : [],
      metrics: both ? compareMetrics(before.metrics, after!.metrics) : [],
      volatile: workflow.steps.find(({ base }) => base === before.base)?.cache === false,
    });
  }
  return pairs;
}

/** Messages of failures may name files: those of the sandbox mean those of the project. */
function withoutSandbox(step: StepRecord, root: string, oldRoot: string): StepRecord {
  if (step.error === null) return step;
  const message = step.error.message.replaceAll(join(root), join(oldRoot));
  return { ...step, error: { ...step.error, message } };
}
