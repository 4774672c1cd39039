import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson, type Json, type JsonObject } from '../../engine/json.ts';
import { type CastType, castTo } from './cast.ts';
import { fieldOf, setField } from './fields.ts';
import type { Flaw } from './found.ts';
import { ContentIds, IdSet } from './ids.ts';
import { timesWritten } from './written-times.ts';

/** How records become rows. All names are the file's own. */
export interface MappingOptions {
  text: readonly string[];
  id?: string | undefined;
  rename: Readonly<Record<string, string>>;
  /** Fields to keep, besides the text and the id; all if undefined. */
  columns?: readonly string[] | undefined;
  cast: Readonly<Record<string, CastType>>;
  datetime_format: Readonly<Record<string, string>>;
}

/** Makes rows of records, and ids. It remembers the ids it has seen: one for all files of a step. */
export class Mapping {
  /** Field names that some record had, for messages about those that none has. */
  readonly seen = new Set<string>();
  readonly #options: MappingOptions;
  readonly #texts: ReadonlySet<string>;
  readonly #kept: ReadonlySet<string> | undefined;
  readonly #casts: readonly (readonly [string, CastType, ((text: string) => string | undefined)?])[];
  /** Names that the mapping gives: a record's own field of that name gives way. */
  readonly #given: ReadonlySet<string>;
  readonly #ids = new IdSet();
  readonly #contentIds = new ContentIds();

  constructor(options: MappingOptions) {
    this.#options = options;
    this.#texts = new Set(options.text);
    this.#kept = options.columns && new Set([...options.columns, ...options.text]);
    const formats = new Map(Object.entries(options.datetime_format));
    this.#casts = Object.entries(options.cast).map(([name, type]) => {
      const format = formats.get(name);
      return format === undefined ? [name, type] : [name, type, timesWritten(format)];
    });
    this.#given = new Set([
      'id',
      ...(options.text.length > 0 ? ['text'] : []),
      ...Object.values(options.rename),
    ]);
  }

  /** Rows whose texts were there before, for rows without an id of their own. */
  get repeatedTexts(): number {
    return this.#contentIds.repeats;
  }

  /** The row of a record, or what is wrong with the record. `identity` is what an id is made of, instead of the text. */
  map(record: JsonObject, identity?: string): Row | Flaw {
    this.notice(record);
    const own = this.#ownId(record);
    if (typeof own === 'object') return own;
    const text = this.#text(record);
    if (text !== undefined && typeof text !== 'string') return text;
    const row = this.#row(record, text);
    if (own !== undefined) {
      if (!this.#ids.add(own))
        return { code: 'repeated_id', reason: `the id ${shortly(own)} is there already` };
      row.id = own;
    } else {
      const content = identity ?? text ?? row['text'];
      row.id = this.#contentIds.next(
        typeof content === 'string' ? content : canonicalJson({ ...row, id: null }),
      );
    }
    return row;
  }

  /** Remembers which fields a record had. */
  notice(record: JsonObject): void {
    if (this.seen.size < 1000) for (const name in record) this.seen.add(name);
  }

  #ownId(record: JsonObject): string | undefined | Flaw {
    const { id } = this.#options;
    if (id === undefined) return undefined;
    const value = fieldOf(record, id);
    if (value === undefined || value === null || value === '')
      return { code: 'missing_id', reason: `the field ${id} is ${absence(value)}`, field: id };
    if (typeof value === 'number') return String(value);
    if (typeof value !== 'string')
      return { code: 'invalid_id', reason: `${id} is ${kindOf(value)}, not a text or a number`, field: id };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
    if (/[\u0000-\u001f\u007f]/.test(value))
      return { code: 'invalid_id', reason: `${id} holds a control character`, field: id };
    return value;
  }

  /** Gives the fields of a record the types that they are to have; the first step of what is done to it. */
  cast(record: JsonObject): Flaw | undefined {
    for (const [name, type, written] of this.#casts) {
      const value = fieldOf(record, name);
      if (value === undefined || value === null) continue;
      const result = castTo(type, value, written);
      if (result === undefined) {
        const given = shortly(typeof value === 'string' ? value : JSON.stringify(value));
        return { code: 'invalid_cast', reason: `${name} is no ${type}: ${given}`, field: name };
      }
      setField(record, name, result);
    }
    return undefined;
  }

  /** The row's text; undefined if no field was named for it. */
  #text(record: JsonObject): string | undefined | Flaw {
    if (this.#texts.size === 0) return undefined;
    const parts: string[] = [];
    for (const name of this.#texts) {
      const value = fieldOf(record, name);
      if (value === undefined || value === null)
        return { code: 'missing_text', reason: `the field ${name} is ${absence(value)}`, field: name };
      if (typeof value === 'object')
        return { code: 'invalid_text', reason: `${name} is ${kindOf(value)}, not a text`, field: name };
      parts.push(String(value));
    }
    return parts.length === 1 ? parts[0]! : parts.join('\n\n');
  }

  #row(record: JsonObject, text: string | undefined): Row {
    const { id, rename } = this.#options;
    const row: Row = { id: '' };
    const textName = this.#texts.size === 1 ? this.#options.text[0] : undefined;
    if (text !== undefined && textName === undefined) row['text'] = text;
    for (const name of Object.keys(record)) {
      if (name === id) continue;
      if (name === textName) {
        row['text'] = text!;
        continue;
      }
      if (this.#kept && !this.#kept.has(name)) continue;
      const target = Object.hasOwn(rename, name)
        ? rename[name]!
        : this.#given.has(name)
          ? freeName(name, record)
          : name;
      setField(row, target, record[name]!);
    }
    return row;
  }
}

/** A record's own `id` stays as `original_id` where the row has another one; likewise for any name. */
export function freeName(name: string, record: JsonObject): string {
  let free = `original_${name}`;
  while (Object.hasOwn(record, free)) free = `original_${free}`;
  return free;
}

function absence(value: null | '' | undefined): string {
  return value === undefined ? 'missing' : value === null ? 'null' : 'empty';
}

/** What a value is, for messages. */
export function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shortly(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text;
}
