import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';

/** Rows of a group, by their place in the table. */
export interface Group {
  rows: number[];
  /** Place of each row in its cluster, 1 the nearest to the centre; undefined unless every row has one. */
  ranks: number[] | undefined;
  /** Standard deviation (population) of `value` over its rows; 0 without `value`. */
  deviation: number;
}

export interface GroupOptions {
  by: string;
  /** Negative and missing groups are noise and left out; ranks are read. */
  clusters: boolean;
  /** A field with numbers, whose deviation is wanted. */
  value?: string;
}

/**
 * The rows by the values of a field, groups in order of first appearance. Rows without a value are a group too, or,
 * of clusters, are left out as noise, and so are those of negative clusters.
 */
export async function readGroups(
  table: TableInput,
  { by, clusters, value: measured }: GroupOptions,
): Promise<Group[]> {
  const groups = new Map<string, { rows: number[]; ranks: number[]; values: number[] }>();
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const value = row[by] ?? null;
      if (clusters && (value === null || (typeof value === 'number' && value < 0))) continue;
      const key = typeof value === 'string' ? `"${value}` : canonicalJson(value);
      let group = groups.get(key);
      if (!group) {
        group = { rows: [], ranks: [], values: [] };
        groups.set(key, group);
      }
      group.rows.push(at);
      if (measured !== undefined) group.values.push(numberIn(row, measured, 'bad-value'));
      if (clusters) group.ranks.push(typeof row['rank'] === 'number' ? row['rank'] : Number.NaN);
    }
  }
  return [...groups.values()].map(({ rows, ranks, values }) => ({
    rows,
    ranks: clusters && !ranks.some(Number.isNaN) ? ranks : undefined,
    deviation: deviationOf(values),
  }));
}

function deviationOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** What each row weighs, at least 0. */
export async function readWeights(table: TableInput, field: string): Promise<Float64Array> {
  const weights = new Float64Array(table.rows);
  let index = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      const weight = numberIn(row, field, 'bad-weight');
      if (weight < 0)
        throw new StepError('bad-weight', `row ${row.id}: ${field} is ${weight}`, 'a weight is at least 0');
      weights[index++] = weight;
    }
  return weights;
}

function numberIn(row: Row, field: string, code: 'bad-value' | 'bad-weight'): number {
  const value = row[field] ?? null;
  if (typeof value === 'number') return value;
  throw new StepError(
    code,
    `row ${row.id}: ${field} is ${JSON.stringify(value)}, which is no number`,
    'give every row a number, or filter out those without one before',
  );
}
