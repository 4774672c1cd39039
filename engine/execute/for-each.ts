import type { Row } from '../artefacts.ts';
import type { JsonObject } from '../json.ts';
import { StepError } from '../problems.ts';
import type { TableInput } from '../step.ts';
import type { Store } from '../store/store.ts';
import { instanceId } from '../workflow/address.ts';
import type { InputBinding, InputPart, ResolvedStep } from '../workflow/resolved.ts';
import { openBinding, type ProductsOf } from './io.ts';

/** A table of more rows is data to be worked on, not a list of what to do. */
const maxInstances = 10_000;

/** The steps that a step with `for_each` stands for: one for each row of its table, in order. StepError. */
export async function stepsForRows(
  step: ResolvedStep,
  store: Store,
  productsOf: ProductsOf,
): Promise<ResolvedStep[]> {
  const { for_each: binding, ...rest } = step;
  const table = (await openBinding(binding!, store, productsOf)) as TableInput | undefined;
  if (table === undefined)
    throw new StepError('input-skipped', `for_each reads ${namesOf(binding!)}, which was skipped`);
  if (table.rows > maxInstances)
    throw new StepError(
      'too-many-rows',
      `for_each has ${table.rows.toLocaleString('en')} rows, and a step would run for each; ${maxInstances.toLocaleString('en')} is the most`,
      'work on many rows in one step',
    );
  return (await table.all()).map((row: Row) => {
    const matrix = { ...step.matrix, id: row.id };
    return { ...rest, id: instanceId(step.base, matrix), matrix, item: row as unknown as JsonObject };
  });
}

/** The table of `for_each` in words. */
export function namesOf({ parts }: InputBinding): string {
  return [...new Set(parts.map(({ step }) => step))].join(', ');
}

/** A step that needs one with `for_each`, bound to what that stands for. StepError for a row that there is not. */
export function boundTo(
  reader: ResolvedStep,
  { id, base }: ResolvedStep,
  instances: readonly ResolvedStep[],
): ResolvedStep {
  const bound = (binding: InputBinding): InputBinding => ({
    ...binding,
    parts: binding.parts.flatMap((part): InputPart[] => {
      const { step, axes, rows } = part;
      if (step !== id || rows === undefined || binding.run !== null) return [part];
      if (rows === 'all')
        return instances.map((instance) => ({
          step: instance.id,
          axes: { ...axes, item: instance.matrix!['id']! },
        }));
      const instance = instances.find(({ matrix }) => matrix!['id'] === rows.id);
      if (instance !== undefined) return [{ step: instance.id, axes }];
      throw new StepError(
        'no-such-instance',
        `there is no ${base}[id=${rows.id}]: the table of its for_each has no such row`,
      );
    }),
  });
  const parts = [...Object.values(reader.inputs), ...(reader.for_each ? [reader.for_each] : [])]
    .filter(({ run }) => run === null)
    .flatMap((binding) => binding.parts.filter(({ step }) => step === id));
  // Who reads the ones of some rows waits for no other.
  const chosen = new Set(parts.map(({ rows }) => (rows === 'all' ? null : rows?.id)));
  const all = parts.length === 0 || chosen.has(null);
  const needed = instances.filter(({ matrix }) => all || chosen.has(String(matrix!['id'])));
  return {
    ...reader,
    inputs: Object.fromEntries(
      Object.entries(reader.inputs).map(([name, binding]) => [name, bound(binding)]),
    ),
    ...(reader.for_each && { for_each: bound(reader.for_each) }),
    needs: reader.needs.flatMap((need) => (need === id ? needed.map((instance) => instance.id) : [need])),
  };
}
