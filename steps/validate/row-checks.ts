import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson, type Json } from '../../engine/json.ts';
import { characterCount } from '../quality/tokens.ts';
import { type Expectation, type RowExpectation, shortly } from './expectation.ts';

/** Whether a row fits: `null` if there is no value to look at, else true, or the value that does not fit, in words. */
export type RowCheck = (row: Row) => true | null | string;

/**
 * Opens the check of one expectation. It is to be asked about all rows in their order. `keys`: what the field of the reference holds,
 * for `foreign_key`.
 */
export function openRowCheck(expectation: Expectation, keys: ReadonlySet<string> | undefined): RowCheck {
  const field = expectation.field ?? '';
  const fits = (test: (value: Json) => boolean): RowCheck => {
    return (row) => {
      const value = row[field] ?? null;
      if (value === null) return null;
      return test(value) || shortly(value);
    };
  };
  const openers: Record<RowExpectation, () => RowCheck> = {
    not_null: () => (row) => (row[field] ?? null) !== null || 'null',
    unique() {
      const names = expectation.fields ?? [field];
      const seen = new Set<string>();
      return (row) => {
        const values = names.map((name) => row[name] ?? null);
        if (values.every((value) => value === null)) return null;
        const key = canonicalJson(values);
        if (seen.has(key)) return shortly(names.length === 1 ? values[0]! : values);
        seen.add(key);
        return true;
      };
    },
    in_set() {
      const set = new Set<Json>(expectation.value_set);
      return fits((value) => set.has(value));
    },
    not_in_set() {
      const set = new Set<Json>(expectation.value_set);
      return fits((value) => !set.has(value));
    },
    regex() {
      const pattern = new RegExp(expectation.regex ?? '', 'u');
      return fits((value) => typeof value === 'string' && pattern.test(value));
    },
    not_regex() {
      const pattern = new RegExp(expectation.regex ?? '', 'u');
      return fits((value) => typeof value === 'string' && !pattern.test(value));
    },
    range: () => fits((value) => isBetween(value, expectation)),
    length: () =>
      fits((value) => {
        const size = Array.isArray(value)
          ? value.length
          : typeof value === 'string'
            ? characterCount(value)
            : null;
        return size !== null && isBetween(size, expectation);
      }),
    type: () => fits((value) => isOfType(value, expectation.type)),
    compare() {
      const { other = '', operator } = expectation;
      return (row) => {
        const [left, right] = [row[field] ?? null, row[other] ?? null];
        if (left === null || right === null) return null;
        return compares(left, operator, right) || `${shortly(left)} and ${shortly(right)}`;
      };
    },
    monotonic() {
      const operator = `${expectation.direction === 'increasing' ? '>' : '<'}${expectation.strictly ? '' : '='}`;
      let before: Json = null;
      return (row) => {
        const value = row[field] ?? null;
        if (value === null) return null;
        const follows = before === null || compares(value, operator, before);
        // What does not fit is no measure of what comes after it.
        if (!follows) return `${shortly(value)} after ${shortly(before)}`;
        before = value;
        return true;
      };
    },
    foreign_key: () => fits((value) => keys?.has(canonicalJson(value)) ?? false),
  };
  return openers[expectation.expect as RowExpectation]();
}

/** Whether a value lies between bounds of its own type; texts are compared by their code units, which orders ISO dates. */
export function isBetween(value: Json, { min_value: least, max_value: most }: Expectation): boolean {
  return (
    (least === undefined || compares(value, '>=', least)) &&
    (most === undefined || compares(value, '<=', most))
  );
}

/** Whether an expectation of numbers is asked about a text. */
export function isTextForNumber(
  { expect, min_value, max_value, type, value_set }: Expectation,
  value: Json,
): boolean {
  if (typeof value !== 'string') return false;
  if (expect === 'range') return typeof (min_value ?? max_value) === 'number';
  if (expect === 'type') return type === 'number' || type === 'integer';
  return expect === 'in_set' && (value_set ?? []).every((member) => typeof member === 'number');
}

function compares(left: Json, operator: string | undefined, right: Json): boolean {
  if (operator === '==') return canonicalJson(left) === canonicalJson(right);
  if (operator === '!=') return canonicalJson(left) !== canonicalJson(right);
  const comparable =
    (typeof left === 'number' && typeof right === 'number') ||
    (typeof left === 'string' && typeof right === 'string');
  if (!comparable) return false;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

function isOfType(value: Json, type: Expectation['type']): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value);
  return typeof value === type;
}
