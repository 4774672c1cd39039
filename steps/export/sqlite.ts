import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type ColumnType, ColumnTypes } from '../column-types.ts';
import { allColumns, columnsOf } from './columns.ts';
import type { Sheet } from './xlsx.ts';

/**
 * A SQLite database with a table for each, `id` being its primary key: INTEGER (booleans are 0 and 1), REAL, TEXT; objects,
 * lists and mixed values are JSON in TEXT. Made in a temporary file, since pages are not written in their order.
 */
export async function* writeSqlite(tables: readonly Sheet[]): AsyncGenerator<Uint8Array> {
  const { DatabaseSync } = await import('node:sqlite');
  const folder = await mkdtemp(join(tmpdir(), 'reprise-sqlite-'));
  try {
    const path = join(folder, 'tables.db');
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
      for (const { name, table, columns: asked } of tables) {
        const columns = await allColumns(table, columnsOf(table, asked));
        refuseLikeNames(columns, name);
        const found = new ColumnTypes(columns);
        for await (const block of table.blocks()) for (const row of block) found.add(row);
        const types = columns.map((column) => found.all.get(column));
        const declared = columns.map(
          (column, index) =>
            `${quoted(column)} ${sqlType(types[index])}${column === 'id' ? ' PRIMARY KEY' : ''}`,
        );
        database.exec(
          `CREATE TABLE ${quoted(name)} (${declared.join(', ')})${columns.includes('id') ? ' WITHOUT ROWID' : ''}`,
        );
        const insert = database.prepare(
          `INSERT INTO ${quoted(name)} VALUES (${columns.map(() => '?').join(', ')})`,
        );
        for await (const block of table.blocks())
          for (const row of block)
            insert.run(...columns.map((column, index) => stored(row, column, types[index])));
      }
      database.exec('COMMIT');
    } finally {
      database.close();
    }
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sqlType(type: ColumnType | undefined): string {
  if (type?.kind === 'integer' || type?.kind === 'boolean') return 'INTEGER';
  return type?.kind === 'double' ? 'REAL' : 'TEXT';
}

function stored(row: Row, column: string, type: ColumnType | undefined): string | number | null {
  const value: Json = Object.hasOwn(row, column) ? row[column]! : null;
  if (value === null) return null;
  if (typeof value === 'boolean' && type?.kind === 'boolean') return value ? 1 : 0;
  if (type?.kind === 'json' || typeof value === 'object' || typeof value === 'boolean')
    return JSON.stringify(value);
  return value;
}

function refuseLikeNames(columns: readonly string[], table: string): void {
  const seen = new Set<string>();
  for (const column of columns) {
    if (seen.has(column.toLowerCase()))
      throw new StepError(
        'column-names',
        `${table} has two fields called ${column} but for their case, which SQLite does not tell apart`,
        'Say which ones to write: columns: [id, …]',
      );
    seen.add(column.toLowerCase());
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
