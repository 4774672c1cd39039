import type { Artefact } from '../../artefacts.ts';
import type { StepRecord } from '../record.ts';
import { groupOf, type LineageTables, tablesOf, textOf } from './tables.ts';

/** Rows that were made from others: of data, and of groups of them. */
export interface MadeRows {
  ids: Set<string>;
  groups: Set<string>;
}

/** What a step read: an artefact, and the rows of it that are followed. */
export interface FollowedInput {
  artefact: Artefact;
  made: MadeRows;
}

/**
 * Follows rows one step on: which rows of the step's outputs were made from rows of its inputs, by output. By the same
 * id, `parent_id` (samples and chunks), `row_id` (a gathered matrix) and `cluster` (groups). Null for files.
 */
export async function ahead(
  step: Pick<StepRecord, 'outputs'>,
  inputs: readonly FollowedInput[],
  tables: LineageTables,
): Promise<Map<string, MadeRows | null>> {
  const from: MadeRows = { ids: new Set(), groups: new Set() };
  for (const { artefact, made } of inputs) {
    for (const id of made.ids) from.ids.add(id);
    for (const group of made.groups) from.groups.add(group);
    // Rows that are in a group already lead to it.
    if (
      artefact.kind === 'table' &&
      artefact.fields.includes('cluster') &&
      !(await tables.isOfGroups(artefact))
    )
      await tables.scan(artefact, (row) => {
        const group = made.ids.has(row.id) ? groupOf(row) : undefined;
        if (group !== undefined) from.groups.add(group);
      });
  }
  const found = new Map<string, MadeRows | null>();
  const groupTables: typeof all = [];
  const all = tablesOf(step.outputs);
  for (const [name, table] of all) {
    if (await tables.isOfGroups(table)) {
      groupTables.push([name, table]);
      continue;
    }
    const made: MadeRows = { ids: new Set(), groups: new Set() };
    await tables.scan(table, (row) => {
      const isOf = [row.id, textOf(row, 'parent_id'), textOf(row, 'row_id')].some(
        (id) => id !== undefined && from.ids.has(id),
      );
      if (!isOf) return;
      made.ids.add(row.id);
      const group = groupOf(row);
      if (group !== undefined) from.groups.add(group);
    });
    found.set(name, made);
  }
  for (const [name, table] of groupTables) {
    const made: MadeRows = { ids: new Set(), groups: new Set() };
    await tables.scan(table, ({ id }) => {
      if (from.groups.has(id)) made.groups.add(id);
    });
    found.set(name, made);
  }
  for (const [name, artefact] of Object.entries(step.outputs)) {
    if (artefact.kind === 'files') found.set(name, null);
    else if (artefact.kind === 'matrix') {
      const aligned = all.find(([, table]) => table.ids === artefact.ids)?.[0];
      const made =
        aligned === undefined ? { ids: new Set(from.ids), groups: new Set<string>() } : found.get(aligned)!;
      found.set(name, made);
    }
  }
  return found;
}
