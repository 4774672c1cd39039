import { isAbsolute, join, relative, sep } from 'node:path';
import type { Json, JsonObject } from '../json.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';

/**
 * Turns absolute paths that a workflow names (in its text, or by a param) into those of the restored copy: `/home/ada/data.csv`
 * of a project in `/home/ada/topics` becomes `../data.csv`, as the record has it. Files that steps put somewhere are
 * not put: a reproduction writes nothing outside of its own folder.
 *
 * @param tree absolute path of the folder that all that was restored lies below
 * @param oldRoot absolute path of the project's root when the run was made
 */
export function relocated(workflow: ResolvedWorkflow, tree: string, oldRoot: string): ResolvedWorkflow {
  const moved = (path: string): string => {
    const absolute = join(workflow.root, path);
    const real = isAbsolute(path) ? path : absolute;
    if (real === tree || real.startsWith(tree + sep)) return path;
    const short = relative(oldRoot, real);
    return isAbsolute(short) ? path : short.split(sep).join('/');
  };
  return {
    ...workflow,
    steps: workflow.steps.map((step) => {
      const files = step.files.map((file) => ({ ...file, path: moved(file.path) }));
      const names = new Map(step.files.map(({ path }, index) => [path, files[index]!.path]));
      const parameters = replaced(step.parameters, names) as JsonObject;
      return { ...step, files, parameters, outputFiles: [] };
    }),
  };
}

function replaced(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaced(item, names)]));
}
