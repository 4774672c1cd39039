import type { Environment } from '@marcbachmann/cel-js';
import { CelError, type CelFailure, evaluationError, syntaxError, typeError } from './cel-errors.ts';
import { type CelPath, pathsOf, stepReference } from './cel-paths.ts';
import type { Json } from './json.ts';
import { nearest, suggestion } from './nearest.ts';

export { CelError } from './cel-errors.ts';
export type { CelPath } from './cel-paths.ts';

/** A CEL expression, parsed once and evaluated often. */
export interface CelProgram {
  readonly source: string;
  /**
   * The value as JSON; integers become numbers. Names that are not in the scope, missing fields and types that do
   * not fit throw a `CelError`.
   */
  evaluate(scope: Readonly<Record<string, unknown>>): Json;
  /** The same for conditions: anything but true or false is a `CelError`. */
  test(scope: Readonly<Record<string, unknown>>): boolean;
  /** Everything that the expression reads, in the order of the text; variables of macros are not in it. */
  readonly paths: readonly CelPath[];
  /** Steps that it reads: `steps.<id>.metrics.<name>`, or `steps.<id>` where no metric is named. Sorted, each once. */
  references(): string[];
}

export interface CelOptions {
  /** Names that will be in the scope: any other name is a `cel-type` error with a suggestion. */
  variables?: readonly string[];
}

/** Parses an expression; see `loadCel`. */
export type CelCompiler = (source: string, options?: CelOptions) => CelProgram;

let loading: Promise<CelCompiler> | undefined;

/** Loads the CEL package, once, and gives a function that compiles at once. */
export function loadCel(): Promise<CelCompiler> {
  loading ??= import('@marcbachmann/cel-js').then((cel) => createCompiler(new cel.Environment(options)));
  return loading;
}

/** Parses and checks an expression. Throws a `CelError` that says where it is wrong. */
export async function compileCel(source: string, options?: CelOptions): Promise<CelProgram> {
  return (await loadCel())(source, options);
}

const options = { unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false };

function createCompiler(environment: Environment): CelCompiler {
  registerMixedNumbers(environment);
  return (source, { variables } = {}) => {
    let parsed: ReturnType<Environment['parse']>;
    try {
      parsed = environment.parse(source);
    } catch (error) {
      throw syntaxError(source, error as CelFailure);
    }
    const paths = pathsOf(parsed.ast);
    for (const { names, start } of paths) {
      const name = names[0]!;
      if (variables === undefined || variables.includes(name)) continue;
      throw new CelError(
        'cel-type',
        `unknown name "${name}" in the expression`,
        source,
        { start, end: start + name.length },
        nearest(name, variables) === undefined && variables.includes('row')
          ? `a field of the row is written row.${name}`
          : suggestion(name, variables, 'in scope'),
      );
    }
    const checked = environment.check(source);
    if (!checked.valid) throw typeError(source, checked.error as CelFailure);
    const evaluate = (scope: Readonly<Record<string, unknown>>): unknown => {
      try {
        return parsed(scope as Record<string, unknown>);
      } catch (error) {
        throw evaluationError(source, error as CelFailure, scope);
      }
    };
    const whole = { start: 0, end: source.length };
    return {
      source,
      paths,
      evaluate(scope) {
        const value = evaluate(scope);
        const json = toJson(value);
        if (json !== undefined) return json;
        throw new CelError(
          'cel-evaluation',
          `the expression gives ${say(value)}, not a JSON value`,
          source,
          whole,
        );
      },
      test(scope) {
        const value = evaluate(scope);
        if (typeof value === 'boolean') return value;
        const hint = 'compare it with something: ==, !=, <, >, in, has(…)';
        throw new CelError(
          'cel-evaluation',
          `the condition gives ${say(value)}, not true or false`,
          source,
          whole,
          hint,
        );
      },
      references: () => [...new Set(paths.flatMap(stepReference))].sort(),
    };
  };
}

/** JSON knows one kind of number; CEL wants both sides of an operator to be of one kind, unless told otherwise. */
function registerMixedNumbers(environment: Environment): void {
  const arithmetic: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b));
    environment.registerOperator(`double ${operator} int`, mixed);
    environment.registerOperator(`int ${operator} double: double`, mixed);
  }
  environment.registerOperator('double % double', arithmetic['%']!);
  environment.registerOperator('int == double', (a, b) => Number(a) === Number(b));
}

/** JSON for a CEL value; undefined where there is none. */
function toJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'bigint':
      return Number(value);
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value].map(toJson);
    return items.includes(undefined) ? undefined : (items as Json[]);
  }
  const prototype = Object.getPrototypeOf(value);
  if (value instanceof Map || prototype === Object.prototype || prototype === null) {
    const members: [string, Json][] = [];
    for (const [key, member] of value instanceof Map ? value : Object.entries(value)) {
      const json = toJson(member);
      if (json === undefined) return undefined;
      members.push([String(key), json]);
    }
    return Object.fromEntries(members);
  }
  if (prototype.constructor.name === 'UnsignedInteger') return Number(value as { value: number | bigint });
  return undefined;
}

function say(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
