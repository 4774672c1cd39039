import { existsSync, globSync, lstatSync, type Stats, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { digestOf, digestOfJson } from '../digest.ts';
import { type Fingerprint, fingerprintKey, valuesNamed } from '../fingerprint/fingerprint.ts';
import { propertyOrders } from '../fingerprint/property-order.ts';
import { canonicalJson, type Json, type JsonObject } from '../json.ts';
import type { LanguageModel } from '../language-model.ts';
import { type Place, ProblemError, StepError } from '../problems.ts';
import type { ModelFolder } from '../step.ts';
import { storeFormat } from '../store/store.ts';
import { declaredId } from '../workflow/address.ts';
import type { ResolvedStep, ResolvedWorkflow } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';
import { bindingDigest, type ProductsOf } from './io.ts';

/** A step whose inputs are known: everything it takes to look its result up, or to run it. */
export interface PreparedStep {
  step: ResolvedStep;
  parameters: JsonObject;
  files: Map<string, string[]>;
  models: Map<string, ModelFolder>;
  /** Those that it may ask, by alias. */
  languageModels: Map<string, LanguageModel>;
  env: Record<string, string>;
  /** The workflow's params that the step's expressions and templates name: it sees, and depends on, no others. */
  params: JsonObject;
  /** The same of the axes of its matrix. */
  matrix: JsonObject;
  /** Null, with the reason, if a part of it cannot be computed: then the step runs uncached. */
  fingerprint: Fingerprint | null;
  key: `sha256:${string}` | null;
  uncached: string | null;
}

/**
 * Environment that a step sees and that counts for it. Of a variable that holds secrets only the text around them
 * counts, and stands here: their values are put in when the step runs.
 */
function stepEnvironment(step: ResolvedStep, { env: all }: Pick<Workspace, 'env'>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(step.env)) {
    const found = typeof value === 'string' ? value : 'from' in value ? all[value.from] : value.template;
    if (found !== undefined) env[name] = found;
  }
  return env;
}

const globCharacters = /[*?[\]{}]/;

/**
 * Absolute paths of the files behind a path or glob, sorted. A folder stands for all files in it and below, but for
 * hidden ones; any other path for itself, there or not.
 */
export function filesBehind(root: string, path: string): string[] {
  const plain = resolve(root, path);
  if (statOf(plain)?.isDirectory())
    return filesMatching(plain, '**').filter((file) => !/(?:^|[\\/])\./.test(relative(plain, file)));
  // A file whose name has such characters in it is meant before a pattern is.
  if (!globCharacters.test(path) || existsSync(plain)) return [plain];
  return filesMatching(root, path);
}

function filesMatching(root: string, path: string): string[] {
  const found = globSync(path, { cwd: root, withFileTypes: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
  for (const file of found) if (file.includes('\uFFFD')) refuseUnnamable(file, path);
  return (
    found
      // A link to a file is a file: data folders are full of them.
      .filter((file) => statOf(file)?.isFile())
      .sort()
  );
}

/** What is there; nothing behind a link that leads nowhere, be it in a circle. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
    throw error;
  }
}

/** Of a name that is no UTF-8 Node gives another: the file would be passed over without a word. */
function refuseUnnamable(file: string, path: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })) return;
  throw new StepError(
    'file-name-not-utf8',
    `${path} matches a file whose name is not UTF-8: ${file}`,
    'rename it, or name the files that are meant',
  );
}

/** Evaluates a step's `when`; null if it has none. `shown`: the condition, with the values that it read. */
export async function evaluateWhen(
  step: ResolvedStep,
  workflow: ResolvedWorkflow,
  workspace: Pick<Workspace, 'env'>,
  productsOf: ProductsOf,
): Promise<{ value: boolean; shown: string } | null> {
  if (step.when === null) return null;
  const [{ loadCel }, { saidValues, valuesIn }] = await Promise.all([
    import('../cel.ts'),
    import('../cel-values.ts'),
  ]);
  const program = (await loadCel())(step.when.source);
  const scope = scopeOf(step, workflow, workspace, productsOf);
  const value = program.test(scope);
  if (value) return { value, shown: step.when.source };
  const said = saidValues(valuesIn(program, scope));
  return { value, shown: `${step.when.source}${said === '' ? '' : ` (${said})`}` };
}

/** The workflow's params, under those of the template or of the included file that a step stands in. */
function paramsOf({ params }: ResolvedStep, workflow: ResolvedWorkflow): JsonObject {
  return params === undefined ? workflow.params : { ...workflow.params, ...params };
}

/** What expressions of a step can see. */
function scopeOf(
  step: ResolvedStep,
  workflow: ResolvedWorkflow,
  workspace: Pick<Workspace, 'env'>,
  productsOf: ProductsOf,
): Record<string, unknown> {
  const steps: Record<string, unknown> = {};
  for (const id of step.needs) {
    const products = productsOf(id, null);
    if (!products) continue;
    // Of a step that runs for the same row, an expression names no row.
    for (const name of [id, ...(step.sameRows?.includes(declaredId(id)) ? [declaredId(id)] : [])])
      steps[name] = { metrics: products.metrics };
  }
  return {
    params: paramsOf(step, workflow),
    env: stepEnvironment(step, workspace),
    matrix: step.matrix ?? {},
    run: { name: workflow.name, seed: workflow.seed },
    ...(step.item && { item: step.item }),
    steps,
  };
}

