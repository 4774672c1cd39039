import type { TableInput } from '../../engine/step.ts';

/** What a writer needs of a table. `blocks` is called once for each pass over the rows. */
export type TableSource = Pick<TableInput, 'fields' | 'blocks'>;

/** Columns of an export, in their order. */
export interface TableColumns {
  readonly names: readonly string[];
  /** False if rows may have more fields than are named, which then belong to the export too. */
  readonly complete: boolean;
}

/** A table lists at most so many fields: with fewer, the list is complete. */
const listedFields = 1000;

/** The columns asked for, or all: `id` first, the others in the order in which they first occur. */
export function columnsOf(table: TableSource, asked?: readonly string[]): TableColumns {
  if (asked) return { names: asked, complete: true };
  const names = ['id', ...table.fields.filter((name) => name !== 'id')];
  return { names, complete: table.fields.length < listedFields };
}

/** Complete columns: a pass over the rows finds those that the table does not list. */
export async function allColumns(table: TableSource, columns: TableColumns): Promise<readonly string[]> {
  if (columns.complete) return columns.names;
  const names = new Set(columns.names);
  for await (const block of table.blocks())
    for (const row of block) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}
