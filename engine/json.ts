/** A JSON value: what parameters, rows and records are made of. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/**
 * JSON with sorted keys and no white space, so that equal values give equal bytes.
 * `undefined` members are dropped; non-finite numbers are refused, since JSON has none.
 */
export function canonicalJson(value: unknown): string {
  // What is in order already, as most that the engine builds is, is written by JSON.stringify, five times as fast.
  return isCanonical(value) ? JSON.stringify(value) : written(value);
}

/** Whether JSON.stringify gives the canonical form: keys sorted, and nothing that it would leave out or change. */
function isCanonical(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.every(isCanonical);
  let last = '';
  // Integer-like keys come first, whatever their order as texts.
  for (const key of Object.keys(value)) {
    if (key < last || !isCanonical((value as Record<string, unknown>)[key])) return false;
    last = key;
  }
  return !('toJSON' in value);
}

function written(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`JSON has no number ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    let text = '[';
    for (let index = 0; index < value.length; index++)
      text += (index > 0 ? ',' : '') + written(value[index] ?? null);
    return `${text}]`;
  }
  if (typeof value === 'object') {
    let text = '{';
    for (const key of Object.keys(value).sort()) {
      const member = (value as Record<string, unknown>)[key];
      if (member !== undefined) text += `${text.length > 1 ? ',' : ''}${quoted(key)}:${written(member)}`;
    }
    return `${text}}`;
  }
  throw new TypeError(`cannot write a ${typeof value} as JSON`);
}

/** Most texts need no escapes, and then quoting them is cheap. */
const escaped = /[^\x20\x21\x23-\x5b\x5d-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\uffff]/;

function quoted(text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}
