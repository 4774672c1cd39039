import { dirname, resolve } from 'node:path';
import { loadCel } from '../cel.ts';
import type { JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { ModelResolver, StepRegistry } from '../registry.ts';
import { Binder } from './bind.ts';
import { checkFiles, stepsInErrors } from './check-files.ts';
import { defaultsOf, mergedWith } from './defaults.ts';
import type { Instance, StepDraft } from './draft.ts';
import { reportLeaks } from './eval-only.ts';
import { Expander } from './expression.ts';
import { orderSteps } from './graph.ts';
import { makeInstances } from './instances.ts';
import { fromRoot, loadFiles, type WorkflowFile } from './load.ts';
import { type Located, type LocatedMap, member, placeOf, textOf, toJson } from './located.ts';
import { resolveOptions } from './options.ts';
import { normalPath, type ParameterContext, resolveParameters } from './parameters.ts';
import { type ParamValues, resolveParams } from './params.ts';
import { ProblemList } from './problem-list.ts';
import { References } from './references.ts';
import type { CompileOptions, CompileResult, ResolvedStep, ResolvedWorkflow } from './resolved.ts';
import { Sources } from './sources.ts';
import { StepTypes } from './step-types.ts';

export interface FrontEndParts {
  registry: StepRegistry;
  models: ModelResolver;
  /** Absolute path of the project's root. */
  root: string;
}

/** Reads a workflow file with all that it includes: a resolved workflow, or every problem at once. */
export async function readWorkflow(options: CompileOptions, parts: FrontEndParts): Promise<CompileResult> {
  const problems = new ProblemList();
  const path = resolve(options.cwd, options.file);
  const { files, sources, complete } = await loadFiles(path, options.cwd, parts.root, problems);
  const [main] = files;
  // What a file that cannot be read would have said is unknown: going on would only report its absence.
  if (main === undefined || !complete) return { workflow: null, problems: problems.errors };
  const compiler = new Compiler(options, parts, files, problems, new Expander(await loadCel(), problems));
  const steps = await compiler.compile();
  if (steps === undefined || problems.failed) return { workflow: null, problems: problems.errors };
  const text = (key: string): string | undefined => textOf(member(main.root, key));
  const seed = member(main.root, 'seed');
  const workflow: ResolvedWorkflow = {
    name: compiler.name,
    description: text('description') ?? null,
    root: parts.root,
    path: fromRoot(path, parts.root),
    seed: seed === undefined ? 42 : Number(toJson(seed)),
    params: compiler.params.values,
    sources: sources.map((source) => ({
      path: fromRoot(source.path, parts.root),
      digest: source.digest,
      text: source.text,
    })),
    models: compiler.models,
    steps,
    warnings: problems.warnings,
  };
  return { workflow, problems: [] };
}

class Compiler {
  readonly #options: CompileOptions;
  readonly #parts: FrontEndParts;
  readonly #files: readonly WorkflowFile[];
  readonly #problems: ProblemList;
  readonly #expander: Expander;
  readonly #drafts = new Map<string, StepDraft>();
  readonly models: ResolvedWorkflow['models'] = {};
  readonly name: string;
  params: ParamValues = { values: {}, unknown: new Set(), folders: new Map() };

  constructor(
    options: CompileOptions,
    parts: FrontEndParts,
    files: readonly WorkflowFile[],
    problems: ProblemList,
    expander: Expander,
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#files = files;
    this.#problems = problems;
    this.#expander = expander;
    const stem = options.file
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.[^.]*$/, '');
    this.name =
      textOf(member(files[0]!.root, 'name')) ?? (stem.replaceAll(/[^A-Za-z0-9_.-]+/g, '_') || 'workflow');
  }

  async compile(): Promise<ResolvedStep[] | undefined> {
    const problems = this.#problems;
    const { registry, models, root } = this.#parts;
    this.params = resolveParams(this.#files, this.#options.params ?? {}, this.#options.cwd, problems);
    this.#collectSteps();
    const types = new StepTypes(registry, problems);
    await types.load(this.#drafts.values(), this.#files);
    checkFiles(this.#files, this.#drafts, types.all, registry.names, problems);
    this.#readModels();

    const instances = makeInstances(this.#drafts.values(), {
      files: this.#files,
      params: this.params,
      run: this.#run(),
      processEnv: this.#options.env,
      expander: this.#expander,
      problems,
    });
    const sources = new Sources(this.#drafts, problems);
    const references = new References(this.#expander, sources, problems);
    const context: ParameterContext = {
      root,
      expander: this.#expander,
      problems,
      models,
      aliases: Object.keys(this.models),
      paramFolders: this.params.folders,
      schemaOf: (type) => types.checkOf(type),
      schemaErrors: stepsInErrors(this.#drafts, registry.names),
    };
    for (const instance of instances)
      references.during(instance, () => this.#resolveExpressions(instance, context));
    // Only now are all outputs known.
    const binder = new Binder(this.#drafts, sources, problems);
    for (const instance of instances) this.#connect(instance, binder);
    references.resolve();
    const ordered = orderSteps(instances, problems);
    if (ordered === undefined || problems.failed) return undefined;
    reportLeaks(ordered, problems);
    return problems.failed ? undefined : ordered.map((instance) => this.#resolved(instance));
  }

  #run(): JsonObject {
    const seed = member(this.#files[0]!.root, 'seed');
    return { name: this.name, seed: seed?.kind === 'scalar' && seed.value !== null ? seed.value : 42 };
  }

  #collectSteps(): void {
    for (const file of this.#files) {
      const steps = member(file.root, 'steps');
      if (steps?.kind !== 'map') continue;
      for (const [id, { key, value }] of steps.entries) {
        const known = this.#drafts.get(id);
        if (known !== undefined) {
          this.#problems.error('duplicate-step', `there is another step ${id}`, key, {
            hint: 'the steps of a workflow and of the files that it includes have one name each',
            trail: [{ place: placeOf(known.key), message: 'the other one' }],
          });
          continue;
        }
        if (value.kind !== 'map') continue;
        const written = textOf(member(value, 'use'));
        this.#drafts.set(id, {
          id,
          key,
          node: value,
          file,
          use: written === undefined ? undefined : this.#normalUse(written, file),
          type: undefined,
          instances: [],
          hasMatrix: member(value, 'matrix')?.kind === 'map',
          misspelt: value.incomplete === true,
        });
      }
    }
    const anywhere = this.#files.some(
      ({ root }) =>
        (member(root, 'steps')?.kind ?? 'map') !== 'map' ||
        (member(root, 'steps') as LocatedMap | undefined)?.entries.size,
    );
    if (anywhere) return;
    const { root, source } = this.#files[0]!;
    const key = root.entries.get('steps')?.key;
    // A misspelt `steps` is reported as what it is.
    const close = [...root.entries.keys()].some(
      (name) =>
        suggestion(name, ['steps'])?.startsWith('did you') || /^(jobs|tasks|stages|pipeline)$/.test(name),
    );
    if (key !== undefined || !close)
      this.#problems.error(
        'no-steps',
        'the workflow has no steps',
        key ?? { file: source, start: root.start, end: root.start + 1 },
        { hint: 'write steps: and under it a step: queries: { use: load, with: … }' },
      );
  }

  /** `use` as the registry knows it: step files by their path from the root, with `./` in front. */
  #normalUse(use: string, file: WorkflowFile): string {
    if (!/[/\\]|\.[cm]?[jt]s$/.test(use) || use.startsWith('npm:')) return use;
    const path = normalPath(use, dirname(file.source.path), this.#parts.root);
    return path.startsWith('../') || path.startsWith('/') ? path : `./${path}`;
  }

  #readModels(): void {
    for (const file of this.#files) {
      const models = member(file.root, 'models');
      if (models?.kind !== 'map') continue;
      for (const [alias, { value }] of models.entries) {
        if (alias in this.models) continue;
        const path = textOf(member(value, 'path'));
        const model = toJson(value);
        if (typeof model !== 'object' || model === null || Array.isArray(model)) continue;
        this.models[alias] =
          path === undefined
            ? model
            : { ...model, path: normalPath(path, dirname(file.source.path), this.#parts.root) };
      }
    }
  }

  #resolveExpressions(instance: Instance, context: ParameterContext): void {
    const { type, node } = instance.draft;
    const own = member(node, 'with');
    // A `with` that is no map is one mistake, whatever it would have to hold.
    if (type !== undefined && (own === undefined || own.kind === 'map'))
      resolveParameters(instance, type, mergedWith(instance.draft), node, context);
    const when = member(node, 'when');
    const text = textOf(when);
    if (when?.kind === 'scalar' && text !== undefined) this.#expander.bare(when, text, instance.scope, []);
  }

  #connect(instance: Instance, binder: Binder): void {
    const from = member(instance.draft.node, 'from');
    const addresses = from && this.#addresses(from, instance);
    // An address that could not be computed is reported already.
    if (from === undefined || addresses !== undefined) binder.bind(instance, addresses);
    const after = member(instance.draft.node, 'after');
    if (after !== undefined) binder.after(instance, this.#addresses(after, instance));
  }

  /** `from` or `after` with expressions expanded, each address where it stands. */
  #addresses(node: Located, instance: Instance): Located | undefined {
    if (node.kind === 'map') {
      const entries: LocatedMap['entries'] = new Map();
      for (const [name, entry] of node.entries) {
        const value = this.#addresses(entry.value, instance);
        if (value === undefined) return undefined;
        entries.set(name, { key: entry.key, value });
      }
      return { ...node, entries };
    }
    if (node.kind === 'list') {
      const items = node.items.map((item) => this.#addresses(item, instance));
      return items.includes(undefined) ? undefined : { ...node, items: items as Located[] };
    }
    if (typeof node.value !== 'string' || !node.value.includes('${{')) return node;
    const { value, unknown } = this.#expander.expand(node, { ...instance.scope, metrics: false });
    return unknown.length > 0 ? undefined : { ...node, value: String(value) };
  }

  #resolved(instance: Instance): ResolvedStep {
    const { draft } = instance;
    const { node, type } = draft;
    const when = member(node, 'when');
    return {
      id: instance.id,
      base: draft.id,
      matrix: instance.matrix,
      use: draft.use!,
      description: textOf(member(node, 'description')) ?? null,
      parameters: instance.parameters,
      deferred: instance.deferred,
      inputs: instance.inputs,
      outputs: instance.outputs!,
      takesSteps: type!.inputs === 'any',
      seeded: type!.seeded === true,
      rowWise: type!.kind === 'rows',
      needs: [...instance.needs.keys()],
      when:
        when?.kind === 'scalar' && when.value !== null
          ? { source: String(when.value), place: placeOf(when) }
          : null,
      ...resolveOptions(node, defaultsOf(draft.file)),
      files: instance.files,
      outputFiles: instance.outputFiles,
      modelNames: instance.modelNames,
      env: instance.env,
      place: placeOf(draft.key),
    };
  }
}
