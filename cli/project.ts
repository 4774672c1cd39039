import { dirname, join, resolve } from 'node:path';
import { isLanguageModel } from '../engine/language-model.ts';
import { ProblemError } from '../engine/problems.ts';
import { findProject, readSettings } from '../engine/project.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { type CompileParts, compileWorkflow } from '../engine/workflow/compile.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import { openWorkspace, type Workspace } from '../engine/workspace.ts';
import { createModelResolver } from '../models/resolver.ts';
import { createStepRegistry } from '../steps/registry.ts';
import type { Cli } from './command.ts';
import { builtCode, packageVersion } from './package.ts';
import { readCatalogue } from './price-catalogue.ts';

/** A project as a command sees it. */
export interface OpenProject {
  workspace: Workspace;
  /** Absolute path of `runs/`. */
  runsFolder: string;
  /** Bytes that the store may grow to. */
  cacheSize: number;
  /** The run that is made again in this project, if it is there for that. */
  recorded?: RunRecord;
}

/** Opens the project that a folder (the current one, if none is given) belongs to. Close its workspace at the end. */
export async function openProject(cli: Cli, folder = cli.cwd): Promise<OpenProject> {
  const project = findProject(folder);
  const settings = await readSettings(project, cli.cwd);
  const workspace = openWorkspace({
    root: project.root,
    storeFolder: settings.store,
    registry: createStepRegistry(project.root),
    models: createModelResolver({
      root: project.root,
      catalogue: () => readCatalogue({ store: { folder: settings.store } }),
    }),
    remote: settings.remote,
    precomputed: builtCode(),
    onDamage: (message) => cli.err(`${cli.paint('yellow', 'warning')} ${message}\n`),
  });
  return { workspace, runsFolder: join(project.root, 'runs'), cacheSize: settings.cacheSize };
}

/** Opens the project of a workflow file, calls `work`, and closes it. */
export async function withProject<T>(
  cli: Cli,
  folder: string,
  work: (project: OpenProject) => Promise<T>,
): Promise<T> {
  const project = await openProject(cli, folder);
  try {
    return await work(project);
  } finally {
    // What is written last only speeds up later commands: it must not take the place of what the command came to.
    await project.workspace.close().catch((error: Error) => {
      cli.err(
        `${cli.paint('yellow', 'warning')} the cache could not be brought up to date: ${error.message}\n`,
      );
    });
  }
}

/** The folder of a workflow file as it was typed. */
export function folderOf(file: string, cli: Cli): string {
  return dirname(resolve(cli.cwd, file));
}

/** Reads a workflow; a ProblemError with all its problems if it is wrong. `params` are `name=value`, as typed; `profiles` names. */
export async function readWorkflowFile(
  file: string,
  params: readonly string[],
  project: OpenProject,
  cli: Cli,
  profiles: readonly string[] = [],
  { registry = project.workspace.registry, onFile }: Partial<Pick<CompileParts, 'registry' | 'onFile'>> = {},
): Promise<ResolvedWorkflow> {
  const { workspace } = project;
  const { workflow, problems } = await compileWorkflow(
    { file, cwd: cli.cwd, params: parseParams(params), profiles, env: workspace.env },
    {
      registry,
      ...(onFile && { onFile }),
      models: workspace.models,
      root: workspace.root,
      cache: workspace.caches.texts,
      engineVersion: packageVersion(),
      codeDigest(use) {
        const source = workspace.registry.find(use);
        const code = source && workspace.code.of(source.module, use);
        return code && 'digest' in code ? code.digest : undefined;
      },
    },
  );
  if (workflow === null) throw new ProblemError(problems);
  await openModels(workflow, project);
  return workflow;
}

/** Lets steps name the models that the workflow's `models` section adds. */
export async function openModels(
  workflow: ResolvedWorkflow,
  { workspace, runsFolder, recorded }: Pick<OpenProject, 'workspace' | 'runsFolder' | 'recorded'>,
): Promise<void> {
  const aliases = aliasesOf(workflow);
  if (Object.keys(aliases).length > 0) {
    workspace.models = createModelResolver({ root: workspace.root, aliases });
  }
  if (Object.values(workflow.models).some(({ route }) => route !== undefined))
    (await import('./measured-routes.ts')).measureRoutes(workflow, { runsFolder, recorded });
  if (Object.values(workflow.models).some(isLanguageModel))
    (await import('./language-models.ts')).openLanguageModels(workflow, workspace);
}

/** Paths of encoders that the workflow gives names to. */
export function aliasesOf(workflow: ResolvedWorkflow): Record<string, string> {
  return Object.fromEntries(
    Object.entries(workflow.models).flatMap(([alias, model]) =>
      isLanguageModel(model) ? [] : [[alias, model['path'] as string] as const],
    ),
  );
}

/** `--param name=value`, as typed. */
export function parseParams(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)];
      throw ProblemError.of('param-form', `--param ${text} has no value`, {
        hint: 'write --param name=value',
      });
    }),
  );
}
