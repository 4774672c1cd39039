import { AsyncLocalStorage } from 'node:async_hooks';
import type { Row } from '../artefacts.ts';
import type { Json, JsonObject } from '../json.ts';
import type { LanguageModel, RowField } from '../language-model.ts';
import { missingField } from '../missing-field.ts';
import { suggestion } from '../nearest.ts';
import { StepError } from '../problems.ts';
import type { RowStepType, TableInput } from '../step.ts';

const current = new AsyncLocalStorage<JsonObject>();

/** Of the row that is computed, the fields that routes go by; undefined outside of one, and where no route reads any. */
export function routedRow(): JsonObject | undefined {
  return current.getStore();
}

/** A row-wise type with the fields that its models' routes go by; none: nothing of a row counts but the type's own. */
export interface RoutedType extends RowStepType {
  readonly routeFields?: readonly RowField[];
}

/**
 * The type with the fields that its models' routes read among those that count for a row (see `contentOf`). What it computes
 * with stays as it was: the routes find the row by `routedRow`.
 */
export function withRouteFields(type: RowStepType, models: Iterable<LanguageModel>): RoutedType {
  const optional = new Map<string, boolean>();
  for (const { rowFields } of models)
    for (const field of rowFields)
      optional.set(field.name, (optional.get(field.name) ?? true) && field.optional);
  if (optional.size === 0) return type;
  const routeFields = [...optional.keys()]
    .sort()
    .map((name): RowField => ({ name, optional: optional.get(name) === true }));
  return {
    ...type,
    routeFields,
    async open(run) {
      const computer = await type.open(run);
      const { order } = computer;
      const ownOf = (content: Json[]) => content.slice(0, -1);
      return {
        ...computer,
        ...(order && { order: (content: Json[]) => order(ownOf(content)) }),
        compute(batch, signal) {
          const row = batch[0]?.at(-1) as JsonObject;
          return current.run(row, () => computer.compute(batch.map(ownOf), signal));
        },
      };
    },
  };
}

/**
 * Reads what counts of a row: the values of the type's fields in their order (null for a missing one), then, where routes go
 * by fields of the row, one object with those that it has. Throws a `StepError` if no row has a field that a route needs.
 */
export function contentOf(type: RoutedType, parameters: JsonObject, table: TableInput): (row: Row) => Json[] {
  const fields = type.fields(parameters);
  const { routeFields } = type;
  const own = (row: Row) => fields.map((field) => row[field] ?? null);
  if (routeFields === undefined) return own;
  const needed = routeFields.filter(({ optional }) => !optional).map(({ name }) => name);
  const missing = missingField(table, needed);
  if (missing !== undefined)
    throw new StepError(
      'missing-field',
      `a rule of the model's route reads row.${missing}, and no row that this step asks about has such a field`,
      suggestion(missing, table.fields, 'its fields'),
    );
  return (row) => {
    const present = routeFields.filter(({ name }) => Object.hasOwn(row, name));
    return [...own(row), Object.fromEntries(present.map(({ name }) => [name, row[name] ?? null]))];
  };
}