/** Resolves what is still open in a step and computes its fingerprint. Expected failures are thrown. */
export async function prepareStep(
  step: ResolvedStep,
  workflow: ResolvedWorkflow,
  workspace: Workspace,
  productsOf: ProductsOf,
): Promise<PreparedStep> {
  let parameters = step.parameters;
  let declared = step.files;
  let modelNames = step.modelNames;
  let aliases = step.languageModels ?? [];
  if (step.deferred.length > 0) {
    const { fillDeferred } = await import('../workflow/deferred.ts');
    const filled = await fillDeferred(step, scopeOf(step, workflow, workspace, productsOf), {
      registry: workspace.registry,
      languageAliases: workspace.languageModels?.names ?? [],
      root: workflow.root,
    });
    ({ parameters, files: declared, modelNames, languageModels: aliases } = filled);
  }
  const env = stepEnvironment(step, workspace);
  const files = new Map<string, string[]>();
  const models = new Map<string, ModelFolder>();
  const doubts: string[] = [];
  const fileDigests: Record<string, string> = {};
  const languageModels = new Map<string, LanguageModel>();
  const modelDigests: Record<string, string> = {};
  for (const { name, place } of aliases) {
    const model = workspace.languageModels?.find(name);
    if (model === undefined) throw unknownAlias(name, place, workspace.languageModels?.names ?? []);
    languageModels.set(name, model);
    modelDigests[name] = canonicalJson(model.identity);
    for (const path of model.files) files.set(path, [join(workflow.root, path)]);
  }
  for (const { path } of declared) files.set(path, filesBehind(workflow.root, path));
  const paths = [...files.values()].flat();
  const looked = workspace.files.many(paths);
  for (const [index, found] of (looked instanceof Promise ? await looked : looked).entries()) {
    const name = workspace.relative(paths[index]!);
    if (!(found instanceof Error)) fileDigests[name] = found.digest;
    else doubts.push(`${name} cannot be read (${(found as NodeJS.ErrnoException).code ?? found.message})`);
  }
  for (const { name, place } of modelNames) {
    const model = await modelFolder(name, workspace);
    if (model === undefined) {
      const { names } = workspace.models;
      throw names.includes(name)
        ? ProblemError.of('unknown-model', `the folder of "${name}" is not there, or holds no encoder`, {
            place,
            hint: 'an encoder is an .onnx file (of several one is named) or static embeddings with their config.json, each with tokenizer.json',
          })
        : ProblemError.of('unknown-model', `there is no model "${name}"`, {
            place,
            hint: `there are: ${names.join(', ')}`,
          });
    }
    models.set(name, model);
    modelDigests[name] = model.digest;
  }
  const source = workspace.registry.find(step.use);
  if (source === undefined) throw new StepError('unknown-step-type', `there is no step type "${step.use}"`);
  const code = workspace.code.of(source.module, source.use);
  if ('problem' in code) doubts.push(code.problem);
  const known = paramsOf(step, workflow);
  const params = valuesNamed('params', textsIn(parameters), known);
  const matrix = valuesNamed('matrix', textsIn(parameters), step.matrix ?? {});
  const base = { step, parameters, files, models, languageModels, env, params, matrix };
  if (doubts.length > 0 || 'problem' in code) {
    return { ...base, fingerprint: null, key: null, uncached: doubts.join('; ') };
  }
  const order = languageModels.size > 0 ? propertyOrders(parameters) : {};
  // Members stand in the order of their names, in which they are hashed.
  const fingerprint: Fingerprint = {
    code: code.digest,
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, digestOf(value)])),
    files: fileDigests,
    formats: storeFormat,
    inputs: Object.fromEntries(
      Object.entries(step.inputs).map(([name, binding]) => [
        name,
        bindingDigest(binding, step.takesSteps, productsOf),
      ]),
    ) as JsonObject,
    ...(Object.keys(matrix).length > 0 && { matrix }),
    models: modelDigests,
    ...(Object.keys(order).length > 0 && { order }),
    packages: code.packages,
    parameters,
    params,
    seed: step.seeded ? workflow.seed : null,
    step_type: step.use,
  };
  return { ...base, fingerprint, key: fingerprintKey(fingerprint), uncached: null };
}

function unknownAlias(name: string, place: Place, names: readonly string[]): ProblemError {
  return ProblemError.of('unknown-model', `there is no language model "${name}"`, {
    place,
    hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'name one under models:',
  });
}

/** Every text in a step's parameters: where an expression or a template may name a param. */
function* textsIn(value: Json): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (value !== null && typeof value === 'object')
    for (const item of Object.values(value)) yield* textsIn(item);
}

/** A model's folder with the digest of its files; undefined if there is no such model. */
export async function modelFolder(
  name: string,
  workspace: Pick<Workspace, 'models' | 'files'>,
): Promise<ModelFolder | undefined> {
  const found = workspace.models.find(name);
  if (found === undefined) return undefined;
  const digests = await workspace.files.many(found.files.map((file) => join(found.folder, file)));
  const files = found.files.map((name, index) => {
    const digest = digests[index]!;
    if (digest instanceof Error) throw digest;
    return { name, digest: digest.digest };
  });
  return { name, folder: found.folder, digest: digestOfJson(files), files };
}
