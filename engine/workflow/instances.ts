import type { JsonObject } from '../json.ts';
import { instanceId } from './address.ts';
import type { Instance, StepDraft } from './draft.ts';
import type { Expander } from './expression.ts';
import { type Located, type LocatedMap, member, pointerParts } from './located.ts';
import { expandMatrix } from './matrix.ts';
import { callersOf, type Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { CompileOptions, EnvValue, ResolvedStep } from './resolved.ts';
import type { Scope } from './scope.ts';
import { secretsIn } from './secrets.ts';

type Env = ResolvedStep['env'];

/** Makes the scopes of expressions, and of steps with a matrix the instances. */
export class Instances {
  readonly #run: JsonObject;
  readonly #processEnv: CompileOptions['env'];
  readonly #expander: Expander;
  readonly #problems: ProblemList;
  /** What the files say for all steps. */
  readonly #shared: Env = {};

  /** @param options.run `run` in expressions: only what is the same in every run of the workflow */
  constructor(options: {
    files: readonly Part[];
    run: JsonObject;
    processEnv: CompileOptions['env'];
    expander: Expander;
    problems: ProblemList;
  }) {
    this.#run = options.run;
    this.#processEnv = options.processEnv;
    this.#expander = options.expander;
    this.#problems = options.problems;
    // What the workflow file says wins over what it includes.
    for (const file of options.files.toReversed())
      Object.assign(this.#shared, this.#envOf(member(file.root, 'env'), { ...this.scope(file), env: {} }));
  }

  /** What expressions see that decide which steps there are. */
  scope(part: Part, matrix: JsonObject | null = null, env: Env = this.#shared): Scope {
    const secret = Object.keys(env).filter((name) => isSecret(env[name]!));
    return {
      params: part.params.values,
      unknownParams: part.params.unknown,
      env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, this.#valueOf(value)])),
      matrix,
      run: this.#run,
      metrics: false,
      names: part.names,
      ...(secret.length > 0 && { secretEnv: new Set(secret) }),
    };
  }

  /** The combinations of a step's own matrix; undefined after a problem. */
  combinations(node: LocatedMap, { id, part }: StepDraft): JsonObject[] | undefined {
    return expandMatrix(node, id, this.scope(part, part.axes), this.#expander, this.#problems);
  }

  /** Steps as they run: one for each combination of a matrix. Each draft gets its own. */
  make(drafts: Iterable<StepDraft>): Instance[] {
    const instances: Instance[] = [];
    for (const draft of drafts) {
      const node = member(draft.node, 'matrix');
      const combinations = node?.kind === 'map' ? this.combinations(node, draft) : [null];
      const axis = node?.kind === 'map' && draft.forEach ? node.entries.get('id') : undefined;
      if (axis !== undefined)
        this.#problems.error(
          'bad-id',
          'an axis beside for_each cannot be called id: that is the row',
          axis.key,
          {
            hint: 'give it another name',
          },
        );
      const { axes } = draft.part;
      const twice = Object.keys(axes ?? {}).find((name) => node?.kind === 'map' && node.entries.has(name));
      if (twice !== undefined) {
        this.#problems.error(
          'bad-id',
          `the step that uses the template has an axis ${twice} as well`,
          (node as LocatedMap).entries.get(twice)!.key,
          { hint: 'give one of them another name' },
        );
        continue;
      }
      for (const own of combinations ?? []) {
        const matrix = own === null ? axes : { ...axes, ...own };
        const env = { ...this.#shared };
        Object.assign(env, this.#envOf(member(draft.node, 'env'), this.scope(draft.part, matrix)));
        for (const caller of callersOf(draft.part).toReversed())
          Object.assign(env, this.#envOf(member(caller.node, 'env'), this.scope(caller.part, axes)));
        draft.instances.push({
          id: instanceId(draft.base, matrix),
          draft,
          matrix,
          scope: {
            ...this.scope(draft.part, matrix, env),
            metrics: true,
            ...(draft.forEach && { item: 'known later' }),
          },
          parameters: {},
          deferred: [],
          files: [],
          outputFiles: [],
          modelNames: [],
          languageModels: [],
          sqlTexts: [],
          env,
          when: null,
          resources: {},
          outputs: undefined,
          inputs: {},
          forEach: null,
          needs: new Map(),
        });
      }
      instances.push(...draft.instances);
    }
    return instances;
  }

  #valueOf(value: EnvValue): string | undefined {
    if (typeof value === 'string') return value;
    return 'from' in value ? this.#processEnv[value.from] : undefined;
  }

  /** What an `env` key says: names to pass on, or names with values. */
  #envOf(node: Located | undefined, scope: Scope): Env {
    const env: Env = {};
    if (node === undefined) return env;
    const { value, unknown, deferred } = this.#expander.expand(node, {
      ...scope,
      secrets: true,
      inEnv: true,
    });
    if (unknown.length > 0) return env;
    if (Array.isArray(value)) {
      for (const name of value) if (typeof name === 'string') env[name] = { from: name };
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, set] of Object.entries(value)) {
        const from = typeof set === 'object' && set !== null && !Array.isArray(set) ? set['from'] : undefined;
        if (typeof from === 'string') env[name] = { from };
        else if (typeof set !== 'object') env[name] = String(set);
      }
    }
    // Nothing but secrets waits here.
    for (const { pointer, template } of deferred)
      env[pointerParts(pointer)[0]!] = { template, secrets: secretsIn(template) };
    return env;
  }
}

function isSecret(value: EnvValue): boolean {
  return typeof value !== 'string' && 'secrets' in value;
}
