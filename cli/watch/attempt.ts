import { dirname, resolve } from 'node:path';
import type { Digest } from '../../engine/digest.ts';
import type { StepFailure } from '../../engine/events.ts';
import { failureOf } from '../../engine/execute/failure.ts';
import type { HeldElsewhere } from '../../engine/execute/gates.ts';
import type { WindDown } from '../../engine/execute/wind-down.ts';
import { type PlannedStep, planWorkflow } from '../../engine/plan.ts';
import { type Problem, ProblemError } from '../../engine/problems.ts';
import { findProject, projectFile } from '../../engine/project.ts';
import type { StepRegistry } from '../../engine/registry.ts';
import type { AttemptEnd, AttemptNews, AttemptRequest } from '../../engine/watch/attempt.ts';
import type { KnownFailure } from '../../engine/watch/machine.ts';
import { codeOf, inputsOf, type WatchSet } from '../../engine/watch/watch-set.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import type { Workspace } from '../../engine/workspace.ts';
import type { Cli } from '../command.ts';
import { writePages } from '../page/write-pages.ts';
import { checkPastInputs, pastProducts } from '../past-runs.ts';
import { type OpenProject, openModels, readWorkflowFile, withProject } from '../project.ts';
import { chosenSteps, type RunChoice, runInProject } from '../run-in-project.ts';

/** What was said on the command line of `watch`: the same for every attempt. */
export interface WatchCall extends RunChoice {
  /** As typed. */
  file: string;
  params: string[];
  profiles: string[];
}

/** How an attempt and who asked for it speak with each other meanwhile. */
export interface AttemptLine {
  tell(news: AttemptNews): void;
  /** Told what is run. */
  onWorkflow(workflow: ResolvedWorkflow): void;
  windDown: WindDown;
  /** What others hold of the pools. */
  held: HeldElsewhere;
}

const nothing: AttemptEnd = {
  outcome: 'interrupted',
  failures: [],
  folder: null,
  pages: [],
  workflow: null,
  error: null,
};

/** compile → plan → run, once. Never rejects; what it comes to is what it gives. */
export async function attempt(
  call: WatchCall,
  request: AttemptRequest,
  cli: Cli,
  line: AttemptLine,
): Promise<AttemptEnd> {
  const { tell } = line;
  const file = resolve(cli.cwd, call.file);
  const found = new Found(file);
  try {
    return await withProject(cli, dirname(file), async (project) => {
      const { workspace } = project;
      found.own = { files: [], folders: [project.runsFolder, workspace.store.folder] };
      let workflow: ResolvedWorkflow;
      try {
        const registry = { ...workspace.registry, find: found.hearing(workspace) };
        workflow = await readWorkflowFile(call.file, call.params, project, cli, call.profiles, {
          registry,
          onFile: found.onFile,
        });
        await checkPastInputs(workflow, project);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        found.blame(error.problems, cli.cwd);
        tell({ type: 'reads', set: found.set, complete: false });
        tell({ type: 'problems', problems: error.problems, lastGood: request.lastGood !== null });
        if (request.lastGood === null) return { ...nothing, outcome: 'refused' };
        workflow = request.lastGood;
        await openModels(workflow, project);
        return await planAndRun(call, request, workflow, project, cli, line);
      }
      found.read(workflow, project);
      tell({ type: 'reads', set: found.set, complete: true });
      return await planAndRun(call, request, workflow, project, cli, line);
    });
  } catch (error) {
    if (cli.signal.aborted) return nothing;
    if (error instanceof ProblemError) {
      found.blame(error.problems, cli.cwd);
      tell({ type: 'reads', set: found.set, complete: false });
      tell({ type: 'problems', problems: error.problems, lastGood: false });
      return { ...nothing, outcome: 'refused' };
    }
    const { message, hint } = failureOf(error);
    return { ...nothing, outcome: 'crashed', error: { message, hint } };
  }
}

