import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import type { StepContext, TableInput } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { instantOf } from '../times.ts';
import type { Parameters } from './parameters.ts';
import { lengthOf } from './row-values.ts';

/**
 * How much a row is to be kept: of a group the row with the highest number stays, of equals the first. Rows without a
 * usable value in `by` come last, and are counted in `warnAbout`.
 */
export class Preference {
  readonly #parameters: Pick<Parameters, 'keep' | 'by' | 'fields'>;
  /** Place of each row in the order of `by`, for first and last; NaN without a value. */
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
    if (by === null && keep === 'first') return 0;
    if (by === null && keep === 'last') return index;
    if (keep === 'longest') return lengthOf(fields.map((field) => row[field] ?? null));
    const place = this.#places?.[index] ?? usableValue(row[by!] ?? null, keep === 'newest');
    if (!Number.isNaN(place)) return keep === 'first' ? -place : place;
    this.#withoutValue++;
    return Number.NEGATIVE_INFINITY;
  }

  warnAbout(context: StepContext, total: number): void {
    const { keep, by } = this.#parameters;
    const wanted = keep === 'newest' ? 'date' : keep === 'best' ? 'number' : 'number or text';
    if (this.#withoutValue > 0)
      context.warn(
        `${this.#withoutValue} of ${total} rows have no ${wanted} in ${by}; such a row stays only where no other has one`,
      );
  }
}

/** A number, or with `date` a point in time; NaN if it is none. */
function usableValue(value: Json, date: boolean): number {
  if (date) return instantOf(value);
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

/** Place of each row when they are ordered by a field: numbers, then texts by their code units; equal ones have one place. Rows without either have none: NaN. */
async function placesBy(rows: TableInput, field: string): Promise<Float64Array> {
  const values: (number | string | null)[] = [];
  for await (const block of rows.blocks())
    for (const row of block) {
      const value = row[field];
      values.push(typeof value === 'number' || typeof value === 'string' ? value : null);
    }
  const compare = (a: number | string, b: number | string) =>
    typeof a === typeof b ? (a < b ? -1 : Number(a > b)) : typeof a === 'number' ? -1 : 1;
  const order = [...values.keys()]
    .filter((row) => values[row] !== null)
    .sort((a, b) => compare(values[a]!, values[b]!));
  const places = new Float64Array(values.length).fill(Number.NaN);
  let place = 0;
  for (const [at, row] of order.entries()) {
    if (at > 0 && values[order[at - 1]!] !== values[row]) place = at;
    places[row] = place;
  }
  return places;
}
