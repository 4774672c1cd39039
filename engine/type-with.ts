import type { JsonObject } from './json.ts';
import type { AnyStepType, RowStepType, StepRun, TableInput } from './step.ts';

/** A type as it works with these parameters. */
export function typeWith(type: AnyStepType, parameters: JsonObject): AnyStepType {
  return type.variantOf?.(parameters) ?? type;
}

/** The rows that a row-wise type works on. */
export async function rowsFor(
  type: RowStepType,
  run: StepRun<JsonObject, never, never>,
): Promise<TableInput> {
  return type.rowsOf?.(run) ?? Object.values(run.inputs as unknown as Record<string, TableInput>)[0]!;
}
