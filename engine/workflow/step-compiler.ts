import { digestOf } from '../digest.ts';
import { canonicalJson, type JsonObject } from '../json.ts';
import { isLanguageModel } from '../language-model.ts';
import type { Place } from '../problems.ts';
import type { ModelResolver, StepRegistry } from '../registry.ts';
import { typeWith } from '../type-with.ts';
import { Binder } from './bind.ts';
import { checkFiles, stepsInErrors } from './check-files.ts';
import { collectSteps } from './collect.ts';
import { defaultsOf, mergedWith } from './defaults.ts';
import type { Instance } from './draft.ts';
import { reportLeaks } from './eval-only.ts';
import type { Expander, Folded } from './expression.ts';
import { orderSteps } from './graph.ts';
import { resolveHooks } from './hooks.ts';
import { Instances } from './instances.ts';
import { type Located, type LocatedMap, member, placeOf, textOf } from './located.ts';
import { readModels } from './models.ts';
import { resolveOptions } from './options.ts';
import { type ParameterContext, resolveParameters } from './parameters.ts';
import { noParams, resolveParams } from './params.ts';
import { callersOf, type Part } from './part.ts';
import { scopeParams } from './part-params.ts';
import type { Pools } from './pools.ts';
import type { ProblemList } from './problem-list.ts';
import { References } from './references.ts';
import type { CompileOptions, Hook, Measured, ResolvedStep, ResolvedWorkflow } from './resolved.ts';
import type { Scope } from './scope.ts';
import { Sources } from './sources.ts';
import { StepTypes } from './step-types.ts';

export interface FrontEndParts {
  registry: StepRegistry;
  models: ModelResolver;
  /** Absolute path of the project's root. */
  root: string;
  /** Told the absolute path of every file that is looked for, there or not. */
  onFile?: (path: string) => void;
}

/** Makes resolved steps of the files of a workflow, all problems on its list. */
export class StepCompiler {
  readonly #options: CompileOptions;
  readonly #parts: FrontEndParts;
  readonly #files: readonly Part[];
  readonly #problems: ProblemList;
  readonly #expander: Expander;
  readonly #pools: Pools;
  /** Of each step, the table for whose rows its template is used. */
  readonly #rowsOf = new Map<string, Part['rows']>();
  #instances!: Instances;
  models: ResolvedWorkflow['models'] = {};
  measured: Measured[] = [];
  /** Secrets that are keys of models. */
  readonly keys = new Set<string>();
  /** Files whose text became part of parameters, by path. */
  readonly texts = new Map<string, ResolvedWorkflow['sources'][number]>();
  readonly name: string;
  params = noParams();
  hooks: Hook[] = [];

  constructor(
    options: CompileOptions,
    parts: FrontEndParts,
    files: readonly Part[],
    problems: ProblemList,
    expander: Expander,
    pools: Pools,
  ) {
    this.#pools = pools;
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
    this.params = resolveParams(
      this.#files,
      { values: this.#options.params ?? {}, cwd: this.#options.cwd },
      problems,
    );
    this.#instances = new Instances({
      files: this.#files,
      run: this.#run(),
      processEnv: this.#options.env,
      expander: this.#expander,
      problems,
    });
    const collection = collectSteps(this.#files, {
      root,
      problems,
      onPart: (part) => scopeParams(part, this.params, this.#instances, this.#expander, problems),
      combinations: (node, draft) => this.#instances.combinations(node, draft),
    });
    const { drafts, declared } = collection;
    const types = new StepTypes(registry, problems);
    await types.load(
      [...drafts.values(), ...declared.flatMap(({ steps }) => [...steps.values()])],
      this.#files,
    );
    checkFiles(this.#files, collection, types.all, registry.names, problems);
    const read = readModels(this.#files, {
      scopeOf: (part) => this.#instances.scope(part),
      expander: this.#expander,
      root,
      problems,
      keys: this.keys,
      otherModels: (entry) => models.otherModels?.(entry) ?? null,
    });
    this.models = read.models;
    this.measured = read.measured;

