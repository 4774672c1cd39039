import { dirname } from 'node:path';
import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { Problem } from '../problems.ts';
import { type Located, type LocatedEntry, type LocatedMap, member, type Span, toJson } from './located.ts';
import type { Part } from './part.ts';
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

export function noParams(): ParamValues {
  return { values: {}, unknown: new Set(), folders: new Map() };
}

/** What the call says of params. */
interface Given {
  /** By `--param`; texts are read by the declared type. */
  values: { readonly [name: string]: Json };
  cwd: string;
}

/** Values that an `include`, or the use of a template, gives; undefined for one that could not be had. */
export type GivenParams = ReadonlyMap<string, { key: Span; at: Span; value: Json | undefined }>;

/** A value that stands in a file: a default, or what a profile, an `include` or the use of a template says. */
interface Written {
  value: Json;
  at: Span;
  /** What it is, in messages: `the default of param k`. */
  what: string;
}

/**
 * The values of a workflow's params: what the call gives, else what a chosen profile says, else the defaults. A
 * declaration in the workflow file wins over one of the same name in a file that it includes. Params to which an
 * `include` gives a value are that file's alone.
 */
export function resolveParams(files: readonly Part[], given: Given, problems: ProblemList): ParamValues {
  const declared = new Map<string, { entry: LocatedEntry; file: Part }>();
  for (const file of files)
    for (const [name, entry] of entriesOf(file.root, 'params'))
      if (!declared.has(name) && !file.given?.entries.has(name)) declared.set(name, { entry, file });
  const result = noParams();
  const profiles = files[0]!.profiles;
  for (const profile of profiles) reportStrangers(profile, files[0]!, declared, problems);
  for (const [name, { entry, file }] of declared) {
    const chosen = profiles.map((profile) => entriesOf(profile, 'params').get(name)?.value).find(Boolean);
    const written = chosen && { value: toJson(chosen), at: chosen, what: `param ${name} of the profile` };
    const value = paramValue(name, entry, given.values, written, problems);
    if (value === undefined) {
      result.unknown.add(name);
      continue;
    }
    result.values[name] = value;
    const said = chosen?.file.path ?? file.source.path;
    result.folders.set(name, Object.hasOwn(given.values, name) ? given.cwd : dirname(said));
  }
  for (const name of Object.keys(given.values)) {
    if (declared.has(name)) continue;
    const hint = suggestion(name, [...declared.keys()], 'params') ?? 'the workflow declares no params';
    problems.error('unknown-param', `the workflow has no param "${name}"`, undefined, { hint });
  }
  return result;
}

/** A profile of the workflow names only its params; one of the project serves many workflows. */
function reportStrangers(
  profile: LocatedMap,
  main: Part,
  declared: ReadonlyMap<string, unknown>,
  problems: ProblemList,
): void {
  if (profile.file.path !== main.source.path) return;
  for (const [name, { key }] of entriesOf(profile, 'params')) {
    if (declared.has(name)) continue;
    const hint = suggestion(name, [...declared.keys()], 'params') ?? 'the workflow declares no params';
    problems.error('unknown-param', `the workflow has no param "${name}"`, key, { hint });
  }
}

/**
 * The params of an included file, or of a template, over those around it.
 *
 * @param options.at what gives the values
 * @param options.all whether all its params are its own: else only those to which a value is given
 */
export function innerParams(
  part: Part,
  around: ParamValues,
  options: { given: GivenParams; at: Span; who: string; all: boolean },
  problems: ProblemList,
): ParamValues {
  const { given, at, who, all } = options;
  const result: ParamValues = {
    values: { ...around.values },
    unknown: new Set(around.unknown),
    folders: new Map(around.folders),
  };
  const declared = entriesOf(part.root, 'params');
  for (const [name, { key }] of given) {
    if (declared.has(name)) continue;
    const hint = suggestion(name, [...declared.keys()], 'params') ?? 'it declares none';
    problems.error('unknown-param', `${who} has no param "${name}"`, key, { hint });
  }
  for (const [name, entry] of declared) {
    const said = given.get(name);
    if (said === undefined && !all) continue;
    delete result.values[name];
    result.unknown.delete(name);
    let value: Json | undefined;
    if (said === undefined && entry.value.kind === 'map' && !entry.value.entries.has('default'))
      problems.error('missing-param', `${who} needs the param ${name}`, at, {
        hint: `give it: with: { ${name}: … }`,
      });
    else if (said === undefined) value = paramValue(name, entry, {}, undefined, problems);
    else if (said.value !== undefined) {
      const written = { value: said.value, at: said.at, what: `param ${name} of ${who}` };
      value = paramValue(name, entry, {}, written, problems);
    }
    if (value === undefined) result.unknown.add(name);
    else {
      result.values[name] = value;
      result.folders.set(name, dirname((said?.at ?? entry.value).file.path));
    }
  }
  return result;
}

function entriesOf(root: Located, key: string): LocatedMap['entries'] {
  const node = member(root, key);
  return node?.kind === 'map' ? node.entries : new Map();
}

/** @param chosen a value that stands in for the default */
function paramValue(
  name: string,
  { key, value: node }: LocatedEntry,
  given: { readonly [name: string]: Json },
  chosen: Written | undefined,
  problems: ProblemList,
): Json | undefined {
  if (node.kind !== 'map') return undefined;
  const declaration = toJson(node) as unknown as Declaration;
  if (typeof declaration.type !== 'string') return undefined;
  const type = declaration.type;
  const fallback = node.entries.get('default')?.value;
  const written: Written[] = [
    ...(fallback ? [{ value: toJson(fallback), at: fallback, what: `the default of param ${name}` }] : []),
    ...(chosen ? [chosen] : []),
  ];
  // The declaration's own mistakes are the schema's to report; a value that does not fit is ours.
  for (const { value, at, what } of written) {
    if (typeof value === 'string' && value.includes('${{')) {
      problems.error('expression-not-allowed', `${what} is an expression`, at, {
        hint: 'a param is what the user says; compute from it where it is used',
      });
      return undefined;
    }
    const mistake = misfit(declaration, value);
    if (mistake === undefined) continue;
    problems.error('wrong-param', `${what} ${mistake.message}`, at, mistake.more);
    if (!Object.hasOwn(given, name)) return undefined;
  }
  if (!Object.hasOwn(given, name)) {
    const last = written.at(-1);
    if (last !== undefined) return last.value;
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
