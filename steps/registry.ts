import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModuleResolution } from '../engine/fingerprint/module-resolution.ts';
import { StepError } from '../engine/problems.ts';
import type { StepRegistry, StepSource } from '../engine/registry.ts';
import type { AnyStepType } from '../engine/step.ts';
import { stepTypes } from './index.ts';

/** `.ts` in a checkout, `.js` in the built package. */
const suffix = extname(import.meta.filename);
const stepFile = /\.[cm]?[jt]s$/;

/** The built-in step types and, by path, the step files of the project at `root`. */
export function createStepRegistry(root: string): StepRegistry {
  /** Step files that were found: a workflow of a thousand steps asks a thousand times. */
  const stepFiles = new Map<string, StepSource>();
  return {
    names: Object.keys(stepTypes),
    find(use): StepSource | undefined {
      const load = Object.hasOwn(stepTypes, use) ? stepTypes[use] : undefined;
      if (load) {
        return {
          use,
          module: join(import.meta.dirname, use, `index${suffix}`),
          load: async () => (await load()).default,
        };
      }
      if (use.startsWith('npm:')) return packageStep(use, root);
      if (!stepFile.test(use)) return undefined;
      const known = stepFiles.get(use);
      if (known) return known;
      const module = resolve(root, use);
      if (!existsSync(module)) return undefined;
      const source = { use, module, load: () => loadStepFile(module, use) };
      stepFiles.set(use, source);
      return source;
    },
  };
}

/** `npm:package/step`: what the package that is installed in the project exports as `./step`. */
function packageStep(use: string, root: string): StepSource | undefined {
  const specifier = use.slice('npm:'.length);
  const found = new ModuleResolution(undefined).fileOf(specifier, root);
  if (found === undefined) return undefined;
  if (found.kind === 'file' && !/\.[cm]?ts$/.test(found.path))
    return { use, module: found.path, load: () => loadStepFile(found.path, use) };
  const flaw =
    found.kind === 'file'
      ? `it is TypeScript (${basename(found.path)}), which Node does not load from node_modules: packages ship JavaScript`
      : 'its package exports no such module';
  return { use, module: '', load: () => Promise.reject(new StepError('step-file', flaw)) };
}

async function loadStepFile(module: string, use: string): Promise<AnyStepType> {
  resolveReprise();
  let exports: { default?: unknown };
  try {
    exports = (await import(pathToFileURL(module).href)) as { default?: unknown };
  } catch (error) {
    throw new StepError('step-file', `${use} cannot be loaded: ${(error as Error).message}`);
  }
  const type = exports.default as Partial<AnyStepType> | undefined;
  if (type?.kind !== 'step' && type?.kind !== 'rows') {
    throw new StepError(
      'step-file',
      `${use} has no step type as its default export`,
      "write: import { defineStep } from 'reprise'; export default defineStep({ … })",
    );
  }
  return type as AnyStepType;
}

let resolving = false;

/** Makes `import … from 'reprise'` in a step file mean the running engine, wherever that is installed. */
function resolveReprise(): void {
  if (resolving) return;
  resolving = true;
  const own = pathToFileURL(join(import.meta.dirname, '..', `index${suffix}`)).href;
  registerHooks({
    resolve(specifier, context, next) {
      return specifier === 'reprise' ? { url: own, shortCircuit: true } : next(specifier, context);
    },
  });
}
