import type { Json } from '../../engine/json.ts';

/** What is expected of each row: those that do not fit are set aside. */
export const rowExpectations = [
  'not_null',
  'unique',
  'in_set',
  'not_in_set',
  'regex',
  'not_regex',
  'range',
  'length',
  'type',
  'compare',
  'monotonic',
  'foreign_key',
] as const;
export type RowExpectation = (typeof rowExpectations)[number];

/** What is expected of the table as a whole. */
export const tableExpectations = [
  'row_count',
  'columns',
  'distinct_count',
  'mean',
  'std',
  'quantile',
  'psi',
  'js_distance',
  'ks',
] as const;
export type TableExpectation = (typeof tableExpectations)[number];

export const valueTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object'] as const;
export const operators = ['<', '<=', '==', '!=', '>=', '>'] as const;

/** An expectation as `with` says it. */
export interface Expectation {
  expect: RowExpectation | TableExpectation;
  name?: string;
  severity: 'fail' | 'warn';
  field?: string;
  fields?: string[];
  mostly: number;
  value_set?: (string | number | boolean)[];
  regex?: string;
  min_value?: number | string;
  max_value?: number | string;
  type?: (typeof valueTypes)[number];
  operator?: (typeof operators)[number];
  other?: string;
  direction: 'increasing' | 'decreasing';
  strictly: boolean;
  exact: boolean;
  q: number;
  bins: number;
  reference_field?: string;
}

/** What each kind needs beside `expect`; `bound` is `min_value` or `max_value`. */
const needs: Record<RowExpectation | TableExpectation, readonly (keyof Expectation | 'bound')[]> = {
  not_null: ['field'],
  unique: [],
  in_set: ['field', 'value_set'],
  not_in_set: ['field', 'value_set'],
  regex: ['field', 'regex'],
  not_regex: ['field', 'regex'],
  range: ['field', 'bound'],
  length: ['field', 'bound'],
  type: ['field', 'type'],
  compare: ['field', 'operator', 'other'],
  monotonic: ['field'],
  foreign_key: ['field'],
  row_count: ['bound'],
  columns: ['fields'],
  distinct_count: ['field', 'bound'],
  mean: ['field', 'bound'],
  std: ['field', 'bound'],
  quantile: ['field', 'bound'],
  psi: ['field'],
  js_distance: ['field'],
  ks: ['field'],
};

/** Bounds of the shift from a reference that are usual, if `max_value` is not given. */
export const usualShift: Partial<Record<string, number>> = { psi: 0.25, js_distance: 0.1, ks: 0.1 };

export function isRowExpectation(expect: string): expect is RowExpectation {
  return (rowExpectations as readonly string[]).includes(expect);
}

/** The fields of the table that it goes by. */
export function fieldsOf({ expect, field, fields, other }: Expectation): string[] {
  if (expect === 'columns') return [];
  return [field, other, ...(fields ?? [])].filter((name) => name !== undefined);
}

/** A name for each: as given, or `range: score`; of equal ones the second is `range: score 2`. */
export function namesOf(expectations: readonly Expectation[]): string[] {
  const seen = new Map<string, number>();
  return expectations.map((expectation) => {
    const subject = fieldsOf(expectation).join(', ');
    const name =
      expectation.name ?? (subject === '' ? expectation.expect : `${expectation.expect}: ${subject}`);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} ${times}`;
  });
}

/** What is wrong with expectations that a schema cannot say. */
export function mistakesIn(expectations: readonly Expectation[]): string[] {
  return expectations.flatMap((expectation, at) => {
    const { expect } = expectation;
    const missing = needs[expect].filter((key) =>
      key === 'bound'
        ? expectation.min_value === undefined && expectation.max_value === undefined
        : expectation[key] === undefined,
    );
    const place = `number ${at + 1} (${expect})`;
    const mistakes = missing.map(
      (key) => `${place} needs ${key === 'bound' ? '`min_value` or `max_value`' : `\`${key}\``}`,
    );
    if (expect === 'unique' && expectation.field === undefined && expectation.fields === undefined)
      mistakes.push(`${place} needs \`field\` or \`fields\``);
    const numeric = expect !== 'range';
    for (const bound of [expectation.min_value, expectation.max_value])
      if (numeric && typeof bound === 'string')
        mistakes.push(`${place}: its bounds are numbers, and "${bound}" is none`);
    if (expectation.regex !== undefined)
      try {
        new RegExp(expectation.regex, 'u');
      } catch (error) {
        mistakes.push(`${place}: ${(error as Error).message}`);
      }
    return mistakes;
  });
}

/** Its bounds in words: `at least 1 and at most 5`. */
export function boundsOf({
  expect,
  min_value: least,
  max_value: most = usualShift[expect],
}: Expectation): string {
  return [least === undefined ? [] : `at least ${least}`, most === undefined ? [] : `at most ${most}`]
    .flat()
    .join(' and ');
}

/** A value in a few characters, for a report; a text that looks like a number in quotes. */
export function shortly(value: Json): string {
  const plain = typeof value === 'string' && (value.trim() === '' || Number.isNaN(Number(value)));
  const text = plain ? value : JSON.stringify(value);
  return (text.length > 80 ? `${text.slice(0, 79)}…` : text).toWellFormed();
}
