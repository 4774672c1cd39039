import type { Json, JsonObject } from '../../engine/json.ts';
import { castTo } from './cast.ts';
import { fieldOf, setField } from './fields.ts';
import type { Flaw, Item } from './found.ts';

/** Records that types are told from, at most: the first ones. */
export const sampledRecords = 10_000;

export type InferredType = 'number' | 'boolean' | 'text' | 'list' | 'object';

/** The type that most values of a field have. */
export interface Inferred {
  type: InferredType;
  /** Of the values that are not null, the share that fits. */
  share: number;
}

/**
 * The types of the fields of some records: of each field the type that more than half of its values have, null apart. A field
 * whose values are of many types has none.
 *
 * @param texts whether all values were texts, as in CSV: then what they look like counts, and an empty one is null
 * @param except fields that are taken as they are
 */
export function inferTypes(
  items: readonly Item[],
  texts: boolean,
  except: ReadonlySet<string>,
): Map<string, Inferred> {
  const counts = new Map<string, Map<InferredType, number>>();
  for (const item of items) {
    if ('code' in item) continue;
    for (const [field, value] of Object.entries(item.value)) {
      const type = except.has(field) ? undefined : kindOf(value, texts);
      if (type === undefined) continue;
      const known = counts.get(field) ?? new Map<InferredType, number>();
      counts.set(field, known.set(type, (known.get(type) ?? 0) + 1));
    }
  }
  const types = new Map<string, Inferred>();
  for (const [field, kinds] of counts) {
    const all = [...kinds.values()].reduce((sum, count) => sum + count, 0);
    const [type, count] = [...kinds].reduce((most, each) => (each[1] > most[1] ? each : most));
    // A column of texts that look like anything is one of texts.
    if (count * 2 > all) types.set(field, { type, share: type === 'text' && texts ? 1 : count / all });
    else if (texts) types.set(field, { type: 'text', share: 1 });
  }
  return types;
}

/** What is wrong with a record by these types. Values that were texts become of the type. */
export function fitTypes(
  record: JsonObject,
  types: ReadonlyMap<string, Inferred>,
  texts: boolean,
): Flaw | undefined {
  for (const [field, { type, share }] of types) {
    const value = fieldOf(record, field);
    if (value === undefined || value === null || (texts && type === 'text')) continue;
    if (texts && value === '') {
      setField(record, field, null);
      continue;
    }
    if (kindOf(value, texts) === type) {
      const cast = texts && (type === 'number' || type === 'boolean') ? castTo(type, value) : value;
      if (cast !== undefined) {
        setField(record, field, cast);
        continue;
      }
    }
    const given = JSON.stringify(value);
    const shown = given.length > 60 ? `${given.slice(0, 60).toWellFormed()}…` : given;
    const rest = share < 1 ? `as ${Math.floor(share * 1000) / 10}% of the values are` : 'as the others are';
    return { code: 'unusual_type', reason: `${field} is no ${type}, ${rest}: ${shown}`, field };
  }
  return undefined;
}

/** `score number, text text`: for the log. */
export function shownTypes(types: ReadonlyMap<string, Inferred>): string {
  return [...types].map(([field, { type }]) => `${field} ${type}`).join(', ');
}

function kindOf(value: Json, texts: boolean): InferredType | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'object') return 'object';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  if (!texts) return 'text';
  const text = value.trim();
  if (text === '') return undefined;
  // A number with a zero in front is a code (007, a post code), as are digits past 2^53.
  if (/^[+-]?(0|[1-9]\d*)$/.test(text)) return castTo('integer', text) === undefined ? 'text' : 'number';
  const isDecimal = /^[+-]?(0|[1-9]\d*|(?=\.))(\.\d+)?([eE][+-]?\d+)?$/.test(text);
  if (isDecimal && castTo('number', text) !== undefined) return 'number';
  return /^(true|false)$/i.test(text) ? 'boolean' : 'text';
}
