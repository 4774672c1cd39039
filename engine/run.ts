import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Artefact, blobsOf } from './artefacts.ts';
import { addAsked } from './asked.ts';
import { broadcaster } from './broadcaster.ts';
import type { Digest } from './digest.ts';
import type { RunListener, RunStatus, StepFailure } from './events.ts';
import { evict } from './evict.ts';
import { type ExecutionResult, execute } from './execute/execution.ts';
import type { HeldElsewhere } from './execute/gates.ts';
import type { PastProducts } from './execute/io.ts';
import type { WindDown } from './execute/wind-down.ts';
import { readEnvironment } from './record/environment.ts';
import { readGit } from './record/git.ts';
import { orWarn } from './record/or-warn.ts';
import { linkedSteps, linkOutputs } from './record/outputs-folder.ts';
import { pinFiles } from './record/pin-files.ts';
import { countSteps, noCost, type RunRecord, recordFormat, stepRecord } from './record/record.ts';
import { Redaction } from './record/redaction.ts';
import { RunFolder, thisProcess } from './record/run-folder.ts';
import { stepFilesOf } from './record/step-files.ts';
import { answersOf, modelsOf, packagesOf, takenFromPast } from './record/taken.ts';
import { checkSecrets, readSecrets } from './secrets.ts';
import { noteGrowth } from './store/bounds.ts';
import type { ResolvedWorkflow } from './workflow/resolved.ts';
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
  const { workflow, workspace, cacheSize, now } = options;
  const secrets = workflow.secrets && readSecrets(workflow, process.env);
  if (secrets) checkSecrets(workflow, secrets);
  const redaction = options.redaction ?? new Redaction(Object.values(secrets ?? {}));
  const started = now();
  const folder = RunFolder.create({
    runsFolder: options.runsFolder,
    workflow: workflow.name,
    now: new Date(started),
    redaction,
  });
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
  const git = readGit({
    root: workflow.root,
    files: filesUsed,
    digestOf: digestOfFile(workspace),
    redaction,
    cacheFolder: workspace.store.writable ? join(workspace.store.folder, 'cache') : null,
  });
  const base = await firstRecord(options, folder.id, { started, warnings });
  const ending = (status: RunStatus) => {
    const finished = now();
    return { status, finished: new Date(finished).toISOString(), duration_ms: finished - started };
  };
  try {
    folder.write(base, { durable: false });
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
        steps: linkedSteps(steps, outcomes),
        pathOf: (digest) => workspace.store.path(digest),
      }),
    );
  }
  await orWarn('the store could not be kept within its size', warn, async () => {
    // Who pressed Ctrl-C does not wait for that.
    if (result.status === 'interrupted') noteGrowth(workspace.store, workspace.caches);
    else if (cacheSize !== undefined)
      await evict(workspace, { runsFolder: options.runsFolder, cacheSize, now }, emit, warn);
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

/** The record as it stands while the run goes on. */
async function firstRecord(
  { workflow, workspace, command, cwd = workflow.root, engineVersion }: RunOptions,
  id: string,
  { started, warnings }: { started: number; warnings: string[] },
): Promise<RunRecord> {
  return {
    format: recordFormat,
    id,
    status: 'running',
    started: new Date(started).toISOString(),
    finished: null,
    duration_ms: null,
    process: thisProcess(),
    summary: { workflow: workflow.name, path: workflow.path, steps: countSteps([]), cost: noCost },
    pins: [],
    command: command,
    root: workflow.root,
    cwd: workspace.relative(cwd),
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
      engine: engineVersion,
      packages: {},
      digestOf: digestOfFile(workspace),
    }),
    models: [],
    files: [],
    steps: [],
    warnings,
  };
}

function digestOfFile({ files }: Workspace): (path: string) => Promise<Digest> {
  return async (path) => (await files.digestOf(path)).digest;
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
  folder.write(record, { durable: true });
}
