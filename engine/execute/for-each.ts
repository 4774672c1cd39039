import type { Row } from '../artefacts.ts';
import type { JsonObject } from '../json.ts';
import { StepError } from '../problems.ts';
import type { TableInput } from '../step.ts';
import type { Store } from '../store/store.ts';
import { declaredId, instanceId, rowInstanceId } from '../workflow/address.ts';
import type { InputBinding, InputPart, ResolvedStep } from '../workflow/resolved.ts';
import { openBinding, type ProductsOf } from './io.ts';

/** A table of more rows is data to be worked on, not a list of what to do. */
const maxInstances = 10_000;

/**
 * The steps that a step with `for_each` stands for: one for each row of its table, in order. StepError.
 *
 * @param only the steps to do: if there are some of these by name, only they are given
 */
export async function stepsForRows(
  step: ResolvedStep,
  store: Store,
  productsOf: ProductsOf,
  only?: ReadonlySet<string>,
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
  const all = (await table.all()).map((row: Row): ResolvedStep => {
    const matrix = { ...step.matrix, id: row.id };
    return {
      ...rest,
      ...ofSameRow(step, row.id),
      id: instanceId(step.base, matrix),
      matrix,
      item: row as unknown as JsonObject,
    };
  });
  const chosen = [...(only ?? [])].filter((id) => id !== step.id && declaredId(id) === step.id);
  if (chosen.length === 0) return all;
  const known = new Set(all.map(({ id }) => id));
  const absent = chosen.find((id) => !known.has(id));
  if (absent !== undefined)
    throw new StepError(
      'no-such-instance',
      `there is no ${absent}: the table of its for_each has no such row`,
    );
  const wanted = new Set(chosen);
  return all.filter(({ id }) => wanted.has(id));
}

/** What one for a row reads and needs of those that run for the rows of the same table. */
function ofSameRow({ inputs, needs, sameRows = [] }: ResolvedStep, row: string) {
  if (sameRows.length === 0) return {};
  const own = (id: string) => (sameRows.includes(id) ? rowInstanceId(id, row) : id);
  const bound = Object.entries(inputs).map(([name, binding]): [string, InputBinding] => {
    const parts = binding.parts.map(({ step, axes, rows }): InputPart => {
      if (rows === 'same') return { step: own(step), axes };
      return { step, axes, ...(rows && { rows }) };
    });
    return [name, { ...binding, parts }];
  });
  return { inputs: Object.fromEntries(bound), needs: needs.map(own) };
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
  // It finds those of its own rows when it is known which it stands for.
  if (reader.sameRows?.includes(id)) return reader;
  const bound = (binding: InputBinding): InputBinding => ({
    ...binding,
    parts: binding.parts.flatMap((part): InputPart[] => {
      const { step, axes, rows } = part;
      if (step !== id || rows === undefined || binding.run !== null) return [part];
      if (rows === 'all' || rows === 'same')
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
  const chosen = new Set(parts.map(({ rows }) => (typeof rows === 'object' ? rows.id : null)));
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
