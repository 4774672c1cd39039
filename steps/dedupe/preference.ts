import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import type { StepContext, TableInput } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import type { Parameters } from './parameters.ts';
import { lengthOf } from './row-values.ts';

/**
 * How much a row is to be kept: of a group the row with the highest number stays, of equals the first. Rows without a
 * usable value in `by` come last, and are counted in `warnAbout`.
 */
export class Preference {
  readonly #parameters: Pick<Parameters, 'keep' | 'by' | 'fields'>;
  #withoutValue = 0;

  constructor(parameters: Pick<Parameters, 'keep' | 'by' | 'fields'>, rows: TableInput) {
    this.#parameters = parameters;
    if (parameters.by !== null) requireFields(rows, [parameters.by]);
    if (parameters.keep === 'longest') requireFields(rows, parameters.fields);
  }

  of(row: Row, index: number): number {
    const { keep, by, fields } = this.#parameters;
    if (keep === 'first') return 0;
    if (keep === 'last') return index;
    if (keep === 'longest') return lengthOf(fields.map((field) => row[field] ?? null));
    const value = numberOf(row[by!] ?? null, keep === 'newest');
    if (!Number.isNaN(value)) return value;
    this.#withoutValue++;
    return Number.NEGATIVE_INFINITY;
  }

  warnAbout(context: StepContext, total: number): void {
    const { keep, by } = this.#parameters;
    if (this.#withoutValue > 0)
      context.warn(
        `${this.#withoutValue} of ${total} rows have no ${keep === 'newest' ? 'date' : 'number'} in ${by}; such a row stays only where no other has one`,
      );
  }
}

/** A number, or the milliseconds of a date such as 2026-11-21 or 2026-11-21T09:15:02Z; NaN if it is neither. */
function numberOf(value: Json, date: boolean): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return Number.NaN;
  const number = Number(value);
  return date && Number.isNaN(number) ? Date.parse(value) : number;
}
