import { type CelCompiler, CelError, type CelPath, type CelProgram } from '../cel.ts';
import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import { type Located, type LocatedScalar, placeOf, pointerTo, spanWithin } from './located.ts';
import type { Names } from './names.ts';
import type { ProblemList } from './problem-list.ts';
import type { ResolvedStep } from './resolved.ts';
import { inText, literal, templateParts } from './template.ts';

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
  /** The row of `for_each`: absent where there is none, or where it cannot be waited for. */
  item?: 'known later' | 'too early';
  /** Whether `secrets.X` may stand here: only in values that are neither kept nor recorded. */
  secrets?: boolean;
  /** Variables of `env` that hold secrets: no expression may read them. */
  secretEnv?: ReadonlySet<string>;
}

export interface Expansion {
  value: Json;
  /** Pointers of values that could not be had; the problem is reported. */
  unknown: string[];
  /** Values that wait for metrics. */
  deferred: { pointer: string; template: string; node: LocatedScalar }[];
}

/** A metric (or a whole step) that an expression reads. */
export interface Reference {
  step: string;
  metric: string | null;
  span: { file: LocatedScalar['file']; start: number; end: number };
}

/** A bare expression with what is known written into it. */
export interface Folded {
  source: string;
  /** As it was written, but for the steps, which go by their ids. */
  named: string;
  /** The same with each metric in `${{ }}`, to be filled in as a literal. */
  template: string;
  program: CelProgram;
  /** It reads metrics, so it has no value yet. */
  waits: boolean;
}

const roots = ['params', 'env', 'matrix', 'run', 'steps'];

/** Expands `${{ }}` and folds what is known into bare expressions. Reports what is wrong, with its place. */
export class Expander {
  readonly #cel: CelCompiler;
  readonly #problems: ProblemList;
  readonly #programs = new Map<string, CelProgram | CelError>();
  /** Told of every metric that an expression reads. */
  onReference: (reference: Reference) => void = () => {};

  constructor(cel: CelCompiler, problems: ProblemList) {
    this.#cel = cel;
    this.#problems = problems;
  }

  /** All expressions in a value. `raw` says which texts are left as they are (prompts). */
  expand(node: Located, scope: Scope, raw: (pointer: string) => boolean = () => false): Expansion {
    const expansion: Expansion = { value: null, unknown: [], deferred: [] };
    const visit = (item: Located, pointer: string): Json => {
      if (item.kind === 'list')
        return item.items.map((member, index) => visit(member, `${pointer}/${index}`));
      if (item.kind === 'map') {
        const object: JsonObject = {};
        for (const [key, { value }] of item.entries) object[key] = visit(value, pointer + pointerTo(key));
        return object;
      }
      if (typeof item.value !== 'string' || !item.value.includes('${{') || raw(pointer)) return item.value;
      const result = this.#scalar(item, item.value, scope);
      if (result.kind === 'value') return result.value;
      if (result.kind === 'failed') expansion.unknown.push(pointer);
      else expansion.deferred.push({ pointer, template: result.template, node: item });
      return null;
    };
    expansion.value = visit(node, '');
    return expansion;
  }

