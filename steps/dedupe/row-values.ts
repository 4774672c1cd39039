import { hash } from 'node:crypto';
import { canonicalJson, type Json } from '../../engine/json.ts';
import { mapTexts } from '../clean/map-texts.ts';
import { type Normalization, normalize } from './normalize.ts';

/** A text that is equal for equal values, and for no others. */
export function keyOf(values: Json[]): string {
  const [value] = values;
  // The common case, without the cost of JSON. A text with half a surrogate pair has no UTF-8 to be hashed.
  if (values.length === 1 && typeof value === 'string' && value.isWellFormed()) return `"${value}`;
  return canonicalJson(values);
}

/** 52 bits of a hash: enough to tell whether two rows of one group are equal as they stand. */
export function identityOf(key: string): number {
  return Number.parseInt(hash('sha256', key, 'hex').slice(0, 13), 16);
}

/** Normalises every text in a value, also those in lists and objects (the messages of a conversation, say). */
export function normalizeAll(value: Json, options: Normalization): Json {
  return mapTexts(value, (text) => normalize(text, options));
}

/** Values as one text, a field a line: texts as they are, anything else as JSON. Missing ones are left out. */
export function textOf(values: Json[]): string {
  return values
    .filter((value) => value !== null)
    .map((value) => (typeof value === 'string' ? value : canonicalJson(value)))
    .join('\n');
}

/** Characters (UTF-16 code units) of the compared values. */
export function lengthOf(values: Json[]): number {
  return values.reduce<number>(
    (sum, value) =>
      sum + (value === null ? 0 : typeof value === 'string' ? value.length : canonicalJson(value).length),
    0,
  );
}
