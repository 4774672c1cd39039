import { CelError, type CelProgram, loadCel } from '../../engine/cel.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { FromSchema } from '../../engine/schema-type.ts';
import { saidBeyond, ungrounded } from '../grounding.ts';
import { secondsOf, timestampsIn } from '../times.ts';
import { checkKinds, type checksSchema } from './checks-schema.ts';

export type Check = FromSchema<typeof checksSchema>[number];
type CheckKind = (typeof checkKinds)[number];

/** What is wrong with a row, by the names of the checks; null where one holds. */
export type CheckResults = { [name: string]: string | null };

/** The checks of a step by their names; two of one kind are told apart by numbers. */
export function namedChecks(checks: readonly Check[]): { name: string; kind: CheckKind; check: Check }[] {
  const used = new Set<string>();
  return checks.map((check) => {
    const kind = kindsOf(check)[0]!;
    const wanted = check.name ?? kind;
    let name: string = wanted;
    for (let number = 2; used.has(name); number++) name = `${wanted}_${number}`;
    used.add(name);
    return { name, kind, check };
  });
}

export function kindsOf(check: Check): CheckKind[] {
  return checkKinds.filter((kind) => check[kind] !== undefined);
}

/** Prepares the checks; gives what makes them on a row. `answer`: the field that is checked where none is said. */
export async function openChecks(
  checks: readonly Check[],
  answer: string,
  scope: { params: JsonObject; env: Readonly<Record<string, string>> },
): Promise<(row: JsonObject) => CheckResults> {
  const made = await Promise.all(
    namedChecks(checks).map(async ({ name, kind, check }) => {
      const test =
        kind === 'where' ? await condition(check.where!, scope) : await valueTest(kind, check, answer);
      return { name, test };
    }),
  );
  return (row) => Object.fromEntries(made.map(({ name, test }) => [name, test(row)]));
}

type RowTest = (row: JsonObject) => string | null;

/** A condition that cannot be computed does not hold. */
async function condition(
  source: string,
  scope: { params: JsonObject; env: Readonly<Record<string, string>> },
): Promise<RowTest> {
  const compile = await loadCel();
  const program: CelProgram = compile(source, { variables: ['row', 'params', 'env'] });
  return (row) => {
    try {
      return program.test({ ...scope, row }) ? null : `${source} is false`;
    } catch (error) {
      if (error instanceof CelError) return `${source} cannot be computed: ${error.message}`;
      throw error;
    }
  };
}

async function valueTest(kind: CheckKind, check: Check, answer: string): Promise<RowTest> {
  const field = check.field ?? answer;
  const validate = check.schema && (await schemaTest(check.schema));
  const regex = check.regex ?? check.not_regex;
  const pattern = regex === undefined ? undefined : new RegExp(regex, 'u');
  return (row) => {
    let value: Json = row[field] ?? null;
    if (check.at !== undefined) {
      const found = valueAt(value, check.at);
      if (found === undefined) return `${field} has no ${check.at}`;
      value = found;
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const where = check.at === undefined ? field : `${field} at ${check.at}`;
    switch (kind) {
      case 'json':
        return parsed(value) === undefined ? `${where} is no JSON` : null;
      case 'schema': {
        const json = parsed(value);
        return json === undefined ? `${where} is no JSON` : validate!(json);
      }
      case 'regex':
        return pattern!.test(text) ? null : `${where} does not match ${regex}`;
      case 'not_regex':
        return pattern!.test(text) ? `${where} matches ${regex}` : null;
      case 'contains':
        return text.includes(check.contains!) ? null : `${where} does not contain "${check.contains}"`;
      case 'not_contains':
        return text.includes(check.not_contains!) ? `${where} contains "${check.not_contains}"` : null;
      case 'equals': {
        const other = row[check.equals!] ?? null;
        const same = text.trim() === (typeof other === 'string' ? other : JSON.stringify(other)).trim();
        return same ? null : `${where} is not the same as ${check.equals}`;
      }
      case 'one_of':
        return check.one_of!.includes(text.trim()) ? null : `${where} is none of ${check.one_of!.join(', ')}`;
      case 'characters':
        return outside(`${where} has %s characters`, [...text].length, check.characters!);
      case 'words':
        return outside(`${where} has %s words`, text.split(/\s+/u).filter(Boolean).length, check.words!);
      case 'range': {
        const number = numberOf(value);
        return number === null ? `${where} is no number` : outside(`${where} is %s`, number, check.range!);
      }
      case 'duration': {
        const seconds = secondsOf(value);
        return seconds === null
          ? `${where} is no duration`
          : outside(`${where} is %s seconds`, seconds, check.duration!);
      }
      case 'grounded':
        return beyond(where, value, check.grounded!, row);
      default:
        return wrongTimestamps(where, text, check.timestamps!);
    }
  };
}

function outside(said: string, value: number, { min, max }: { min?: number; max?: number }): string | null {
  const shown = said.replace('%s', String(value));
  if (min !== undefined && value < min) return `${shown}, less than ${min}`;
  return max !== undefined && value > max ? `${shown}, more than ${max}` : null;
}

/** What an answer says that the source does not. */
function beyond(where: string, value: Json, fields: readonly string[], row: JsonObject): string | null {
  const missing = fields.find((field) => (row[field] ?? null) === null);
  if (missing !== undefined) return `${missing} is not there`;
  const source = fields
    .map((field) => row[field]!)
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
    .join('\n');
  const json = parsed(value);
  const made =
    typeof json === 'object' && json !== null
      ? ungrounded(json, {}, source)
      : saidBeyond(String(value), source);
  return made.length === 0
    ? null
    : `${where} has what is not in ${fields.join(', ')}: ${made.slice(0, 5).join(', ')}`;
}

function wrongTimestamps(
  where: string,
  text: string,
  wanted: NonNullable<Check['timestamps']>,
): string | null {
  const found = timestampsIn(text);
  const impossible = found.find(({ seconds }) => seconds === null);
  if (impossible) return `${where} has a time that there is not: ${impossible.text}`;
  if (found.length < (wanted.count ?? 1)) return `${where} has ${found.length} timestamps`;
  for (const [index, { text: shown, seconds }] of found.entries()) {
    if (wanted.min !== undefined && seconds! < wanted.min)
      return `${where}: ${shown} is before ${wanted.min} s`;
    if (wanted.max !== undefined && seconds! > wanted.max)
      return `${where}: ${shown} is after ${wanted.max} s`;
    const before = found[index - 1];
    if (wanted.rising && before && seconds! <= before.seconds!)
      return `${where}: ${shown} is not after ${before.text}`;
  }
  return null;
}

/** A text as JSON; any other value is JSON already. Undefined if it is none. */
function parsed(value: Json): Json | undefined {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}

function valueAt(value: Json, path: string): Json | undefined {
  let at: Json | undefined = parsed(value);
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as JsonObject)[name];
  }
  return at;
}

function numberOf(value: Json): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value.trim());
  return Number.isFinite(number) ? number : null;
}

async function schemaTest(schema: JsonObject): Promise<(value: Json) => string | null> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  return (value) => {
    if (validate(value)) return null;
    const [first] = validate.errors ?? [];
    return `${first?.instancePath || 'it'} ${first?.message}`;
  };
}