    const instances = this.#instances.make(drafts.values());
    for (const { id, draft } of instances) this.#rowsOf.set(id, draft.part.rows);
    const sources = new Sources(drafts, collection.groups, problems);
    const references = new References(this.#expander, sources, problems);
    const context: ParameterContext = {
      root,
      expander: this.#expander,
      problems,
      models,
      aliases: Object.keys(this.models),
      languageAliases: Object.keys(this.models).filter((alias) => isLanguageModel(this.models[alias]!)),
      addSource: (path, text) => this.texts.set(path, { path, digest: digestOf(text), text }),
      schemaOf: (type) => types.checkOf(type),
      schemaErrors: stepsInErrors(drafts, registry.names),
    };
    for (const instance of instances)
      references.during(instance, () => this.#resolveExpressions(instance, context));
    // Only now are all outputs known.
    const binder = new Binder(drafts, sources, problems);
    for (const instance of instances) this.#connect(instance, binder);
    references.resolve();
    const main = this.#files[0]!;
    this.hooks = resolveHooks(
      main.root,
      this.#instances.scope(main),
      this.#expander,
      [...drafts.keys()],
      problems,
    );
    const ordered = orderSteps(instances, problems);
    if (ordered === undefined || problems.failed) return undefined;
    reportLeaks(ordered, problems);
    return problems.failed ? undefined : ordered.map((instance) => this.#resolved(instance));
  }

  #run(): JsonObject {
    const seed = member(this.#files[0]!.root, 'seed');
    return { name: this.name, seed: seed?.kind === 'scalar' && seed.value !== null ? seed.value : 42 };
  }

  #resolveExpressions(instance: Instance, context: ParameterContext): void {
    const { type, node } = instance.draft;
    const own = member(node, 'with');
    // A `with` that is no map is one mistake, whatever it would have to hold.
    if (type !== undefined && (own === undefined || own.kind === 'map'))
      resolveParameters(instance, type, mergedWith(instance.draft), node, context);
    instance.when = this.#when(instance);
    instance.resources = this.#pools.of(instance.draft);
  }

  /** The condition of a step and of the steps that use the templates around it: all must hold. */
  #when({ draft, scope }: Instance): ResolvedStep['when'] {
    const found: { source: string; place: Place }[] = [];
    const read = (node: LocatedMap, around: Scope, written: (folded: Folded) => string): void => {
      const when = member(node, 'when');
      if (when?.kind !== 'scalar' || when.value === null) return;
      const folded =
        typeof when.value === 'string' ? this.#expander.bare(when, when.value, around, []) : undefined;
      found.push({ source: folded ? written(folded) : String(when.value), place: placeOf(when) });
    };
    // The params of a caller are not those of the step: they are written in.
    for (const { node, part } of callersOf(draft.part)) {
      const around = { ...this.#instances.scope(part, draft.part.axes), metrics: true };
      const each = part.rows !== null || member(node, 'for_each') !== undefined;
      read(node, { ...around, ...(each && { item: 'known later' }) }, ({ source }) => source);
    }
    read(draft.node, scope, ({ named }) => named);
    const [first, ...more] = found;
    if (first === undefined || more.length === 0) return first ?? null;
    return { source: found.map(({ source }) => `(${source})`).join(' && '), place: first.place };
  }

  #connect(instance: Instance, binder: Binder): void {
    const from = member(instance.draft.node, 'from');
    const { scope } = instance;
    const addresses = from && this.#addresses(from, scope);
    // An address that could not be computed is reported already.
    if (from === undefined || addresses !== undefined) binder.bind(instance, addresses);
    const { draft } = instance;
    const { names, rows: around } = draft.part;
    const rows = member(draft.node, 'for_each');
    if (around !== null) {
      const { node, part } = around;
      binder.forEach(instance, this.#addresses(node, this.#instances.scope(part, part.axes)), part.names);
    } else if (rows !== undefined) binder.forEach(instance, this.#addresses(rows, scope), names);
    const after = member(draft.node, 'after');
    if (after !== undefined) binder.after(instance, this.#addresses(after, scope), names);
    for (const { node, part } of callersOf(draft.part)) {
      const said = member(node, 'after');
      if (said !== undefined) binder.after(instance, this.#addresses(said, scope), part.names);
    }
  }

  /** `from` or `after` with expressions expanded, each address where it stands. */
  #addresses(node: Located, scope: Scope): Located | undefined {
    if (node.kind === 'map') {
      const entries: LocatedMap['entries'] = new Map();
      for (const [name, entry] of node.entries) {
        const value = this.#addresses(entry.value, scope);
        if (value === undefined) return undefined;
        entries.set(name, { key: entry.key, value });
      }
      return { ...node, entries };
    }
    if (node.kind === 'list') {
      const items = node.items.map((item) => this.#addresses(item, scope));
      return items.includes(undefined) ? undefined : { ...node, items: items as Located[] };
    }
    if (typeof node.value !== 'string' || !node.value.includes('${{')) return node;
    const { value, unknown } = this.#expander.expand(node, {
      ...scope,
      metrics: false,
      ...(scope.item && { item: 'too early' }),
    });
    return unknown.length > 0 ? undefined : { ...node, value: String(value) };
  }

  #resolved(instance: Instance): ResolvedStep {
    const { draft } = instance;
    const { node, part } = draft;
    const type = typeWith(draft.type!, instance.parameters);
    const callers = callersOf(part).map((caller) => caller.node);
    const described = draft.base === part.caller?.id ? [part.caller.node, node] : [node];
    return {
      id: instance.id,
      base: draft.base,
      matrix: instance.matrix,
      use: draft.use!,
      description: described.map((said) => textOf(member(said, 'description'))).find(Boolean) ?? null,
      parameters: instance.parameters,
      deferred: instance.deferred,
      inputs: instance.inputs,
      ...(instance.forEach && { for_each: instance.forEach }),
      ...this.#sameRows(instance),
      outputs: instance.outputs!,
      takesSteps: type.inputs === 'any',
      seeded: type.seeded === true,
      rowWise: type.kind === 'rows',
      needs: [...instance.needs.keys()],
      when: instance.when,
      ...resolveOptions([...callers, node, ...defaultsOf(part)]),
      files: instance.files,
      outputFiles: instance.outputFiles,
      modelNames: instance.modelNames,
      ...(instance.languageModels.length > 0 && { languageModels: instance.languageModels }),
      ...(instance.sqlTexts.length > 0 && { sqlTexts: instance.sqlTexts }),
      env: instance.env,
      ...instance.resources,
      ...(part.ownParams && { params: this.#ownParams(part) }),
      place: placeOf(draft.key),
    };
  }

  /** The steps of its template that it needs, where that is used for each row of a table. */
  #sameRows({ needs, draft }: Instance): Pick<ResolvedStep, 'sameRows'> {
    const { rows } = draft.part;
    const same = [...needs.keys()].filter((id) => rows !== null && this.#rowsOf.get(id) === rows);
    return same.length === 0 ? {} : { sameRows: same };
  }

  /** The params of a part that are not the workflow's. */
  #ownParams({ params }: Part): JsonObject {
    const shared = this.params.values;
    return Object.fromEntries(
      Object.entries(params.values).filter(
        ([name, value]) =>
          !Object.hasOwn(shared, name) || canonicalJson(shared[name]!) !== canonicalJson(value),
      ),
    );
  }
}
