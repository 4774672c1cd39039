import type { CelPath } from '../cel.ts';
import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { Names } from './names.ts';

/** Names that an expression can read where it stands. */
export interface Scope {
  params: JsonObject;
  /** Params whose declaration is wrong: known, but without a value. */
  unknownParams: ReadonlySet<string>;
  /** Listed variables with their values; undefined for one that is not set. */
  env: { [name: string]: string | undefined };
  /** Values of the axes; null where there is no matrix. */
  matrix: JsonObject | null;
  run: JsonObject;
  /** Whether steps' metrics may be named: not in what decides which steps there are. */
  metrics: boolean;
  /** What names of steps mean here. */
  names: Names;
  /** The row of `for_each`: absent where there is none; `in template` where only the steps of the template can wait for it. */
  item?: 'known later' | 'too early' | 'in template';
  /** Whether `secrets.X` may stand here: only in values that are neither kept nor recorded. */
  secrets?: boolean;
  /** It is a value of `env` itself. */
  inEnv?: boolean;
  /** Variables of `env` that hold secrets: no expression may read them. */
  secretEnv?: ReadonlySet<string>;
}

/** It waits for what is known later: the text that stands for it then; null for the very text of the expression. */
export interface Waits {
  waits: string | null;
}

/** Where a name stands, and who hears of it. */
interface Where {
  scope: Scope;
  /** All that a bare expression may read; anything if not given. */
  names: readonly string[] | undefined;
  /** The name is all that stands between `${{` and `}}`. */
  whole: boolean;
  fail(code: string, message: string, hint?: string): 'failed';
  onStep(id: string, metric: string | null): void;
}

/** What a path of an expression stands for; `other` for what only the step type knows. */
export function meaningOf(path: CelPath, where: Where): { value: Json } | Waits | 'other' | 'failed' {
  const { scope, names, fail } = where;
  const [root, name, ...rest] = path.names;
  switch (root) {
    case 'params': {
      if (name === undefined) return { value: scope.params };
      if (scope.unknownParams.has(name)) return 'failed';
      if (!Object.hasOwn(scope.params, name)) {
        const known = [...Object.keys(scope.params), ...scope.unknownParams];
        const hint = suggestion(name, known, 'params') ?? 'declare it under params:';
        return fail('unknown-param', `there is no param "${name}"`, hint);
      }
      return memberOf(scope.params[name]!, rest);
    }
    case 'env': {
      const listed = Object.keys(scope.env);
      if (name === undefined)
        return fail('expression-failed', 'env needs the name of a variable', 'write env.NAME');
      if (!Object.hasOwn(scope.env, name)) {
        const hint = suggestion(name, listed, 'listed');
        return fail(
          'env-not-listed',
          `the environment variable ${name} is not listed`,
          scope.inEnv
            ? `to pass it on under another name, write { from: ${name} } for the value`
            : hint?.startsWith('did')
              ? hint
              : `list it: env: [${name}]`,
        );
      }
      if (scope.secretEnv?.has(name))
        return fail(
          'secret-not-allowed',
          `the environment variable ${name} holds a secret, which no expression may read`,
          'the program finds it in its environment',
        );
      const value = scope.env[name];
      return value === undefined
        ? fail(
            'env-not-set',
            `the environment variable ${name} is listed, but not set`,
            `set it before the call: ${name}=… reprise …`,
          )
        : { value };
    }
    case 'matrix': {
      const axes = Object.keys(scope.matrix ?? {});
      if (scope.matrix === null)
        return fail('unknown-axis', 'there is no matrix here', 'give the step a matrix:');
      if (name === undefined) return { value: scope.matrix };
      if (!Object.hasOwn(scope.matrix, name))
        return fail('unknown-axis', `the matrix has no axis "${name}"`, suggestion(name, axes, 'axes'));
      return memberOf(scope.matrix[name]!, rest);
    }
    case 'run': {
      if (name !== undefined && Object.hasOwn(scope.run, name)) return { value: scope.run[name]! };
      return fail(
        'unknown-name',
        `run has no "${name ?? ''}"`,
        'run.name and run.seed are there: what differs between runs is not, so that the same workflow gives the same results',
      );
    }
    case 'secrets':
      if (scope.secrets !== true)
        return fail(
          'secret-not-allowed',
          'secrets are for env, for providers of models and for the hooks of on_finish',
          'a secret here would end up in records and caches; give it to a program by env: { NAME: … }',
        );
      if (name === undefined || rest.length > 0 || !where.whole)
        return fail(
          'secret-form',
          'a secret stands by itself',
          'write ${{ secrets.NAME }}, and text around it',
        );
      return { waits: `secrets.${name}` };
    case 'item':
      if (scope.item === 'known later') return { waits: null };
      if (scope.item !== undefined)
        return fail(
          'metric-too-early',
          'the rows of for_each are not known before steps run, and this decides which steps there are',
          scope.item === 'in template'
            ? 'a template that is used with for_each says item.<field> in its own steps'
            : undefined,
        );
      if (names === undefined) return 'other';
      return fail(
        'unknown-name',
        'there is no item here',
        'item is the row of for_each, in with and when of that step',
      );
    case 'steps':
      return metricOf(path, where);
    default:
      if (names === undefined || names.includes(root!)) return 'other';
      return fail(
        'unknown-name',
        `unknown name "${root}" in the expression`,
        root === 'row' || root === 'metrics'
          ? `${root} is there only in the expressions of a step type (where, that)`
          : Object.hasOwn(scope.params, root!)
            ? `did you mean params.${root}?`
            : suggestion(root!, names, 'in scope'),
      );
  }
}

function metricOf(path: CelPath, { scope, fail, onStep }: Where): Waits | 'failed' {
  const [, step, kind, metric, ...rest] = path.names;
  if (!scope.metrics)
    return fail(
      'metric-too-early',
      'metrics are not known before steps run, and this decides which steps there are',
    );
  if (step === undefined)
    return fail(
      'dynamic-reference',
      'a step in an expression must be written out',
      'write steps.id.metrics.name, or steps["answers[model=a]"].metrics.name',
    );
  if (kind !== undefined && kind !== 'metrics')
    return fail('unknown-name', `steps.${step} has no "${kind}"`, 'write steps.id.metrics.name');
  const id = scope.names.stepOf(step) ?? step;
  onStep(id, metric ?? null);
  if (id === step) return { waits: null };
  const members = [kind, metric, ...rest].filter((name) => name !== undefined);
  const part = (name: string): string =>
    /^[a-z_]\w*$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  return { waits: `steps${[id, ...members].map(part).join('')}` };
}

function memberOf(value: Json, names: readonly string[]): { value: Json } | 'other' {
  let current = value;
  for (const name of names) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return 'other';
    const next = current[name];
    // has(params.x.y) asks, and evaluation says what is missing.
    if (next === undefined) return 'other';
    current = next;
  }
  return { value: current };
}
