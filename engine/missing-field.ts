import { suggestion } from './nearest.ts';
import { StepError } from './problems.ts';
import type { TableInput } from './step.ts';

/** A table lists at most so many field names: with more, a field that is not listed may still be there. */
const listedFields = 1000;

/** The first of the fields that no row of the table has. An empty table has them all. */
export function missingField(table: TableInput, fields: readonly string[]): string | undefined {
  if (table.rows === 0 || table.fields.length >= listedFields) return undefined;
  return fields.find((field) => !table.fields.includes(field));
}

/** Throws a `StepError` with a suggestion if no row of the table has one of the fields. An empty table has them all. */
export function requireFields(table: TableInput, fields: readonly string[], input = 'rows'): void {
  const missing = missingField(table, fields);
  if (missing === undefined) return;
  throw new StepError(
    'missing-field',
    `no row of ${input} has a field "${missing}"`,
    suggestion(missing, table.fields, 'its fields'),
  );
}
