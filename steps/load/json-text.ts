import type { Json } from '../../engine/json.ts';
import { deepestNesting, type Flaw, type Notes } from './found.ts';
import { findJsonMistake } from './json-mistake.ts';

/** What a look at a JSON text tells before it is parsed. */
interface Facts {
  depth: number;
  /** Members of all objects together: colons outside strings. */
  members: number;
  /** There is a number that a double may not hold. */
  longNumber: boolean;
  /** There is an escape of a surrogate. */
  surrogateEscape: boolean;
}

const facts: Facts = { depth: 0, members: 0, longNumber: false, surrogateEscape: false };

/** One pass over the text; exact for valid JSON, harmless for anything else. The result is reused by the next call. */
function lookAt(text: string): Facts {
  let depth = 0;
  facts.depth = 0;
  facts.members = 0;
  facts.longNumber = false;
  facts.surrogateEscape = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) {
      for (at++; at < text.length; at++) {
        const inside = text.charCodeAt(at);
        if (inside === 0x22) break;
        if (inside !== 0x5c) continue;
        at++;
        if (text.charCodeAt(at) === 0x75 && (text.charCodeAt(at + 1) | 0x20) === 0x64)
          facts.surrogateEscape = true;
      }
    } else if (unit === 0x3a) {
      facts.members++;
    } else if (unit === 0x7b || unit === 0x5b) {
      depth++;
      if (depth > facts.depth) facts.depth = depth;
    } else if (unit === 0x7d || unit === 0x5d) {
      depth--;
    } else if (unit >= 0x30 && unit <= 0x39) {
      const start = at;
      let exponent = false;
      for (at++; at < text.length; at++) {
        const inside = text.charCodeAt(at);
        if (inside >= 0x30 && inside <= 0x39) continue;
        if ((inside | 0x20) === 0x65) exponent = true;
        else if (inside !== 0x2e && inside !== 0x2b && inside !== 0x2d) break;
      }
      if (exponent || at - start > 15) facts.longNumber = true;
      at--;
    }
  }
  return facts;
}

export type ParsedJson =
  | {
      value: Json;
      /** It holds escapes of surrogates: `loneSurrogateFlaw` tells whether they pair up. */
      surrogates: boolean;
    }
  | { flaw: Flaw; offset?: number };

/**
 * Parses a JSON text, strictly and without losing anything silently:
 * - numbers that a double cannot hold (integers past 2^53 with other digits, overflow, underflow to zero) become strings of their
 *   digits, counted in `notes`
 * - repeated keys are counted; the last one wins, as in JSON.parse
 * - nesting deeper than 200 is a flaw
 */
export function parseJson(text: string, notes: Notes): ParsedJson {
  const { depth, members, longNumber, surrogateEscape } = lookAt(text);
  if (depth > deepestNesting) {
    const reason = `nested ${depth} levels deep; at most ${deepestNesting} are read`;
    return { flaw: { code: 'too_deep', reason } };
  }
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    const { offset, message } = findJsonMistake(text);
    return { flaw: { code: 'invalid_json', reason: `not JSON: ${message}`, column: offset + 1 }, offset };
  }
  if (longNumber) value = withExactNumbers(text, notes);
  const kept = countMembers(value);
  if (kept < members) notes.duplicateKeys += members - kept;
  return { value, surrogates: surrogateEscape };
}

/**
 * The flaw of a value with half of a surrogate pair in a string or key, which UTF-8 cannot hold. In a text from
 * a decoder, U+DC80 to U+DCFF are its bytes that are no UTF-8.
 */
export function loneSurrogateFlaw(value: Json, fromBytes = false): Flaw | undefined {
  const unit = loneSurrogate(value)?.charCodeAt(0);
  if (unit === undefined) return undefined;
  if (fromBytes && unit >= 0xdc80 && unit <= 0xdcff)
    return { code: 'invalid_encoding', reason: `byte 0x${(unit - 0xdc00).toString(16)} is no text in UTF-8` };
  const reason = `\\u${unit.toString(16)} is half of a character: not a text that can be stored`;
  return { code: 'lone_surrogate', reason };
}

/** The first lone surrogate in the strings and keys of a value. */
function loneSurrogate(value: Json): string | undefined {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return undefined;
    return /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(value)?.[0];
  }
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = loneSurrogate(item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    const found = loneSurrogate(key) ?? loneSurrogate(value[key]!);
    if (found !== undefined) return found;
  }
  return undefined;
}

function countMembers(value: Json): number {
  if (value === null || typeof value !== 'object') return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item);
    return count;
  }
  for (const key in value) {
    count++;
    const member = value[key];
    if (typeof member === 'object' && member !== null) count += countMembers(member);
  }
  return count;
}

/** JSON.parse with source texts (ECMA-262, `JSON.parse` reviver context): slower, so only where it matters. */
function withExactNumbers(text: string, notes: Notes): Json {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number') return value;
    const source = context?.source ?? String(value);
    if (isHeld(value, source)) return value;
    notes.exactNumbers++;
    return source;
  };
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Json;
}

/** Whether the double keeps what the digits say: finite, not zero by underflow, and of an integer every digit. */
function isHeld(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (value === 0) return !/[1-9]/.test(source.replace(/[eE].*$/, ''));
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(source) || String(value) === source;
}
