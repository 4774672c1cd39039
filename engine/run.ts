import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Artefact, blobsOf } from './artefacts.ts';
import { type Asked, addAsked } from './asked.ts';
import type { Digest } from './digest.ts';
import type { RunEvent, RunListener, RunStatus, StepFailure, StepOutcome } from './events.ts';
import { type ExecutionResult, execute } from './execute/execution.ts';
import type { HeldElsewhere } from './execute/gates.ts';
import type { PastProducts } from './execute/io.ts';
import type { PreparedStep } from './execute/prepare.ts';
import type { WindDown } from './execute/wind-down.ts';
import { StepError } from './problems.ts';
import { readEnvironment } from './record/environment.ts';
import { readGit } from './record/git.ts';
import { orWarn } from './record/or-warn.ts';
import { linkOutputs, pruneOutputs } from './record/outputs-folder.ts';
import { pinFiles } from './record/pin-files.ts';
import {
  countSteps,
  type ModelRecord,
  noCost,
  type RunRecord,
  recordFormat,
  stepRecord,
} from './record/record.ts';
import { Redaction } from './record/redaction.ts';
import { RunFolder, thisProcess } from './record/run-folder.ts';
import { stepFilesOf } from './record/step-files.ts';
import { checkSecrets, readSecrets } from './secrets.ts';
import { size } from './size.ts';
import { keepInBounds, noteGrowth } from './store/bounds.ts';
import { storeFailure } from './store/failures.ts';
import type { ResolvedStep, ResolvedWorkflow } from './workflow/resolved.ts';
import type { Workspace } from './workspace.ts';

export interface RunOptions {
  workflow: ResolvedWorkflow;
  workspace: Workspace;
  /** Absolute path of `runs/`. */
  runsFolder: string;
  /** The command as it was called, for the record. */
  command: string[];
  /** The folder that the command was called in: absolute. The root if it is not given. */
  cwd?: string;
  engineVersion: string;
  only?: ReadonlySet<string>;
  forced?: ReadonlySet<string>;
  /** Failures by key that are not tried again; what does not hang on them goes on. */
  failedBefore?: ReadonlyMap<Digest, StepFailure>;
  keepGoing?: boolean;
  jobs?: number;
  /** Bytes that the store may grow to: at the end, what was used least recently goes. Without it nothing does. */
  cacheSize?: number;
  signal: AbortSignal;
  /** Ends the run as well, but lets steps go on. */
  windDown?: WindDown;
  /** What others hold of the workflow's pools. */
  held?: HeldElsewhere;
  /** Secrets that the run may come across: they stand in nothing that it writes or tells of. */
  redaction?: Redaction;
  /** Reporters. One that throws is told of no more events, and the run goes on. */
  listeners: readonly RunListener[];
  now(): number;
  /** What steps of earlier runs left, for `from: run:<run>/…`. */
  productsOfRun(run: string, step: string): PastProducts | undefined;
  /** The blob of a step's outputs that the caller reads when the run is over, such as a page; null for most steps. */
  readAfterwards?(outputs: { readonly [name: string]: Artefact }): Digest | null;
}

/** A finished run: its record, as run.json has it, and its folder. */
export interface FinishedRun {
  record: RunRecord;
  folder: string;
}

