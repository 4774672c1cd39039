import type { TableInput } from '../../engine/step.ts';
import { UnionFind } from '../../numerics/union-find.ts';
import { requireFields } from '../missing-field.ts';
import { requireInstant } from '../times.ts';
import { valueName } from '../value-name.ts';
import type { Unit } from './assign.ts';

/**
 * What is split: the rows, or the groups of rows with an equal value in `group` or that are duplicates of each other
 * (`duplicateOf`: by the place of a row the place of another one, or −1). Rows without either stand alone.
 */
export async function readUnits(
  table: TableInput,
  { group, stratify, duplicateOf }: { group?: string; stratify?: string; duplicateOf?: Int32Array },
): Promise<Unit[]> {
  const sets = new UnionFind(table.rows);
  const firstOf = new Map<string, number>();
  const keys: string[] = [];
  const strata: string[] = [];
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const value = group === undefined ? null : (row[group] ?? null);
      const key = value === null ? row.id : valueName(value);
      keys.push(key);
      if (stratify !== undefined) strata.push(valueName(row[stratify] ?? null));
      if (value !== null) {
        const first = firstOf.get(key);
        if (first === undefined) firstOf.set(key, index);
        else sets.union(first, index);
      }
      const duplicate = duplicateOf?.[index] ?? -1;
      if (duplicate >= 0) sets.union(duplicate, index);
      index++;
    }
  }
  const units = new Map<number, Unit>();
  for (const [row, key] of keys.entries()) {
    const root = sets.find(row);
    const unit = units.get(root);
    if (unit) unit.rows.push(row);
    else units.set(root, { key, rows: [row], stratum: '' });
  }
  if (stratify !== undefined)
    for (const unit of units.values()) unit.stratum = commonest(unit.rows.map((row) => strata[row]!));
  return [...units.values()];
}

/** Of equals the first. */
function commonest(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((most, other) => (other[1] > most[1] ? other : most))[0];
}

/**
 * By the place of each row the place of the row that it is a duplicate of (`dup_of`), or −1. Of a chain the places are those
 * of the next. A row or an original that is not in the table does not count.
 */
export async function readDuplicates(table: TableInput, duplicates: TableInput): Promise<Int32Array> {
  requireFields(duplicates, ['dup_of'], 'duplicates');
  const originals = new Map<string, string>();
  for await (const block of duplicates.blocks())
    for (const row of block) if (typeof row['dup_of'] === 'string') originals.set(row.id, row['dup_of']);
  const wanted = new Set([...originals.keys(), ...originals.values()]);
  const places = new Map<string, number>();
  let index = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      if (wanted.has(row.id)) places.set(row.id, index);
      index++;
    }
  const found = new Int32Array(table.rows).fill(-1);
  // An original that is not here may still tie its duplicates together.
  for (const [id, original] of originals) {
    const place = places.get(id);
    if (place === undefined) continue;
    if (!places.has(original)) places.set(original, place);
    else found[place] = places.get(original)!;
  }
  return found;
}

/** The time of each row, in milliseconds since 1970. */
export async function readTimes(table: TableInput, field: string): Promise<number[]> {
  const times: number[] = [];
  for await (const block of table.blocks())
    for (const row of block) times.push(requireInstant(row[field] ?? null, { id: row.id, field }));
  return times;
}
