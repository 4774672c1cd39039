import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson, type Json } from '../../engine/json.ts';
import {
  binShares,
  categoryShares,
  jensenShannonDistance,
  kolmogorovSmirnov,
  populationStabilityIndex,
  quantileEdges,
} from '../../numerics/distribution-shift.ts';
import { quantile } from '../../numerics/quantile.ts';
import { type Expectation, type TableExpectation, usualShift } from './expectation.ts';
import { isBetween } from './row-checks.ts';

/** What was found about a table as a whole. */
export interface Observation {
  /** The value that was compared; null if there is none to compare. */
  observed: number | null;
  passed: boolean;
  /** What is not as expected, where a number does not say it. */
  about?: string;
  /** There were texts where numbers were wanted. */
  texts?: boolean;
}

/** Takes in all rows, then says what they are. */
export interface TableCheck {
  take(row: Row): void;
  result(): Observation;
}

/** Values of a field, as far as they count: numbers, or the texts of all else. */
export class FieldValues {
  readonly numbers: number[] = [];
  readonly texts: string[] = [];

  take(value: Json | undefined): void {
    if (value === undefined || value === null) return;
    if (typeof value === 'number') this.numbers.push(value);
    else this.texts.push(typeof value === 'string' ? value : canonicalJson(value));
  }
}

/** Numbers where they are; what is no number behind them all, so that it counts in the distribution. */
function places({ numbers, texts }: FieldValues): number[] {
  return [...numbers, ...texts.map(() => Number.POSITIVE_INFINITY)];
}

/** Both sides as numbers; undefined if there is nothing to compare. */
function placesOf(expected: FieldValues, actual: FieldValues): [number[], number[]] | undefined {
  const sides: [number[], number[]] = [places(expected), places(actual)];
  return expected.numbers.length > 0 && sides[1].length > 0 ? sides : undefined;
}

/** Shares of both sides in bins of the expected numbers, or, where there are none, in categories. */
function sharesOf(
  expected: FieldValues,
  actual: FieldValues,
  bins: number,
): [number[], number[]] | undefined {
  const sides = placesOf(expected, actual);
  if (sides) {
    const edges = [...quantileEdges(expected.numbers, bins), Number.POSITIVE_INFINITY];
    return [binShares(sides[0], edges), binShares(sides[1], edges)];
  }
  const categories = [...actual.texts, ...actual.numbers.map(String)];
  return expected.texts.length > 0 && categories.length > 0
    ? categoryShares(expected.texts, categories)
    : undefined;
}

/** Opens the check of one expectation. `reference`: values of the field to compare with; `columns`: the fields of the table. */
export function openTableCheck(
  expectation: Expectation,
  { reference, columns }: { reference: FieldValues | undefined; columns: readonly string[] },
): TableCheck {
  const { field = '' } = expectation;
  const values = new FieldValues();
  const distinct = new Set<string>();
  let rows = 0;
  const bounded = (observed: number | null): Observation => ({
    observed,
    passed: observed !== null && isBetween(observed, expectation),
    ...(observed === null && {
      about: `no row has a number in ${field}`,
      texts: values.texts.length > 0,
    }),
  });
  const results: Record<TableExpectation, () => Observation> = {
    row_count: () => bounded(rows),
    columns() {
      const wanted = expectation.fields ?? [];
      const missing = wanted.filter((name) => !columns.includes(name));
      const other = expectation.exact
        ? columns.filter((name) => name !== 'id' && !wanted.includes(name))
        : [];
      const about = [
        missing.length > 0 ? `missing: ${missing.join(', ')}` : '',
        other.length > 0 ? `not expected: ${other.join(', ')}` : '',
      ];
      const passed = missing.length + other.length === 0;
      return {
        observed: columns.length,
        passed,
        ...(!passed && { about: about.filter(Boolean).join('; ') }),
      };
    },
    distinct_count: () => bounded(distinct.size),
    mean: () => bounded(values.numbers.length > 0 ? meanOf(values.numbers) : null),
    std: () => bounded(values.numbers.length > 1 ? deviationOf(values.numbers) : null),
    quantile: () => bounded(values.numbers.length > 0 ? quantile(values.numbers, expectation.q) : null),
    psi: () => shifted(sharesOf, populationStabilityIndex),
    js_distance: () => shifted(sharesOf, jensenShannonDistance),
    ks: () => shifted(placesOf, kolmogorovSmirnov),
  };
  const nothing: Observation = {
    observed: null,
    passed: false,
    about: `there are no values of ${field} to compare`,
  };
  const shifted = (
    compared: typeof sharesOf,
    measure: (expected: number[], actual: number[]) => number,
  ): Observation => {
    const pair = reference && compared(reference, values, expectation.bins);
    if (!pair) return nothing;
    const observed = measure(...pair);
    const passed = observed <= Number(expectation.max_value ?? usualShift[expectation.expect]);
    const texts = !passed && reference.numbers.length > 0 && values.texts.length > 0;
    return { observed, passed, texts };
  };
  return {
    take(row) {
      rows++;
      const value = row[field] ?? null;
      if (value === null || expectation.expect === 'row_count' || expectation.expect === 'columns') return;
      if (expectation.expect === 'distinct_count') distinct.add(canonicalJson(value));
      else values.take(value);
    },
    result: () => results[expectation.expect as TableExpectation](),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample's standard deviation. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
