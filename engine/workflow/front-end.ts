import { resolve } from 'node:path';
import { loadCel } from '../cel.ts';
import { Expander } from './expression.ts';
import { fromRoot, loadFiles } from './load.ts';
import { member, textOf, toJson } from './located.ts';
import { Pools } from './pools.ts';
import { ProblemList } from './problem-list.ts';
import { chosenProfiles, readProjectParts } from './project-parts.ts';
import type { CompileOptions, CompileResult, ResolvedWorkflow } from './resolved.ts';
import { secretsOf } from './secrets.ts';
import { type FrontEndParts, StepCompiler } from './step-compiler.ts';

/** Reads a workflow file with all that it includes: a resolved workflow, or every problem at once. */
export async function readWorkflow(options: CompileOptions, parts: FrontEndParts): Promise<CompileResult> {
  const problems = new ProblemList();
  const path = resolve(options.cwd, options.file);
  const {
    parts: files,
    sources,
    complete,
  } = await loadFiles(path, options.cwd, parts.root, problems, parts.onFile);
  const [main] = files;
  // What a file that cannot be read would have said is unknown: going on would only report its absence.
  if (main === undefined || !complete) return { workflow: null, problems: problems.errors };
  const project = await readProjectParts(parts.root, options.cwd, problems);
  const profiles = chosenProfiles(options.profiles ?? [], main, project, problems);
  for (const file of files) file.profiles = profiles;
  const pools = new Pools(profiles, project, problems);
  const compiler = new StepCompiler(
    options,
    parts,
    files,
    problems,
    new Expander(await loadCel(), problems),
    pools,
  );
  const steps = await compiler.compile();
  if (steps === undefined || problems.failed) return { workflow: null, problems: problems.errors };
  const text = (key: string): string | undefined => textOf(member(main.root, key));
  const seed = member(main.root, 'seed');
  const budget = member(main.root, 'budget');
  const { hooks } = compiler;
  const secrets = secretsOf(steps, hooks, compiler.keys);
  if (project && (options.profiles?.length || Object.keys(pools.used).length > 0))
    sources.push(project.source);
  const workflow: ResolvedWorkflow = {
    name: compiler.name,
    description: text('description') ?? null,
    root: parts.root,
    path: fromRoot(path, parts.root),
    seed: seed === undefined ? 42 : Number(toJson(seed)),
    params: compiler.params.values,
    sources: [
      ...sources.map((source) => ({
        path: fromRoot(source.path, parts.root),
        digest: source.digest,
        text: source.text,
      })),
      ...compiler.texts.values(),
    ],
    ...(options.profiles?.length && { profiles: [...options.profiles] }),
    ...(Object.keys(pools.used).length > 0 && { pools: pools.used }),
    ...(hooks.length > 0 && { on_finish: hooks }),
    ...(budget && { budget: toJson(budget) as NonNullable<ResolvedWorkflow['budget']> }),
    ...(secrets.length > 0 && { secrets }),
    models: compiler.models,
    ...(compiler.measured.length > 0 && { measured: compiler.measured }),
    steps,
    warnings: problems.warnings,
  };
  return { workflow, problems: [] };
}