/** Runs a workflow and records it: what every `reprise run` does. A run with nothing to do is a run too. */
export async function runWorkflow(options: RunOptions): Promise<FinishedRun> {
  const { workflow, workspace, now } = options;
  const secrets = workflow.secrets && readSecrets(workflow, process.env);
  if (secrets) checkSecrets(workflow, secrets);
  const redaction = options.redaction ?? new Redaction(Object.values(secrets ?? {}));
  const started = now();
  const folder = createFolder(options, started);
  const warnings: string[] = [];
  const noteWarning: RunListener = (event) => {
    if (event.type === 'run-warning') warnings.push(event.message);
  };
  const tell = broadcaster([noteWarning, (event) => folder.events.append(event), ...options.listeners]);
  const emit: RunListener = (event) => tell(redaction.json(event));
  const warn = (message: string) => emit({ type: 'run-warning', time: now(), message });
  let tellFiles: (files: string[]) => void = () => {};
  const filesUsed = new Promise<string[]>((resolve) => {
    tellFiles = resolve;
  });
  const digestOfFile = async (path: string) => (await workspace.files.digestOf(path)).digest;
  const git = readGit({
    root: workflow.root,
    files: filesUsed,
    digestOf: digestOfFile,
    redaction,
    cacheFolder: workspace.store.writable ? join(workspace.store.folder, 'cache') : null,
  });
  const base: RunRecord = {
    format: recordFormat,
    id: folder.id,
    status: 'running',
    started: new Date(started).toISOString(),
    finished: null,
    duration_ms: null,
    process: thisProcess(),
    summary: { workflow: workflow.name, path: workflow.path, steps: countSteps([]), cost: noCost },
    pins: [],
    command: options.command,
    root: workflow.root,
    cwd: workspace.relative(options.cwd ?? workflow.root),
    workflow: {
      name: workflow.name,
      description: workflow.description,
      path: workflow.path,
      digest: workflow.sources[0]!.digest,
      sources: workflow.sources,
    },
    params: workflow.params,
    ...(workflow.profiles && { profiles: workflow.profiles }),
    seed: workflow.seed,
    git: null,
    environment: await readEnvironment({
      root: workflow.root,
      engine: options.engineVersion,
      packages: {},
      digestOf: digestOfFile,
    }),
    models: [],
    files: [],
    steps: [],
    warnings,
  };
  const ending = (status: RunStatus) => {
    const finished = now();
    return { status, finished: new Date(finished).toISOString(), duration_ms: finished - started };
  };
  try {
    writeRecord(folder, base, { durable: false });
  } catch (error) {
    rmSync(folder.path, { recursive: true, force: true });
    throw error;
  }
  emit({
    type: 'run-started',
    time: now(),
    run: folder.id,
    workflow: workflow.name,
    steps: workflow.steps.map(({ id, use, needs }) => ({ id, use, needs })),
  });
  for (const { message } of workflow.warnings) warn(message);
  if (workspace.store.writable && !workspace.caches.writable)
    warn(
      `the cache in ${workspace.store.folder} cannot be written: the next run will compute everything again`,
    );
  let result: ExecutionResult;
  try {
    workspace.store.hold();
    result = await execute({ ...options, redaction, ...(secrets && { secrets }), listener: emit });
  } catch (error) {
    tellFiles([]);
    await git;
    finish(folder, { ...base, ...ending('failed') }, emit, warn);
    throw error;
  }
  const { prepared, outcomes } = result;
  const stepFiles = await stepFilesOf(workflow, workspace);
  const pinned = await pinFiles(prepared, stepFiles, workspace, redaction, warn);
  tellFiles([...workflow.sources.map(({ path }) => path), ...pinned.paths]);
  const state = await git;
  for (const message of state.warnings) warn(message);
  const pins = new Set<Digest>(pinned.files.flatMap((file) => (file.pinned ? [file.digest] : [])));
  const { patch } = state;
  if (patch !== null && workspace.store.writable)
    await orWarn('the patch of what was not committed could not be kept', warn, async () => {
      const { digest } = await workspace.store.put(patch);
      await workspace.store.sync();
      pins.add(digest);
    });
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const readOf = (step: string, run: string | null) => {
    const outcome = byId.get(step);
    return run === null ? outcome && { run, ...outcome } : options.productsOfRun(run, step);
  };
  const { steps } = result;
  const asked = addAsked(outcomes.flatMap((outcome) => outcome.asked ?? []));
  for (const { alias, asked: name, unpriced } of asked.models)
    if (unpriced > 0)
      warn(`no price is known for ${alias} (${name}): ${unpriced} of its answers are not in the cost`);
  for (const artefact of [...takenFromPast(steps, options.productsOfRun), ...answersOf(steps, byId)])
    for (const { digest } of blobsOf(artefact)) pins.add(digest);
  if (workspace.store.writable) {
    await orWarn('the links to the outputs could not be made', warn, () =>
      linkOutputs({
        storeFolder: workspace.store.folder,
        runFolder: folder.path,
        draft: workspace.store.temporaryPath(),
        steps: linked(steps, outcomes),
        pathOf: (digest) => workspace.store.path(digest),
      }),
    );
  }
  await orWarn('the store could not be kept within its size', warn, async () => {
    // Who pressed Ctrl-C does not wait for that.
    if (result.status === 'interrupted') noteGrowth(workspace.store, workspace.caches);
    else await evict(options, emit, warn);
  });
  // Who gets the record writes pages of it.
  const record = redaction.json({
    ...base,
    ...ending(result.status),
    summary: { ...base.summary, steps: countSteps(outcomes), cost: asked.cost },
    pins: [...pins].sort(),
    workflow: { ...base.workflow, sources: [...workflow.sources, ...stepFiles] },
    git: state.git,
    environment: { ...base.environment, packages: packagesOf(prepared) },
    models: modelsOf(prepared, asked),
    files: pinned.files,
    steps: steps.map((step) => stepRecord(step, byId.get(step.id)!, prepared.get(step.id), readOf)),
  });
  finish(folder, record, emit, warn);
  return { record, folder: folder.path };
}

