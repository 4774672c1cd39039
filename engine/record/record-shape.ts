import schema from '../../schemas/run.schema.json' with { type: 'json' };

/** The words of JSON Schema that `schemas/run.schema.json` says the shape of a record in; others only explain. */
export interface Shape {
  $ref?: string;
  type?: string | readonly string[];
  const?: unknown;
  enum?: readonly unknown[];
  pattern?: string;
  properties?: Readonly<Record<string, Shape>>;
  required?: readonly string[];
  additionalProperties?: boolean | Shape;
  items?: Shape;
  anyOf?: readonly Shape[];
  oneOf?: readonly Shape[];
}

const whole = schema as unknown as Shape & { $defs: Readonly<Record<string, Shape>> };

/** Members of the first line of run.json, in order. */
export const headMembers = [
  'format',
  'id',
  'status',
  'started',
  'finished',
  'duration_ms',
  'process',
  'summary',
] as const;

/** The head of a record. Its format is not asked for: a list shows what it can of runs of a later version. */
const head: Shape = {
  type: 'object',
  properties: Object.fromEntries(
    headMembers.flatMap((name) => (name === 'format' ? [] : [[name, whole.properties![name]!]])),
  ),
  required: headMembers,
};

/** The first thing that is not as it must be, with where it stands: `steps[2].metrics`; empty for the value itself. */
interface Flaw {
  path: string;
  problem: string;
}

/** Null for a value without a flaw. Paths are put together on the way back: such a value costs no text. */
type Check = (value: unknown) => Flaw | null;

/**
 * What is wrong with a value that should be a run's record: `steps[2].metrics must be an object, and is 5`. Null if it
 * has the shape of `schemas/run.schema.json`. Members that it does not know are passed over: a later version may write more.
 * A record of 1,000 steps takes a few milliseconds; a JSON Schema validator would take more to be loaded.
 */
export function recordFlaw(value: unknown): string | null {
  return said(checkOf(whole)(value));
}

/** The same of what the first line of run.json holds. */
export function headFlaw(value: unknown): string | null {
  return said(checkOf(head)(value));
}

function said(flaw: Flaw | null): string | null {
  return flaw && `${flaw.path === '' ? 'it' : flaw.path.replace(/^\./, '')} ${flaw.problem}`;
}

const checks = new Map<Shape, Check>();

/** The check of a shape, made when it is first needed. */
function checkOf(shape: Shape): Check {
  let check = checks.get(shape);
  if (check === undefined) {
    check = makeCheck(shape);
    checks.set(shape, check);
  }
  return check;
}

function makeCheck(shape: Shape): Check {
  if (shape.$ref !== undefined) return checkOf(whole.$defs[shape.$ref.slice('#/$defs/'.length)]!);
  const choices = shape.anyOf ?? shape.oneOf;
  if (choices !== undefined) return checkOfAll(choices);
  const types = [shape.type ?? []].flat();
  const { enum: values = 'const' in shape ? [shape.const] : undefined } = shape;
  const pattern = shape.pattern === undefined ? undefined : new RegExp(shape.pattern, 'u');
  const [items, members] = [shape.items && checkOf(shape.items), checkOfMembers(shape)];
  return (value) => {
    if (types.length > 0 && !types.some((type) => isOfType(value, type)))
      return wrong(value, types.map((type) => typeNames[type]!).join(' or '));
    if (values && !values.includes(value))
      return wrong(value, values.map((item) => JSON.stringify(item)).join(' or '));
    if (typeof value === 'string')
      return pattern === undefined || pattern.test(value)
        ? null
        : wrong(value, `of the form ${pattern.source}`);
    if (typeof value !== 'object' || value === null) return null;
    if (!Array.isArray(value)) return members(value as Record<string, unknown>);
    for (let index = 0; items !== undefined && index < value.length; index++) {
      const flaw = items(value[index]);
      if (flaw !== null) return { ...flaw, path: `[${index}]${flaw.path}` };
    }
    return null;
  };
}

function checkOfMembers(shape: Shape): (value: Readonly<Record<string, unknown>>) => Flaw | null {
  const { properties = {}, required = [], additionalProperties } = shape;
  const members = Object.entries(properties).map(([name, own]) => [name, checkOf(own)] as const);
  const other = typeof additionalProperties === 'object' ? checkOf(additionalProperties) : undefined;
  return (value) => {
    // JSON has no undefined, and no member of a record is called like one that every object inherits.
    for (const name of required)
      if (value[name] === undefined) return { path: member(name), problem: 'is missing' };
    for (const [name, check] of members) {
      const item = value[name];
      const flaw = item === undefined ? null : check(item);
      if (flaw !== null) return { ...flaw, path: `${member(name)}${flaw.path}` };
    }
    if (other === undefined) return null;
    for (const [name, item] of Object.entries(value)) {
      const flaw = Object.hasOwn(properties, name) ? null : other(item);
      if (flaw !== null) return { ...flaw, path: `${member(name)}${flaw.path}` };
    }
    return null;
  };
}

/** A value must have one of several shapes: if it has none, what is wrong with the one that it is meant to have. */
function checkOfAll(shapes: readonly Shape[]): Check {
  const choices = shapes.map((shape) => ({ isMeant: meaning(shape), check: checkOf(shape) }));
  const takesNull = shapes.some(({ type }) => type === 'null');
  return (value) => {
    if (value === null && takesNull) return null;
    const flaws: Flaw[] = [];
    for (const { isMeant, check } of choices) {
      if (!isMeant(value)) continue;
      const flaw = check(value);
      if (flaw === null) return null;
      flaws.push(flaw);
    }
    return flaws.find(({ path }) => path !== '') ?? flaws[0] ?? wrong(value, 'of a kind that is known');
  };
}

/** Whether the members that tell shapes apart (the `kind` of an artefact) are those of this one. */
function meaning({ properties = {} }: Shape): (value: unknown) => boolean {
  const constants = Object.entries(properties).filter(([, shape]) => 'const' in shape);
  return (value) =>
    typeof value !== 'object' ||
    value === null ||
    constants.every(([name, shape]) => (value as Record<string, unknown>)[name] === shape.const);
}

function wrong(value: unknown, expected: string): Flaw {
  const text = JSON.stringify(value) ?? 'nothing';
  return {
    path: '',
    problem: `must be ${expected}, and is ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`,
  };
}

function member(name: string): string {
  return /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

/** The engine's own words in a record: names of members, and values that are one of a few. */
export function recordWords(): string[] {
  const words = new Set<string>();
  const walk = (value: unknown, isMembers: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (isMembers) words.add(key);
      if (key === 'enum' || key === 'const')
        for (const word of [inner].flat()) if (typeof word === 'string') words.add(word);
      walk(inner, key === 'properties' && !isMembers);
    }
  };
  walk(schema, false);
  return [...words];
}
