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

/**
 * What is wrong with a value that should be a run's record: `steps[2].metrics must be an object, and is 5`. Null if it
 * has the shape of `schemas/run.schema.json`. Members that it does not know are passed over: a later version may write more.
 * A record of 1,000 steps takes some milliseconds; a JSON Schema validator would take more to be loaded.
 */
export function recordFlaw(value: unknown): string | null {
  return said(flawOf(value, whole));
}

/** The same of what the first line of run.json holds. */
export function headFlaw(value: unknown): string | null {
  return said(flawOf(value, head));
}

function said(flaw: Flaw | null): string | null {
  return flaw && `${flaw.path === '' ? 'it' : flaw.path.replace(/^\./, '')} ${flaw.problem}`;
}

/** The path is put together on the way back: a value without a flaw costs no text. */
function flawOf(value: unknown, shape: Shape): Flaw | null {
  if (shape.$ref !== undefined) return flawOf(value, definition(shape.$ref));
  const choices = shape.anyOf ?? shape.oneOf;
  if (choices !== undefined) return flawOfAll(value, choices);
  const { type, pattern } = shape;
  if (type !== undefined && !isOfType(value, type)) return wrong(value, namesOf(type));
  if ('const' in shape && value !== shape.const) return wrong(value, JSON.stringify(shape.const));
  if (shape.enum && !shape.enum.includes(value))
    return wrong(value, shape.enum.map((item) => JSON.stringify(item)).join(' or '));
  if (typeof value === 'string')
    return pattern === undefined || expression(pattern).test(value)
      ? null
      : wrong(value, `of the form ${pattern}`);
  if (typeof value !== 'object' || value === null) return null;
  return Array.isArray(value) ? flawOfItems(value, shape) : flawOfMembers(value, shape);
}

function flawOfItems(list: readonly unknown[], { items }: Shape): Flaw | null {
  if (items === undefined) return null;
  for (let index = 0; index < list.length; index++) {
    const flaw = flawOf(list[index], items);
    if (flaw !== null) return { ...flaw, path: `[${index}]${flaw.path}` };
  }
  return null;
}

function flawOfMembers(value: object, { properties, required, additionalProperties }: Shape): Flaw | null {
  for (const name of required ?? [])
    if (!Object.hasOwn(value, name)) return { path: member(name), problem: 'is missing' };
  const other = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  for (const [name, item] of Object.entries(value)) {
    const shape = properties && Object.hasOwn(properties, name) ? properties[name] : other;
    const flaw = shape === undefined ? null : flawOf(item, shape);
    if (flaw !== null) return { ...flaw, path: `${member(name)}${flaw.path}` };
  }
  return null;
}

/** The value must have one of several shapes: if it has none, what is wrong with the one that it is meant to have. */
function flawOfAll(value: unknown, shapes: readonly Shape[]): Flaw | null {
  const flaws: Flaw[] = [];
  for (const shape of shapes.filter((one) => isMeant(value, one))) {
    const flaw = flawOf(value, shape);
    if (flaw === null) return null;
    flaws.push(flaw);
  }
  return flaws.find(({ path }) => path !== '') ?? flaws[0] ?? wrong(value, 'of a kind that is known');
}

/** Whether the members that tell shapes apart (the `kind` of an artefact) are those of this one. */
function isMeant(value: unknown, { properties = {} }: Shape): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(properties).every(
    ([name, shape]) => !('const' in shape) || (value as Record<string, unknown>)[name] === shape.const,
  );
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

function isOfType(value: unknown, type: string | readonly string[]): boolean {
  if (typeof type !== 'string') return type.some((one) => isOfType(value, one));
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

function namesOf(type: string | readonly string[]): string {
  return [type]
    .flat()
    .map((name) => typeNames[name]!)
    .join(' or ');
}

function definition(reference: string): Shape {
  return whole.$defs[reference.slice('#/$defs/'.length)]!;
}

const expressions = new Map<string, RegExp>();

function expression(pattern: string): RegExp {
  let known = expressions.get(pattern);
  if (known === undefined) {
    known = new RegExp(pattern, 'u');
    expressions.set(pattern, known);
  }
  return known;
}
