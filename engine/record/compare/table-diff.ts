import type { Row } from '../../artefacts.ts';
import { canonicalJson, type Json } from '../../json.ts';
import type { TableInput } from '../../step.ts';
import { RowIndex } from './row-index.ts';

/** What differs between two tables, joined by row id. */
export interface TableDiff {
  kind: 'table';
  rows: { old: number; now: number };
  added: number;
  removed: number;
  /** Rows of both in which a field has another value. */
  changed: number;
  same: number;
  /** Rows of both stand in another order. */
  reordered: boolean;
  fields: {
    added: string[];
    removed: string[];
    /** In how many rows of both each field has another value, most first. Null for all fields beyond the 32nd together. */
    changed: { field: string | null; rows: number }[];
  };
  /** The first few of each kind. */
  examples: { added: Row[]; removed: Row[]; changed: ChangedRow[] };
}

/** A row's fields that have another value; undefined (absent in JSON) where one side has no such field. */
export interface ChangedRow {
  id: string;
  fields: { field: string; old: Json | undefined; now: Json | undefined }[];
}

/**
 * Compares two tables row by row, joined by id, whatever their order. The earlier table is read twice, the later one
 * once. Of the rows only hashes are kept (`RowIndex`), so that a million of them take some 60 MB. Throws
 * DamagedBlobError if a table is not there any more.
 *
 * @param options.examples rows of each kind that are given whole
 */
export async function diffTables(
  old: TableInput,
  now: TableInput,
  { examples = 3 }: { examples?: number } = {},
): Promise<TableDiff> {
  const fields = [...new Set([...old.fields, ...now.fields])].filter((field) => field !== 'id');
  const index = new RowIndex({ rows: old.rows, fields });
  for await (const block of old.blocks()) for (const row of block) index.add(row);

  const seen = new Uint8Array(old.rows);
  const changes = new Map<string | null, number>();
  const added: Row[] = [];
  const changedRows = new Map<number, Row>();
  let [addedCount, changed, same] = [0, 0, 0];
  let reordered = false;
  let last = -1;
  const count = (field: string | null) => void changes.set(field, (changes.get(field) ?? 0) + 1);
  for await (const block of now.blocks()) {
    for (const row of block) {
      const number = index.find(row.id);
      if (number < 0) {
        addedCount++;
        if (added.length < examples) added.push(row);
        continue;
      }
      seen[number] = 1;
      reordered ||= number < last;
      last = number;
      if (index.compare(number, row, count) === 0) same++;
      else {
        changed++;
        if (changedRows.size < examples) changedRows.set(number, row);
      }
    }
  }
  const removedCount = old.rows - same - changed;
  const found = await findOld(old, seen, changedRows, Math.min(examples, removedCount));
  const placeOf = (field: string | null) => (field === null ? fields.length : fields.indexOf(field));
  return {
    kind: 'table',
    rows: { old: old.rows, now: now.rows },
    added: addedCount,
    removed: removedCount,
    changed,
    same,
    reordered,
    fields: {
      added: now.fields.filter((field) => !old.fields.includes(field)),
      removed: old.fields.filter((field) => !now.fields.includes(field)),
      changed: [...changes]
        .sort(([a, n], [b, m]) => m - n || placeOf(a) - placeOf(b))
        .map(([field, rows]) => ({ field, rows })),
    },
    examples: { added, ...found },
  };
}

/** The earlier rows of the examples, in one pass that ends with the last of them. */
async function findOld(
  old: TableInput,
  seen: Uint8Array,
  changedRows: ReadonlyMap<number, Row>,
  removedWanted: number,
): Promise<{ removed: Row[]; changed: ChangedRow[] }> {
  const removed: Row[] = [];
  const before = new Map<number, Row>();
  if (changedRows.size > 0 || removedWanted > 0) {
    let number = 0;
    reading: for await (const block of old.blocks()) {
      for (const row of block) {
        if (changedRows.has(number)) before.set(number, row);
        else if (!seen[number] && removed.length < removedWanted) removed.push(row);
        number++;
        if (before.size === changedRows.size && removed.length === removedWanted) break reading;
      }
    }
  }
  const changed = [...changedRows].map(([number, row]) => changedRow(before.get(number)!, row));
  return { removed, changed };
}

function changedRow(old: Row, now: Row): ChangedRow {
  const fields = [...new Set([...Object.keys(now), ...Object.keys(old)])].flatMap((field) => {
    const [before, after] = [memberOf(old, field), memberOf(now, field)];
    const same =
      before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after);
    return same ? [] : [{ field, old: before, now: after }];
  });
  return { id: now.id, fields };
}

function memberOf(row: Row, field: string): Json | undefined {
  return Object.hasOwn(row, field) ? row[field] : undefined;
}
