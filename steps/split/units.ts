import { canonicalJson, type Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';
import type { Unit } from './assign.ts';

/** What is split: the rows, or the groups of rows with an equal value in `group`. Rows without one stand alone. */
export async function readUnits(
  table: TableInput,
  group: string | undefined,
  stratify: string | undefined,
): Promise<Unit[]> {
  const units: Unit[] = [];
  const known = new Map<string, Unit>();
  const strata = new Map<Unit, Map<string, number>>();
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const value = group === undefined ? null : (row[group] ?? null);
      const key = value === null ? row.id : keyOf(value);
      const stratum = stratify === undefined ? '' : keyOf(row[stratify] ?? null);
      let unit = value === null ? undefined : known.get(key);
      if (!unit) {
        unit = { key, rows: [], stratum };
        units.push(unit);
        if (value !== null) known.set(key, unit);
      }
      unit.rows.push(index++);
      if (value === null || stratify === undefined) continue;
      let counts = strata.get(unit);
      if (!counts) {
        counts = new Map();
        strata.set(unit, counts);
      }
      counts.set(stratum, (counts.get(stratum) ?? 0) + 1);
    }
  }
  for (const [unit, counts] of strata)
    unit.stratum = [...counts].reduce((most, other) => (other[1] > most[1] ? other : most))[0];
  return units;
}

/** The time of each row: a number, or a text that `Date` reads (ISO 8601). */
export async function readTimes(table: TableInput, field: string): Promise<number[]> {
  const times: number[] = [];
  for await (const block of table.blocks()) {
    for (const row of block) {
      const value = row[field] ?? null;
      const time =
        typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
      if (!Number.isFinite(time))
        throw new StepError(
          'bad-time',
          `row ${row.id}: ${field} is ${JSON.stringify(value)}, which is no time`,
          'a time is a number, or a text such as 2026-11-21T09:15:00Z',
        );
      times.push(time);
    }
  }
  return times;
}

function keyOf(value: Json): string {
  return typeof value === 'string' ? value : canonicalJson(value);
}
