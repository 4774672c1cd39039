import type { JsonObject } from '../json.ts';
import { instanceId } from './address.ts';
import type { Instance, StepDraft } from './draft.ts';
import type { Expander, Scope } from './expression.ts';
import type { WorkflowFile } from './load.ts';
import { type Located, member } from './located.ts';
import { expandMatrix } from './matrix.ts';
import type { ParamValues } from './params.ts';
import type { ProblemList } from './problem-list.ts';
import type { CompileOptions, ResolvedStep } from './resolved.ts';

interface Surroundings {
  files: readonly WorkflowFile[];
  params: ParamValues;
  /** `run` in expressions: only what is the same in every run of the workflow. */
  run: JsonObject;
  processEnv: CompileOptions['env'];
  expander: Expander;
  problems: ProblemList;
}

/** Steps as they run: one for each combination of a matrix. Each draft gets its own. */
export function makeInstances(drafts: Iterable<StepDraft>, around: Surroundings): Instance[] {
  const { params, run, processEnv, expander, problems } = around;
  const scopeOf = (matrix: JsonObject | null, env: ResolvedStep['env'], metrics: boolean): Scope => ({
    params: params.values,
    unknownParams: params.unknown,
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : processEnv[value.from],
      ]),
    ),
    matrix,
    run,
    metrics,
  });
  const readEnv = (node: Located | undefined, scope: Scope): ResolvedStep['env'] =>
    node === undefined ? {} : envOf(node, scope, expander);

  const shared: ResolvedStep['env'] = {};
  // What the workflow file says wins over what it includes.
  for (const { root } of [...around.files].reverse())
    Object.assign(shared, readEnv(member(root, 'env'), { ...scopeOf(null, {}, false), env: {} }));

  const instances: Instance[] = [];
  for (const draft of drafts) {
    const node = member(draft.node, 'matrix');
    const combinations =
      node?.kind === 'map'
        ? expandMatrix(node, draft.id, scopeOf(null, shared, false), expander, problems)
        : [null];
    for (const matrix of combinations ?? []) {
      const env = { ...shared, ...readEnv(member(draft.node, 'env'), scopeOf(matrix, shared, false)) };
      draft.instances.push({
        id: instanceId(draft.id, matrix),
        draft,
        matrix,
        scope: scopeOf(matrix, env, true),
        parameters: {},
        deferred: [],
        files: [],
        outputFiles: [],
        modelNames: [],
        env,
        outputs: undefined,
        inputs: {},
        needs: new Map(),
      });
    }
    instances.push(...draft.instances);
  }
  return instances;
}

/** What an `env` key says: names to pass on, or names with values. */
function envOf(node: Located, scope: Scope, expander: Expander): ResolvedStep['env'] {
  const env: ResolvedStep['env'] = {};
  const { value, unknown } = expander.expand(node, scope);
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
  return env;
}
