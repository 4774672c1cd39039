import type { JsonObject } from '../../engine/json.ts';

/** A record of a file that could be read. */
export interface Found {
  /** Place among the file's records, from 1. */
  record: number;
  /** Line that it starts on, from 1; null where a format has no lines. */
  line: number | null;
  /** Finds the line where it is not known yet, and only wanted if the record is turned away. */
  lineOf?: (record: number) => number | null;
  value: JsonObject;
  /** The record as it stands in the file; undefined where a format has no text. */
  raw: string | undefined;
}

/** Why a record was turned away: stable, searchable, counted. */
export type RejectCode =
  | 'invalid_json'
  | 'not_an_object'
  | 'invalid_encoding'
  | 'lone_surrogate'
  | 'too_deep'
  | 'too_long'
  | 'too_short'
  | 'wrong_field_count'
  | 'unclosed_quote'
  | 'text_after_quote'
  | 'non_finite_number'
  | 'far_time'
  | 'missing_id'
  | 'invalid_id'
  | 'repeated_id'
  | 'missing_text'
  | 'invalid_text'
  | 'invalid_cast'
  | 'invalid_conversation'
  | 'invalid_question'
  | 'schema_mismatch'
  | 'unusual_type'
  | 'invalid_code'
  | 'trivial'
  | 'test'
  | 'dunder'
  | 'unreadable_file';

/** What is wrong with a record, and where in it. */
export interface Flaw {
  code: RejectCode;
  reason: string;
  /** Column in the line (for JSON read whole: in the line of the mistake), from 1. */
  column?: number;
  /** The field it is about. */
  field?: string;
}

/** A record that is turned away. */
export interface Malformed extends Flaw {
  record: number;
  line: number | null;
  raw: string;
}

/** What a reader yields, in the order of the file. */
export type Item = Found | Malformed;

/** What readers notice without turning a record away; it ends up in warnings and metrics. */
export interface Notes {
  /** Members of JSON objects that a later member with the same key replaced. */
  duplicateKeys: number;
  /** Numbers that a double cannot hold, kept as their digits in a string. */
  exactNumbers: number;
  /** NaN in a binary format, which JSON has no number for, read as null. */
  notANumber: number;
  /** Anything else, once each. */
  messages: Set<string>;
}

export function newNotes(): Notes {
  return { duplicateKeys: 0, exactNumbers: 0, notANumber: 0, messages: new Set() };
}

/** Longest line or CSV record, in UTF-16 code units. */
export const longestRecord = 64 * 1024 * 1024;

/** Deepest nesting of a JSON value: what comes after may walk it by recursion. */
export const deepestNesting = 200;

const rawLength = 500;

/**
 * The encoding that a record with undecodable bytes probably has, for advice: of Cyrillic whole words are bytes past ASCII,
 * of Western languages single letters.
 *
 * @param shown the record as `showRaw` gives it
 */
export function likelyEncoding(shown: string): string {
  const runs = shown.match(/(?:\\x[89a-f][0-9a-f])+/g) ?? [];
  const letters = runs.join('').length / 4;
  return letters > 2 * runs.length ? 'windows-1251' : 'windows-1252';
}

/**
 * The text of a rejected record, cut to 500 code units, with undecodable bytes shown as `\xNN`.
 */
export function showRaw(text: string): string {
  let cut = text.length > rawLength ? text.slice(0, rawLength) : text;
  if (text.length > rawLength && !cut.isWellFormed() && text.slice(0, rawLength + 1).isWellFormed())
    cut = text.slice(0, rawLength - 1);
  const shown = cut.isWellFormed()
    ? cut
    : cut.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (unit) => {
        const code = unit.charCodeAt(0);
        return code >= 0xdc80 && code <= 0xdcff
          ? `\\x${(code - 0xdc00).toString(16)}`
          : `\\u${code.toString(16)}`;
      });
  return text.length > rawLength ? `${shown}… (${text.length} characters)` : shown;
}
