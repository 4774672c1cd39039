import { join } from 'node:path';
import { type Digest, digestOf } from '../digest.ts';
import type { RunListener } from '../events.ts';
import type { PastProducts } from '../execute/io.ts';
import { canonicalJson, type JsonObject } from '../json.ts';
import { readEnvironment } from '../record/environment.ts';
import { answersOf, type RunRecord, type StepRecord } from '../record/record.ts';
import type { ModelResolver } from '../registry.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import { compareMetrics, compareOutputs } from './compare.ts';
import { type Drift, measureDrift, type Similarity } from './drift.ts';
import { type EnvironmentDifference, environmentDifferences, type Surroundings } from './environment.ts';
import { changedSources, missingAnswers, missingFolders, missingModels, takePastInputs } from './missing.ts';
import { chooseModels } from './models.ts';
import { refuseEnvironment, refuseMissing, refuseUnfinished } from './refusals.ts';
import { relocated } from './relocate.ts';
import { runAgain } from './rerun.ts';
import { type Restored, restore } from './restore.ts';
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
  /** Language models are asked again: how far their answers drifted is measured with this. Not if not given. */
  similarity?: Similarity;
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
  /** Of steps that asked language models again; null where answers were taken from the record. */
  drift: Drift[] | null;
  /** The reproduction was ended by the user: what was not done is not comparable. */
  interrupted: boolean;
  duration_ms: number;
}

/**
 * Does a run again from its record and compares what came of it. Neither the project's step cache nor its row cache is
 * used, and nothing in the project is changed.
 *
 * ProblemError, and nothing was run: `cannot-be-restored` with all that is missing; `environment-differs` when strict.
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
      ...(options.similarity ? [] : await missingAnswers(record, own.store)),
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
    const drift = options.similarity
      ? await measureDrift(
          { record, store: own.store },
          { record: { id: record.id, steps }, store: workspace.store },
          options.similarity,
        )
      : null;
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
      drift,
      duration_ms: now() - started,
    };
  } finally {
    await workspace.close();
  }
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
      const found = typeof value === 'string' ? value : 'from' in value ? own.env[value.from] : undefined;
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
  { record, workspace: own, examples, similarity }: ReproduceOptions,
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
      asked: similarity !== undefined && answersOf(before) !== null,
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
