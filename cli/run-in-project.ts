import { withNeeds } from '../engine/execute/order.ts';
import { type FinishedRun, type RunOptions, runWorkflow } from '../engine/run.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Cli } from './command.ts';
import { packageVersion } from './package.ts';
import { pageIn } from './page/write-pages.ts';
import { pastProducts } from './past-runs.ts';
import type { OpenProject } from './project.ts';
import { findSteps } from './step-choice.ts';
import { boundYoungGeneration } from './young-generation.ts';

/** What the commands that run a workflow let a person choose. */
export interface RunChoice {
  /** Addresses of the steps to do, with what they need; all if there are none. */
  only: readonly string[];
  keepGoing: boolean;
  /** Steps at once; null for as many as there are cores. */
  jobs: number | null;
  /** The command as it was called, for the record. */
  command: string[];
}

/** Ids of the chosen steps and of all that they need; undefined for all steps. */
export function chosenSteps(workflow: ResolvedWorkflow, only: readonly string[]): Set<string> | undefined {
  return only.length === 0 ? undefined : withNeeds(workflow.steps, findSteps(workflow, only, '--only'));
}

/** Runs a workflow in its project, as every command does that runs one. */
export async function runInProject(
  workflow: ResolvedWorkflow,
  project: OpenProject,
  cli: Cli,
  choice: RunChoice,
  more: Pick<RunOptions, 'forced' | 'failedBefore' | 'listeners' | 'windDown' | 'held'>,
): Promise<FinishedRun> {
  const only = chosenSteps(workflow, choice.only);
  const endBound = boundYoungGeneration();
  try {
    return await runWorkflow({
      workflow,
      workspace: project.workspace,
      runsFolder: project.runsFolder,
      command: choice.command,
      cwd: cli.cwd,
      engineVersion: packageVersion(),
      ...(only && { only }),
      ...more,
      cacheSize: project.cacheSize,
      keepGoing: choice.keepGoing,
      ...(choice.jobs !== null && { jobs: choice.jobs }),
      signal: cli.signal,
      now: Date.now,
      productsOfRun: pastProducts(project),
      readAfterwards: (outputs) => pageIn(outputs)?.digest ?? null,
    });
  } finally {
    endBound();
  }
}
