import { dirname, resolve } from 'node:path';
import { findProject } from '../project.ts';
import type { ModelResolver, StepRegistry } from '../registry.ts';
import { CompileCache, type TextStore } from './compile-cache.ts';
import type { CompileOptions, CompileResult } from './resolved.ts';

export interface CompileParts {
  registry: StepRegistry;
  models: ModelResolver;
  /** Absolute path of the project's root, if the caller knows it. */
  root?: string;
  /** Where resolved workflows are kept between calls. */
  cache?: TextStore;
  /** Version of the engine's package: another version may resolve the same files to something else. */
  engineVersion?: string;
  /** Digest of a step type's code; undefined where it cannot be told, which keeps the workflow out of the cache. */
  codeDigest?: (use: string) => string | undefined;
  /** Told the absolute path of every file that is looked for, there or not, if the workflow is read anew. */
  onFile?: (path: string) => void;
}

/**
 * Reads a workflow file: a resolved workflow, or every problem of it at once. An unchanged workflow comes from the
 * cache, and then neither the YAML parser nor the validator is loaded.
 */
export async function compileWorkflow(options: CompileOptions, parts: CompileParts): Promise<CompileResult> {
  const root = parts.root ?? findProject(dirname(resolve(options.cwd, options.file))).root;
  const cache = parts.cache && new CompileCache(options, { ...parts, root, cache: parts.cache });
  const known = cache?.read();
  if (known !== undefined) return { workflow: known, problems: [] };
  const { readWorkflow } = await import('./front-end.ts');
  const { env, read } = noted(options.env);
  const result = await readWorkflow({ ...options, env }, { ...parts, root });
  if (result.workflow !== null) cache?.write(result.workflow, read);
  return result;
}

/** An environment that notes which of its variables are read. */
function noted(env: CompileOptions['env']): { env: CompileOptions['env']; read: ReadonlySet<string> } {
  const read = new Set<string>();
  return {
    env: new Proxy(env, {
      get(target, name: string) {
        read.add(name);
        return target[name];
      },
    }),
    read,
  };
}
