import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import type { StepContext, TableInput, TableOutput } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { KeyTable } from './key-table.ts';
import type { Parameters } from './parameters.ts';
import { Preference } from './preference.ts';
import { identityOf, keyOf, normalizeAll } from './row-values.ts';
import { Tally } from './tally.ts';
import { TextList } from './text-list.ts';

export interface DedupeOutputs {
  rows: TableOutput;
  duplicates: TableOutput;
  groups: TableOutput;
}

/**
 * Duplicates by equal keys, for the methods `exact` and `normalized`. With `keep: first` rows are written as they are
 * read. Flat arrays hold what is known of the groups, since a million rows of JavaScript values would fill the heap.
 */
export async function dedupeEqual(
  parameters: Parameters,
  inputs: { rows: TableInput; against: TableInput | undefined },
  outputs: DedupeOutputs,
  context: StepContext,
): Promise<Tally> {
  const { fields, keep } = parameters;
  requireFields(inputs.rows, fields);
  if (inputs.against) requireFields(inputs.against, fields, 'against');
  const normalization = parameters.method === 'normalized' ? parameters.normalize : null;
  const preference = await Preference.open(parameters, inputs.rows);
  const inOrder = keep === 'first' && parameters.by === null;
  const total = inputs.rows.rows;
  const most = total + (inputs.against?.rows ?? 0);

  // A group is known by its number; the arrays named `kept…` say which of its rows stays. The groups of `against` come
  // first, and none of their rows stays.
  const groups = new KeyTable();
  const sizes = new Uint32Array(most);
  const keptIndex = new Uint32Array(most);
  const keptId = new TextList(most);
  const keptPreference = new Float64Array(inOrder ? 0 : most);
  const keptIdentity = new Float64Array(normalization ? most : 0);
  const groupOf = new Int32Array(inOrder ? 0 : total);
  const missing = -1;
  const tally = new Tally();

  const valuesOf = (row: Row) => fields.map((field) => row[field] ?? null);
  const groupOfValues = (values: Json[]) =>
    values.every((value) => value === null)
      ? missing
      : groups.number(
          keyOf(normalization ? values.map((value) => normalizeAll(value, normalization)) : values),
        );

  for await (const block of inputs.against?.blocks() ?? []) {
    for (const row of block) {
      const values = valuesOf(row);
      const before = groups.size;
      const group = groupOfValues(values);
      if (group < before) continue;
      keptId.set(group, row.id);
      if (normalization) keptIdentity[group] = identityOf(keyOf(values));
    }
    context.signal.throwIfAborted();
  }
  const againstGroups = groups.size;

  const emit = (row: Row, index: number, group: number) => {
    const against = group !== missing && group < againstGroups;
    if (!against && (group === missing || keptIndex[group] === index)) return outputs.rows.write(row);
    const exact = !normalization || keptIdentity[group] === identityOf(keyOf(valuesOf(row)));
    tally.removed++;
    if (exact) tally.removedExact++;
    if (against) tally.removedAgainst++;
    return outputs.duplicates.write({
      ...row,
      dup_of: keptId.get(group),
      dup_kind: exact ? 'exact' : 'normalized',
      dup_score: 1,
      ...(inputs.against && { dup_in: against ? 'against' : 'rows' }),
    });
  };

  let index = 0;
  let withoutFields = 0;
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const values = valuesOf(row);
      const group = groupOfValues(values);
      if (group === missing) withoutFields++;
      else if (group >= againstGroups) {
        const wanted = preference.of(row, index);
        if (sizes[group] === 0 || wanted > keptPreference[group]!) {
          keptIndex[group] = index;
          keptId.set(group, row.id);
          if (!inOrder) keptPreference[group] = wanted;
          if (normalization) keptIdentity[group] = identityOf(keyOf(values));
        }
        sizes[group]!++;
      }
      // The first row of a group is known to stay as soon as it is seen; for the others a second pass is needed.
      if (inOrder) {
        const pending = emit(row, index, group);
        if (pending) await pending;
      } else groupOf[index] = group;
      index++;
    }
    context.progress(index, total, 'rows');
    context.signal.throwIfAborted();
  }

  if (!inOrder) {
    index = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const pending = emit(row, index, groupOf[index]!);
        if (pending) await pending;
        index++;
      }
      context.signal.throwIfAborted();
    }
  }
  for (let group = againstGroups; group < groups.size; group++) {
    const pending = tally.group(outputs.groups, keptId.get(group), sizes[group]!, 1);
    if (pending) await pending;
  }
  preference.warnAbout(context, total);
  warnOfMissing(context, withoutFields, total, fields);
  return tally;
}

export function warnOfMissing(
  context: StepContext,
  missing: number,
  total: number,
  fields: readonly string[],
): void {
  if (missing > 0)
    context.warn(
      `${missing} of ${total} rows have no ${fields.join(', ')}; they were kept, since nothing says that they are the same`,
    );
}
