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
  /** Place of each row in the order of `by`, for first and last. */
  readonly #places: Float64Array | undefined;
  #withoutValue = 0;

  private constructor(
    parameters: Pick<Parameters, 'keep' | 'by' | 'fields'>,
    places: Float64Array | undefined,
  ) {
    this.#parameters = parameters;
    this.#places = places;
  }

  static async open(
    parameters: Pick<Parameters, 'keep' | 'by' | 'fields'>,
    rows: TableInput,
  ): Promise<Preference> {
    const { keep, by, fields } = parameters;
    if (by !== null && by !== 'id') requireFields(rows, [by]);
    if (keep === 'longest') requireFields(rows, fields);
    const ordered = by !== null && (keep === 'first' || keep === 'last');
    return new Preference(parameters, ordered ? await placesBy(rows, by) : undefined);
  }

  of(row: Row, index: number): number {
    const { keep, by, fields } = this.#parameters;
    if (this.#places) return keep === 'first' ? -this.#places[index]! : this.#places[index]!;
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

/** Place of each row when they are ordered by a field: numbers, then texts by their code units, then rows without either; equal ones have one place. */
async function placesBy(rows: TableInput, field: string): Promise<Float64Array> {
  const values: Json[] = [];
  for await (const block of rows.blocks()) for (const row of block) values.push(row[field] ?? null);
  const kindOf = (value: Json) => (typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2);
  const compare = (a: Json, b: Json) =>
    kindOf(a) - kindOf(b) || (kindOf(a) === 2 || a === b ? 0 : (a as string) < (b as string) ? -1 : 1);
  const order = [...values.keys()].sort((a, b) => compare(values[a]!, values[b]!));
  const places = new Float64Array(values.length);
  let place = 0;
  for (const [at, row] of order.entries()) {
    if (at > 0 && compare(values[order[at - 1]!]!, values[row]!) !== 0) place = at;
    places[row] = place;
  }
  return places;
}
