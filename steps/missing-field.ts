import { suggestion } from '../engine/nearest.ts';
import { StepError } from '../engine/problems.ts';
import type { TableInput } from '../engine/step.ts';

/** A table lists at most so many field names: with more, a field that is not listed may still be there. */
const listedFields = 1000;

/** Throws a `StepError` with a suggestion if no row of the table has one of the fields. An empty table has them all. */
export function requireFields(table: TableInput, fields: readonly string[], input = 'rows'): void {
  if (table.rows === 0 || table.fields.length >= listedFields) return;
  const unknown = fields.find((field) => !table.fields.includes(field));
  if (unknown === undefined) return;
  throw new StepError(
    'missing-field',
    `no row of ${input} has a field "${unknown}"`,
    suggestion(unknown, table.fields, 'its fields'),
  );
}
