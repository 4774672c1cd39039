import { canonicalJson } from '../../engine/json.ts';
import type { TableInput } from '../../engine/step.ts';

/** Rows of a group, by their place in the table. */
export interface Group {
  rows: number[];
  /** Place of each row in its cluster, 1 the nearest to the centre; undefined unless every row has one. */
  ranks: number[] | undefined;
}

/**
 * The rows by the values of a field, groups in order of first appearance. Rows without a value are a group too, or,
 * of clusters, are left out as noise, and so are those of negative clusters.
 */
export async function readGroups(table: TableInput, by: string, clusters: boolean): Promise<Group[]> {
  const groups = new Map<string, { rows: number[]; ranks: number[] }>();
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const value = row[by] ?? null;
      if (clusters && (value === null || (typeof value === 'number' && value < 0))) continue;
      const key = typeof value === 'string' ? `"${value}` : canonicalJson(value);
      let group = groups.get(key);
      if (!group) {
        group = { rows: [], ranks: [] };
        groups.set(key, group);
      }
      group.rows.push(at);
      if (clusters) group.ranks.push(typeof row['rank'] === 'number' ? row['rank'] : Number.NaN);
    }
  }
  return [...groups.values()].map(({ rows, ranks }) => ({
    rows,
    ranks: clusters && !ranks.some(Number.isNaN) ? ranks : undefined,
  }));
}
