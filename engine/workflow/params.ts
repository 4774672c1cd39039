import { dirname } from 'node:path';
import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { Problem } from '../problems.ts';
import type { WorkflowFile } from './load.ts';
import { type LocatedEntry, type LocatedMap, toJson } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import { say } from './words.ts';

export interface ParamValues {
  values: JsonObject;
  /** Params that are declared and have no usable value; the problem is reported. */
  unknown: Set<string>;
  /** The folder that a value's `./path` is relative to. */
  folders: Map<string, string>;
}

interface Declaration {
  type: string;
  default?: Json;
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  min_length?: number;
  max_length?: number;
  pattern?: string;
}

/**
 * The values of a workflow's params: what the call gives, else the defaults. A declaration in the workflow file wins
 * over one of the same name in a file that it includes.
 */
export function resolveParams(
  files: readonly WorkflowFile[],
  given: { readonly [name: string]: Json },
  cwd: string,
  problems: ProblemList,
): ParamValues {
  const declared = new Map<string, { entry: LocatedEntry; file: WorkflowFile }>();
  for (const file of files) {
    const params = file.root.entries.get('params')?.value;
    if (params?.kind !== 'map') continue;
    for (const [name, entry] of params.entries) if (!declared.has(name)) declared.set(name, { entry, file });
  }
  const result: ParamValues = { values: {}, unknown: new Set(), folders: new Map() };
  for (const [name, { entry, file }] of declared) {
    const value = paramValue(name, entry, given, problems);
    if (value === undefined) {
      result.unknown.add(name);
      continue;
    }
    result.values[name] = value;
    result.folders.set(name, Object.hasOwn(given, name) ? cwd : dirname(file.source.path));
  }
  for (const name of Object.keys(given)) {
    if (declared.has(name)) continue;
    const hint = suggestion(name, [...declared.keys()], 'params') ?? 'the workflow declares no params';
    problems.error('unknown-param', `the workflow has no param "${name}"`, undefined, { hint });
  }
  return result;
}

function paramValue(
  name: string,
  { key, value: node }: LocatedEntry,
  given: { readonly [name: string]: Json },
  problems: ProblemList,
): Json | undefined {
  if (node.kind !== 'map') return undefined;
  const declaration = toJson(node) as unknown as Declaration;
  if (typeof declaration.type !== 'string') return undefined;
  const type = declaration.type;
  const fallback = (node as LocatedMap).entries.get('default');
  // The declaration's own mistakes are the schema's to report; a default that does not fit is ours.
  if (fallback !== undefined) {
    const text = declaration.default;
    if (typeof text === 'string' && text.includes('${{')) {
      problems.error(
        'expression-not-allowed',
        `the default of param ${name} is an expression`,
        fallback.value,
        {
          hint: 'a param is what the user says; compute from it where it is used',
        },
      );
      return undefined;
    }
    const mistake = misfit(declaration, declaration.default ?? null);
    if (mistake !== undefined) {
      problems.error(
        'wrong-param',
        `the default of param ${name} ${mistake.message}`,
        fallback.value,
        mistake.more,
      );
      if (!Object.hasOwn(given, name)) return undefined;
    }
  }
  if (!Object.hasOwn(given, name)) {
    if (fallback !== undefined) return declaration.default;
    problems.error('missing-param', `param ${name} has no default, and the call does not give it`, key, {
      hint: `give it with --param ${name}=…, or declare a default`,
    });
    return undefined;
  }
  const raw = given[name]!;
  const value = typeof raw === 'string' ? parseText(raw, type) : raw;
  const mistake =
    value === undefined
      ? { message: `must be ${typeNames[type] ?? type}, not ${say(raw)}`, more: {} }
      : misfit(declaration, value);
  if (mistake === undefined) return value;
  problems.error('wrong-param', `--param ${name} ${mistake.message}`, undefined, {
    ...mistake.more,
    trail: [{ place: key.file.place(key.start, key.end), message: 'declared here' }],
  });
  return undefined;
}

const typeNames: Record<string, string> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

/** A text from the command line as a value of a type; undefined if it is none. */
export function parseText(text: string, type: string): Json | undefined {
  const trimmed = text.trim();
  switch (type) {
    case 'string':
      return text;
    case 'integer':
      return /^[+-]?\d+$/.test(trimmed) && Number.isSafeInteger(Number(trimmed))
        ? Number(trimmed)
        : undefined;
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) && Number.isFinite(Number(trimmed))
        ? Number(trimmed)
        : undefined;
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : undefined;
    case 'array':
    case 'object':
      try {
        return JSON.parse(trimmed) as Json;
      } catch {
        // `a,b,c` is what people type for a list.
        return type === 'array' && !/^[[{]/.test(trimmed)
          ? trimmed.split(',').map((item) => item.trim())
          : undefined;
      }
    default:
      return undefined;
  }
}

interface Misfit {
  message: string;
  more: Pick<Problem, 'hint'>;
}

function misfit(declaration: Declaration, value: Json): Misfit | undefined {
  const { type } = declaration;
  const wrong = (message: string, hint?: string): Misfit => ({
    message,
    more: hint === undefined ? {} : { hint },
  });
  if (!(type in typeNames)) return undefined;
  const fits =
    type === 'array'
      ? Array.isArray(value)
      : type === 'object'
        ? typeof value === 'object' && value !== null && !Array.isArray(value)
        : type === 'integer'
          ? Number.isInteger(value)
          : typeof value === type;
  if (!fits) {
    const quoted = type === 'string' && (typeof value === 'number' || typeof value === 'boolean');
    const bare =
      /integer|number/.test(type) &&
      typeof value === 'string' &&
      value !== '' &&
      Number.isFinite(Number(value));
    return wrong(
      `must be ${typeNames[type]}, not ${say(value)}`,
      quoted ? `put it in quotes: "${value}"` : bare ? `write ${value} without quotes` : undefined,
    );
  }
  if (
    Array.isArray(declaration.enum) &&
    !declaration.enum.some((item) => JSON.stringify(item) === JSON.stringify(value))
  ) {
    const names = declaration.enum.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
    return wrong(
      `must be one of ${names.join(', ')}; it is ${say(value)}`,
      suggestion(String(value), names, 'allowed'),
    );
  }
  const { minimum, maximum, min_length: shortest, max_length: longest, pattern } = declaration;
  if (typeof value === 'number') {
    if (typeof minimum === 'number' && value < minimum)
      return wrong(`must be at least ${minimum}, not ${value}`);
    if (typeof maximum === 'number' && value > maximum)
      return wrong(`must be at most ${maximum}, not ${value}`);
  }
  if (typeof value === 'string' || Array.isArray(value)) {
    if (typeof shortest === 'number' && value.length < shortest)
      return wrong(`must have a length of at least ${shortest}, not ${value.length}`);
    if (typeof longest === 'number' && value.length > longest)
      return wrong(`must have a length of at most ${longest}, not ${value.length}`);
  }
  if (typeof value === 'string' && typeof pattern === 'string') {
    try {
      if (!new RegExp(pattern, 'u').test(value))
        return wrong(`is ${say(value)}, which does not match ${pattern}`);
    } catch {
      return wrong(`has a pattern that is no regular expression: ${pattern}`);
    }
  }
  return undefined;
}
