import type { Json } from '../../engine/json.ts';

/** Why a value is not a text that can be embedded. */
export function describeValue(field: string, value: Json): string {
  if (value === null) return `the field "${field}" is missing`;
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : `a ${typeof value}`;
  return `the field "${field}" is ${kind}, not a text`;
}