async function planAndRun(
  call: WatchCall,
  { wish, cause, failures }: AttemptRequest,
  workflow: ResolvedWorkflow,
  project: OpenProject,
  cli: Cli,
  { tell, onWorkflow, windDown, held }: AttemptLine,
): Promise<AttemptEnd> {
  onWorkflow(workflow);
  const failedBefore = new Map<Digest, StepFailure>(failures.map(({ key, failure }) => [key, failure]));
  if (wish === 'plan' || cause === 'saved') {
    const only = chosenSteps(workflow, call.only);
    const keys: Digest[] = [];
    const steps = await planWorkflow({
      workflow,
      workspace: project.workspace,
      ...(only && { only }),
      failedBefore,
      productsOfRun: pastProducts(project),
      onLookup({ key }) {
        if (key !== null) keys.push(key);
      },
    });
    tell({ type: 'planned', steps, keys });
    if (wish === 'plan') return { ...nothing, outcome: 'planned' };
    if (!hasWork(steps, failures)) return { ...nothing, outcome: 'unchanged', workflow };
  }
  if (cli.signal.aborted) return nothing;
  const { record, folder } = await runInProject(workflow, project, cli, call, {
    forced: new Set(wish === 'force' ? workflow.steps.map(({ id }) => id) : []),
    failedBefore,
    listeners: [(event) => tell({ type: 'event', event })],
    windDown,
    held,
  });
  const end: AttemptEnd = {
    outcome: record.status as AttemptEnd['outcome'],
    failures: record.steps.flatMap(({ id, key, status, error }): KnownFailure[] =>
      status === 'failed' && key !== null && error ? [{ step: id, key, failure: error }] : [],
    ),
    folder,
    pages: [],
    workflow,
    error: null,
  };
  try {
    end.pages = await writePages(record, folder, project);
  } catch (error) {
    const { message, hint } = failureOf(error);
    end.error = { message: `the report could not be written: ${message}`, hint };
  }
  // One that was stopped has not come to its end: the next one has.
  if (workflow.on_finish !== undefined && record.status !== 'interrupted') {
    const { runHooks } = await import('../finish-hooks.ts');
    await runHooks({ workflow, record, folder, watch: true, signal: cli.signal }, cli);
  }
  return end;
}

/** Whether a run would do anything but repeat failures that are known. */
function hasWork(steps: readonly PlannedStep[], failures: readonly KnownFailure[]): boolean {
  const known = new Set(failures.map(({ step }) => step));
  return steps.some(
    ({ id, state }) => state === 'run' || state === 'unknown' || (state === 'failed' && !known.has(id)),
  );
}

/** Gathers what an attempt reads, as far as it comes. */
class Found {
  own: WatchSet['own'] = { files: [], folders: [] };
  readonly #root: string;
  readonly #unkeyed: string[];
  readonly #sources: Set<string>;
  #inputs: WatchSet['inputs'] = [];
  #needs: WatchSet['needs'] = {};

  constructor(file: string) {
    this.#root = findProject(dirname(file)).root;
    this.#unkeyed = [resolve(this.#root, projectFile), resolve(this.#root, '.env')];
    this.#sources = new Set([file, ...this.#unkeyed]);
  }

  get set(): WatchSet {
    return {
      root: this.#root,
      sources: [...this.#sources],
      unkeyed: this.#unkeyed,
      inputs: this.#inputs,
      own: this.own,
      needs: this.#needs,
    };
  }

  /** What a workflow without problems reads. */
  read(workflow: ResolvedWorkflow, { workspace }: OpenProject): void {
    for (const { path } of workflow.sources) this.#sources.add(resolve(workflow.root, path));
    this.#inputs = inputsOf(workflow, workspace);
    this.#needs = Object.fromEntries(workflow.steps.map(({ id, needs }) => [id, needs]));
    const written = workflow.steps.flatMap(({ outputFiles }) => outputFiles);
    this.own = { ...this.own, files: written.map(({ path }) => resolve(workflow.root, path)) };
  }

  readonly onFile = (path: string): void => {
    this.#sources.add(path);
  };

  /** Files in which problems are: who mends them saves one of these. */
  blame(problems: readonly Problem[], cwd: string): void {
    for (const { place, trail = [] } of problems)
      for (const file of [place, ...trail.map((step) => step.place)].flatMap((at) => (at ? [at.file] : [])))
        this.#sources.add(resolve(cwd, file));
  }

  /** A registry's `find` that notes the step files it is asked for, there or not: what is wrong may be wrong in them. */
  hearing(workspace: Workspace): StepRegistry['find'] {
    const { registry } = workspace;
    return (use) => {
      const source = registry.find(use);
      if (registry.names.includes(use)) return source;
      const paths = source ? codeOf(source.module, workspace) : /[/\\]/.test(use) ? [use] : [];
      for (const path of paths) this.#inputs.push({ path, steps: [] });
      return source;
    };
  }
}
