import type { Json } from '../../engine/json.ts';
import { instantOf } from '../times.ts';
import { newNotes } from './found.ts';
import { loneSurrogateFlaw, parseJson } from './json-text.ts';

export const castTypes = ['string', 'integer', 'number', 'boolean', 'datetime', 'json'] as const;
export type CastType = (typeof castTypes)[number];

const booleans: Record<string, boolean> = {
  true: true,
  false: false,
  '1': true,
  '0': false,
  yes: true,
  no: false,
};

/**
 * A value as another type; undefined where it cannot be one. An empty text is null for every type but `string`.
 * Integers past 2^53, which a double does not hold, cannot be one. A `datetime` is a text in ISO 8601, of UTC.
 *
 * @param written of a datetime, how its texts are written, where that is not ISO 8601
 */
export function castTo(
  type: CastType,
  value: Json,
  written?: (text: string) => string | undefined,
): Json | undefined {
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  const text = typeof value === 'string' ? value.trim() : undefined;
  if (text === '') return null;
  if (type === 'datetime') {
    const instant = instantOf(text !== undefined && written ? (written(text) ?? '') : value);
    return Number.isNaN(instant) ? undefined : new Date(instant).toISOString();
  }
  if (type === 'json') return text === undefined ? value : parsed(text);
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value;
    const word = (text ?? String(value)).toLowerCase();
    return Object.hasOwn(booleans, word) ? booleans[word] : undefined;
  }
  const number =
    text === undefined
      ? value
      : /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)
        ? Number(text)
        : undefined;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return type === 'integer' && !Number.isSafeInteger(number) ? undefined : number;
}

function parsed(text: string): Json | undefined {
  const result = parseJson(text, newNotes());
  return 'flaw' in result || loneSurrogateFlaw(result.value) ? undefined : result.value;
}
