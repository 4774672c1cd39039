import { AsyncLocalStorage } from 'node:async_hooks';
import type { Json, JsonObject } from '../json.ts';
import type { LanguageModel } from '../language-model.ts';
import type { RowStepType } from '../step.ts';

const current = new AsyncLocalStorage<JsonObject>();

/** Of the row that is computed, the fields that routes go by; undefined outside of one, and where no route reads any. */
export function routedRow(): JsonObject | undefined {
  return current.getStore();
}

/**
 * The type with the fields that its models' routes read among those that count for a row. What it computes with stays
 * as it was: the routes find the row by `routedRow`.
 */
export function withRouteFields(type: RowStepType, models: Iterable<LanguageModel>): RowStepType {
  const read = [...new Set([...models].flatMap(({ rowFields }) => rowFields))].sort();
  if (read.length === 0) return type;
  const withRead = (own: readonly string[]) => [...own, ...read.filter((field) => !own.includes(field))];
  return {
    ...type,
    fields: (parameters) => withRead(type.fields(parameters)),
    async open(run) {
      const own = type.fields(run.parameters);
      const all = withRead(own);
      const computer = await type.open(run);
      const { order } = computer;
      const ownOf = (values: Json[]) => values.slice(0, own.length);
      return {
        ...computer,
        ...(order && { order: (values: Json[]) => order(ownOf(values)) }),
        compute(batch, signal) {
          const row = Object.fromEntries(
            read.map((field) => [field, batch[0]?.[all.indexOf(field)] ?? null]),
          );
          return current.run(row, () => computer.compute(batch.map(ownOf), signal));
        },
      };
    },
  };
}