  #scalar(
    node: LocatedScalar,
    text: string,
    scope: Scope,
  ): { kind: 'value'; value: Json } | { kind: 'deferred'; template: string } | { kind: 'failed' } {
    const parts = templateParts(text);
    if ('unclosed' in parts) {
      const span = spanWithin(node, parts.unclosed, parts.unclosed + 3);
      this.#problems.error('expression-unclosed', 'this ${{ is never closed', span, {
        hint: 'close it with }}',
      });
      return { kind: 'failed' };
    }
    const values: Json[] = [];
    let template = '';
    let waits = false;
    let failed = false;
    for (const part of parts) {
      if (part.kind === 'text') {
        values.push(part.text);
        template += part.text;
        continue;
      }
      const folded = this.#fold(part.source, node, part.start, scope, roots);
      if (folded === undefined) {
        failed = true;
        continue;
      }
      const later = `\${{ ${folded.source.trim()} }}`;
      if (folded.waits) {
        waits = true;
        template += later;
        continue;
      }
      const value = this.#evaluate(folded.program, node, part.start, scope);
      if (value === undefined) failed = true;
      else {
        values.push(value);
        // Where secrets may stand nothing else is filled in later.
        template += scope.secrets ? inText(value) : later;
      }
    }
    if (failed) return { kind: 'failed' };
    if (waits) return { kind: 'deferred', template };
    return { kind: 'value', value: parts.length === 1 ? values[0]! : values.map(inText).join('') };
  }

  #evaluate(program: CelProgram, node: LocatedScalar, offset: number, scope: Scope): Json | undefined {
    try {
      return program.evaluate({
        params: scope.params,
        env: scope.env,
        matrix: scope.matrix ?? {},
        run: scope.run,
      });
    } catch (error) {
      this.#reportCel(error, node, offset);
      return undefined;
    }
  }

  /**
   * Checks a bare expression (`when`, `where`, `that`) and writes the values of params, env, matrix and run into it;
   * what it reads beside them stays. `names`: all that it may read; anything if not given.
   */
  bare(node: LocatedScalar, text: string, scope: Scope, names?: readonly string[]): Folded | undefined {
    return this.#fold(text, node, 0, scope, names);
  }

  #fold(
    source: string,
    node: LocatedScalar,
    offset: number,
    scope: Scope,
    names: readonly string[] | undefined,
  ): Folded | undefined {
    const program = this.#compile(source);
    if (program instanceof CelError) {
      this.#reportCel(program, node, offset);
      return undefined;
    }
    let folded = '';
    let template = '';
    let renamed = '';
    let copied = 0;
    let waits = false;
    const replace = (path: CelPath, inSource: string, inTemplate: string, name?: string): void => {
      const before = source.slice(copied, path.start);
      folded += before + inSource;
      template += before + inTemplate;
      renamed += before + (name ?? source.slice(path.start, path.end));
      copied = path.end;
    };
    let failed = false;
    for (const path of program.paths) {
      const value = this.#look(path, node, offset, scope, names);
      if (value === 'failed') failed = true;
      else if (value !== 'other' && 'waits' in value) {
        waits = true;
        const text = value.waits ?? source.slice(path.start, path.end);
        replace(path, text, `\${{ ${text} }}`, text);
      } else if (value !== 'other' && !/\bhas\(\s*$/.test(source.slice(0, path.start))) {
        // has(…) takes a name, not what it stands for.
        const known = literal(value.value, source.includes('/'));
        replace(path, known, known);
      }
    }
    const rest = source.slice(copied);
    if (failed) return undefined;
    return { source: folded + rest, named: renamed + rest, template: template + rest, program, waits };
  }

  /** What a path of an expression stands for. */
  #look(
    path: CelPath,
    node: LocatedScalar,
    offset: number,
    scope: Scope,
    names: readonly string[] | undefined,
  ): { value: Json } | Waits | 'other' | 'failed' {
    const [root, name, ...rest] = path.names;
    const span = spanWithin(node, offset + path.start, offset + path.end);
    const fail = (code: string, message: string, hint?: string): 'failed' => {
      this.#problems.error(code, message, span, hint === undefined ? {} : { hint });
      return 'failed';
    };
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
            hint?.startsWith('did') ? hint : `list it: env: [${name}]`,
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
        if (name === undefined || rest.length > 0 || names !== roots || !isWhole(node, offset, path))
          return fail(
            'secret-form',
            'a secret stands by itself',
            'write ${{ secrets.NAME }}, and text around it',
          );
        return { waits: `secrets.${name}` };
      case 'item':
        if (scope.item === 'known later') return { waits: null };
        if (scope.item === 'too early')
          return fail(
            'metric-too-early',
            'the rows of for_each are not known before steps run, and this decides which steps there are',
          );
        if (names === undefined) return 'other';
        return fail(
          'unknown-name',
          'there is no item here',
          'item is the row of for_each, in with and when of that step',
        );
      case 'steps':
        return this.#step(path, span, scope, fail);
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

  #step(
    path: CelPath,
    span: Reference['span'],
    scope: Scope,
    fail: (code: string, message: string, hint?: string) => 'failed',
  ): Waits | 'failed' {
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
    this.onReference({ step: id, metric: metric ?? null, span });
    if (id === step) return { waits: null };
    const members = [kind, metric, ...rest].filter((name) => name !== undefined);
    const part = (name: string): string =>
      /^[a-z_]\w*$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    return { waits: `steps${[id, ...members].map(part).join('')}` };
  }

  #compile(source: string): CelProgram | CelError {
    let program = this.#programs.get(source);
    if (program === undefined) {
      try {
        program = this.#cel(source);
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        program = error;
      }
      this.#programs.set(source, program);
    }
    return program;
  }

  #reportCel(error: unknown, node: LocatedScalar, offset: number): void {
    if (!(error instanceof CelError)) throw error;
    const codes: Record<string, string> = {
      'cel-syntax': 'expression-syntax',
      'cel-type': 'expression-type',
      'cel-evaluation': 'expression-failed',
    };
    const span = spanWithin(node, offset + error.start, offset + error.end);
    this.#problems.error(
      codes[error.code] ?? 'expression-failed',
      error.message,
      span,
      error.hint ? { hint: error.hint } : {},
    );
  }
}

/** It waits for what is known later: the text that stands for it then; null for the very text of the expression. */
interface Waits {
  waits: string | null;
}

/** Whether a path is all that stands between `${{` and `}}`. */
function isWhole({ value }: LocatedScalar, offset: number, { start, end }: CelPath): boolean {
  const text = String(value);
  return /\$\{\{\s*$/.test(text.slice(0, offset + start)) && /^\s*\}\}/.test(text.slice(offset + end));
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

/** Deferred values as the resolved workflow keeps them. */
export function deferredOf(expansion: Expansion): ResolvedStep['deferred'] {
  return expansion.deferred.map(({ pointer, template, node }) => ({
    pointer,
    template,
    place: placeOf(node),
  }));
}
