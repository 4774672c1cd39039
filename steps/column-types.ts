import type { Row } from '../engine/artefacts.ts';
import type { Json } from '../engine/json.ts';

/** The narrowest type that holds the values of a column, null apart. `json` holds what is mixed. */
export type ColumnType =
  | { readonly kind: 'boolean' | 'double' | 'text' | 'json' }
  | { readonly kind: 'integer'; readonly bits: 32 | 64 }
  | { readonly kind: 'list'; readonly item: ColumnType | undefined }
  | { readonly kind: 'struct'; readonly members: ReadonlyMap<string, ColumnType | undefined> };

const scalars = {
  boolean: { kind: 'boolean' },
  text: { kind: 'text' },
  int32: { kind: 'integer', bits: 32 },
  int64: { kind: 'integer', bits: 64 },
  double: { kind: 'double' },
  json: { kind: 'json' },
} as const satisfies { [name: string]: ColumnType };

/** Objects with more members than that are maps of any keys rather than records: JSON. */
const mostMembers = 64;
/** Lists and objects within each other, at most. */
const deepest = 8;

/**
 * The types of the fields of rows that pass by, in the order in which fields first occur. A field that no row had a value
 * of has none. Integers are those that a double holds exactly.
 */
export class ColumnTypes {
  readonly #types = new Map<string, ColumnType | undefined>();

  readonly #only: boolean;

  /** @param fields those that are looked at, in their order; all that occur if not given */
  constructor(fields?: readonly string[]) {
    this.#only = fields !== undefined;
    for (const field of fields ?? []) this.#types.set(field, undefined);
  }

  add(row: Row): void {
    for (const field in row) {
      if (!Object.hasOwn(row, field)) continue;
      const known = this.#types.get(field);
      if (known === undefined && this.#only && !this.#types.has(field)) continue;
      const type = widened(known, row[field]!, 0);
      if (type !== known || known === undefined) this.#types.set(field, type);
    }
  }

  /** Names a field that rows may have no value of. */
  note(field: string): void {
    if (!this.#types.has(field)) this.#types.set(field, undefined);
  }

  get all(): ReadonlyMap<string, ColumnType | undefined> {
    return this.#types;
  }
}

/** The narrowest type that holds what `type` holds, and the value. */
function widened(type: ColumnType | undefined, value: Json, depth: number): ColumnType | undefined {
  if (value === null || type === scalars.json) return type;
  if (typeof value === 'string')
    return type === undefined || type === scalars.text ? scalars.text : scalars.json;
  if (typeof value === 'boolean')
    return type === undefined || type === scalars.boolean ? scalars.boolean : scalars.json;
  if (typeof value === 'number') return numeric(type, value);
  if (depth === deepest) return scalars.json;
  if (Array.isArray(value)) {
    if (type !== undefined && type.kind !== 'list') return scalars.json;
    let item = type?.item;
    for (const member of value) item = widened(item, member, depth + 1);
    return type !== undefined && item === type.item ? type : { kind: 'list', item };
  }
  if (type !== undefined && type.kind !== 'struct') return scalars.json;
  return withMembers(type?.members, value, depth) ?? type;
}

function numeric(type: ColumnType | undefined, value: number): ColumnType {
  const own =
    !Number.isSafeInteger(value) || Object.is(value, -0)
      ? scalars.double
      : value === (value | 0)
        ? scalars.int32
        : scalars.int64;
  if (type === undefined || type === own) return own;
  if (type.kind === 'integer') return type.bits === 64 && own === scalars.int32 ? type : own;
  return type.kind === 'double' ? type : scalars.json;
}

/** A struct with the members of an object beside those known; undefined if that is the same one. */
function withMembers(
  known: ReadonlyMap<string, ColumnType | undefined> | undefined,
  value: { [name: string]: Json },
  depth: number,
): ColumnType | undefined {
  let members: Map<string, ColumnType | undefined> | undefined;
  for (const name of Object.keys(value)) {
    const before = known?.get(name);
    const after = widened(before, value[name]!, depth + 1);
    if (known?.has(name) && before === after) continue;
    members ??= new Map(known);
    members.set(name, after);
  }
  const all = members ?? known;
  // An object without members, or with names that are hard to tell apart, is no record.
  if (all === undefined || all.size > mostMembers || !areNames(all.keys())) return scalars.json;
  return members && { kind: 'struct', members };
}

function areNames(names: Iterable<string>): boolean {
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    if (name === '' || name === '__proto__' || seen.has(lower)) return false;
    seen.add(lower);
  }
  return true;
}
