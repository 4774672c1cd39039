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

/** SQLite's own limit, unless it is built with another one. */
const mostColumns = 2000;

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
      refuseTableNames(tables.map(({ name }) => name));
      for (const { name, table, columns: asked } of tables) {
        const columns = await allColumns(table, columnsOf(table, asked));
        refuseColumns(columns, name);
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

function refuseTableNames(names: readonly string[]): void {
  const twice = sameName(names);
  const reserved = names.find((name) => lower(name).startsWith('sqlite_'));
  if (twice === undefined && reserved === undefined) return;
  throw new StepError(
    'export-inputs',
    twice === undefined
      ? `a table of SQLite cannot be called ${reserved}: names with sqlite_ in front are its own`
      : `two inputs are called ${twice} but for their case, which SQLite does not tell apart`,
    'Give the input another name: from: { rows: … }',
  );
}

function refuseColumns(columns: readonly string[], table: string): void {
  if (columns.length > mostColumns)
    throw new StepError(
      'too-big-for-format',
      `a table of SQLite holds ${mostColumns} columns, and ${table} has ${columns.length}`,
      'Write .jsonl or .parquet, or fewer of them: columns: [id, text]',
    );
  const twice = sameName(columns);
  const cut = columns.find((column) => column.includes('\0'));
  if (twice === undefined && cut === undefined) return;
  throw new StepError(
    'column-names',
    twice === undefined
      ? `${table} has a field called ${JSON.stringify(cut)}, and SQLite has no names with a NUL character`
      : `${table} has two fields called ${twice} but for their case, which SQLite does not tell apart`,
    'Say which ones to write: columns: [id, …]',
  );
}

/** The first name that SQLite takes for one before it. */
function sameName(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(lower(name)).size);
}

/** SQLite lowers the letters of ASCII only. */
function lower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
