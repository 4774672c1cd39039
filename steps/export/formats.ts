import { pipeline, Readable } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Matrix } from '../../engine/step.ts';
import { npyHeader } from '../../engine/store/npy.ts';
import { writeArrow } from './arrow.ts';
import { allColumns, columnsOf, type TableSource } from './columns.ts';
import { type CsvWriteOptions, writeCsv } from './csv.ts';
import { writeJsonl } from './jsonl.ts';
import { type Compression, writeParquet } from './parquet.ts';
import { writeSqlite } from './sqlite.ts';
import { type Sheet, writeXlsx } from './xlsx.ts';

export const tableFormats = ['jsonl', 'csv', 'tsv', 'parquet', 'arrow', 'xlsx', 'sqlite'] as const;
/** Formats whose files hold several tables. */
export const workbookFormats = ['xlsx', 'sqlite'] as const;
/** Formats of tables, and `npy` of matrices. */
export const exportFormats = [...tableFormats, 'npy'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface TableWriteOptions {
  /** Columns and their order; `id` and all fields if not given. */
  columns?: readonly string[] | undefined;
  csv?: Partial<CsvWriteOptions>;
  /** Of Parquet. */
  compression?: Compression;
  /** Of xlsx and SQLite: what the table is called there. */
  name?: string;
  /** Of xlsx: hears how many texts were too long for a cell and were cut, at the end. */
  onCut?: (count: number) => void;
}

/** Other extensions of the formats. */
const aliases: { readonly [extension: string]: ExportFormat } = {
  ndjson: 'jsonl',
  feather: 'arrow',
  db: 'sqlite',
};

/** The format and packing that a file name says; undefined for a name that says none. */
export function formatOfName(
  name: string,
): { format: ExportFormat; packing: 'gz' | 'zst' | undefined } | undefined {
  const match = /\.([a-z]+?)(?:\.(gz|zst))?$/i.exec(name);
  if (!match) return undefined;
  const extension = match[1]!.toLowerCase();
  const format = aliases[extension] ?? exportFormats.find((known) => known === extension);
  const packing = match[2]?.toLowerCase() as 'gz' | 'zst' | undefined;
  return format && { format, packing };
}

/** The bytes of a table in a format. The same rows give the same bytes. */
export async function* writeTable(
  table: TableSource,
  format: (typeof tableFormats)[number],
  options: TableWriteOptions = {},
): AsyncGenerator<Uint8Array> {
  const columns = columnsOf(table, options.columns);
  if (format === 'jsonl') {
    yield* writeJsonl(table.blocks(), columns);
    return;
  }
  if (format === 'xlsx' || format === 'sqlite') {
    yield* writeWorkbook(
      [{ name: options.name ?? 'rows', table, columns: options.columns }],
      format,
      options,
    );
    return;
  }
  const names = await allColumns(table, columns);
  if (format === 'arrow') {
    yield* writeArrow(table, names);
    return;
  }
  if (format === 'parquet') {
    yield* writeParquet(table, names, { compression: options.compression ?? 'snappy' });
    return;
  }
  const delimiter = format === 'tsv' ? '\t' : ',';
  yield* writeCsv(table.blocks(), names, {
    bom: false,
    escapeFormulas: false,
    ...options.csv,
    delimiter: options.csv?.delimiter ?? delimiter,
  });
}

/** The bytes of several tables in one file. */
export function writeWorkbook(
  tables: readonly Sheet[],
  format: (typeof workbookFormats)[number],
  { onCut }: Pick<TableWriteOptions, 'onCut'> = {},
): AsyncGenerator<Uint8Array> {
  return format === 'xlsx' ? writeXlsx(tables, onCut) : writeSqlite(tables);
}

/** A float32 `.npy` file (numpy.lib.format 1.0). */
export async function* writeNpy(matrix: Matrix): AsyncGenerator<Uint8Array> {
  yield npyHeader(matrix.rows, matrix.columns);
  yield new Uint8Array(matrix.data.buffer, matrix.data.byteOffset, matrix.data.byteLength);
}

/** The bytes, packed as `.gz` or `.zst`. */
export async function* packed(
  bytes: AsyncIterable<Uint8Array>,
  packing: 'gz' | 'zst',
): AsyncGenerator<Uint8Array> {
  const packer = packing === 'gz' ? createGzip() : createZstdCompress();
  pipeline(Readable.from(bytes, { objectMode: true }), packer, () => {}); // its error ends the loop below
  yield* packer as AsyncIterable<Uint8Array>;
}