/** The answers of language models that steps were made from, cached steps included: another asking may get others. */
function answersOf(steps: readonly ResolvedStep[], outcomes: ReadonlyMap<string, StepOutcome>): Artefact[] {
  return steps.flatMap(({ id, languageModels }) => {
    const answers = languageModels && outcomes.get(id)?.outputs['answers'];
    return answers ? [answers] : [];
  });
}

/** Brings the store under its cap, while the run still holds what it needs. */
async function evict(
  { workspace, runsFolder, cacheSize, now }: RunOptions,
  emit: RunListener,
  warn: (message: string) => void,
): Promise<void> {
  if (cacheSize === undefined) return;
  const { store, caches } = workspace;
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

/** Writes the last events and the record. */
function finish(
  folder: RunFolder,
  record: RunRecord & { status: RunStatus },
  emit: RunListener,
  warn: (message: string) => void,
): void {
  const { status, duration_ms, finished } = record;
  emit({ type: 'run-finished', time: Date.parse(finished!), status, duration_ms: duration_ms! });
  folder.events.close();
  if (folder.events.failure !== null) warn(folder.events.failure);
  writeRecord(folder, record, { durable: true });
}

/** The record holds what the run came to: a run whose record cannot be written has failed, and says why. */
function writeRecord(folder: RunFolder, record: RunRecord, options: { durable: boolean }): void {
  try {
    folder.write(record, options);
  } catch (error) {
    throw runsFailure(error, folder.path);
  }
}

function createFolder(
  { runsFolder, workflow, redaction = new Redaction() }: RunOptions,
  started: number,
): RunFolder {
  try {
    return RunFolder.create({ runsFolder, workflow: workflow.name, now: new Date(started), redaction });
  } catch (error) {
    throw runsFailure(error, runsFolder);
  }
}

/** A record or its folder cannot be written: nothing that another store could help. */
function runsFailure(error: unknown, folder: string): unknown {
  const failure = storeFailure(error, folder);
  if (!(failure instanceof StepError)) return failure;
  const hint =
    failure.code === 'disk-full'
      ? 'free some space, with `reprise cache gc` for one, and run again: what is done stays done'
      : 'every run writes its record there: make the folder writable for this user';
  return new StepError(failure.code, failure.message, hint);
}

/** Tells every listener; one that throws is dropped, since no reporter may fail a run. */
function broadcaster(listeners: RunListener[]): RunListener {
  const live = new Set(listeners);
  const tell = (event: RunEvent) => {
    for (const listener of live) {
      try {
        listener(event);
      } catch (error) {
        live.delete(listener);
        const message = `a reporter failed and is told no more: ${(error as Error).message}`;
        tell({ type: 'run-warning', time: event.time, message });
      }
    }
  };
  return tell;
}

/** What steps read of earlier runs: without it the run cannot be done again. */
function takenFromPast(
  steps: readonly ResolvedStep[],
  productsOfRun: RunOptions['productsOfRun'],
): readonly Artefact[] {
  return steps.flatMap(({ inputs, takesSteps }) =>
    Object.values(inputs).flatMap(({ run, parts, output }) =>
      parts.flatMap(({ step }) => {
        const outputs = run === null ? undefined : productsOfRun(run, step)?.outputs;
        if (outputs === undefined) return [];
        if (takesSteps) return Object.values(outputs);
        return outputs[output === '' ? Object.keys(outputs)[0]! : output] ?? [];
      }),
    ),
  );
}

/** Above so many steps nobody opens all outputs, and making their links would take longer than the run. */
const linkedSteps = 200;

/** The steps whose outputs `runs/<id>/outputs` holds: all, or of a big workflow those that no other step reads. */
function linked(steps: readonly ResolvedStep[], outcomes: readonly StepOutcome[]): readonly StepOutcome[] {
  if (outcomes.length <= linkedSteps) return outcomes;
  const read = new Set(steps.flatMap(({ needs }) => needs));
  return outcomes.filter(({ id }) => !read.has(id));
}

function packagesOf(prepared: ReadonlyMap<string, PreparedStep>): Record<string, string> {
  const packages: Record<string, string> = {};
  for (const { fingerprint } of prepared.values()) Object.assign(packages, fingerprint?.packages);
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function modelsOf(prepared: ReadonlyMap<string, PreparedStep>, asked: Asked): ModelRecord[] {
  const models = new Map<string, ModelRecord>();
  for (const { alias, asked: name, served } of asked.models)
    models.set(alias, { name: alias, asked: name, served, digest: null });
  for (const step of prepared.values()) {
    for (const { name, digest } of step.models.values())
      models.set(name, { name, asked: null, served: [], digest });
  }
  return [...models.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
