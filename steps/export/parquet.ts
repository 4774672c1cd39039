import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { BasicType, ColumnSource } from 'hyparquet-writer';
import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { ColumnTypes, type ColumnType as FoundType } from '../column-types.ts';
import type { TableSource } from './columns.ts';

export const compressions = ['snappy', 'zstd', 'gzip', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** A row group ends at so many rows or so much text, whichever comes first: it is what memory holds. */
const groupRows = 5_000;
const groupText = 16 * 1024 * 1024;

type ColumnType = Extract<BasicType, 'BOOLEAN' | 'INT32' | 'INT64' | 'DOUBLE' | 'STRING' | 'JSON'>;

/**
 * Parquet, in two passes over the table: the first finds the columns' types, the second writes row groups.
 * Booleans, integers of 32 or 64 bits, doubles and texts are columns of their own type; what is mixed or nested is
 * of the logical type JSON. All are optional: a field that a row lacks is null.
 */
export async function* writeParquet(
  table: TableSource,
  columns: readonly string[],
  options: { compression: Compression },
): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const types = await columnTypes(table, columns);
  const specs = columns.map((name, index) => ({ name, type: types[index]!, nullable: true }));
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: specs.map((spec) => ({ ...spec, data: [] })) }),
    codec: codecs[options.compression],
    compressors: { ZSTD: (input) => zstdCompressSync(input), GZIP: (input) => gzipSync(input) },
    createdBy: 'reprise',
  });
  const taken = (): Uint8Array => {
    const part = new Uint8Array(bytes.buffer.slice(0, bytes.index));
    bytes.index = 0;
    return part;
  };
  let group = new Group(columns, types);
  const write = (): void => {
    const columnData: ColumnSource[] = specs.map(({ name, type }, index) => ({
      name,
      type,
      data: type === 'JSON' ? (group.values[index] as Json[]).map(asWritten) : group.values[index]!,
      ...(type === 'JSON' ? { statistics: false } : {}),
    }));
    void writer.write({ columnData, rowGroupSize: group.rows });
    group = new Group(columns, types);
  };
  for await (const block of table.blocks()) {
    for (const row of block) {
      group.add(row);
      if (group.rows < groupRows && group.text < groupText) continue;
      write();
      yield taken();
    }
  }
  if (group.rows > 0) write();
  void writer.finish();
  yield taken();
}

const codecs = { snappy: 'SNAPPY', zstd: 'ZSTD', gzip: 'GZIP', none: 'UNCOMPRESSED' } as const;

class Group {
  rows = 0;
  /** UTF-16 code units of the texts in it. */
  text = 0;
  readonly values: unknown[][];
  readonly #columns: readonly string[];
  readonly #types: readonly ColumnType[];

  constructor(columns: readonly string[], types: readonly ColumnType[]) {
    this.#columns = columns;
    this.#types = types;
    this.values = columns.map(() => []);
  }

  add(row: Row): void {
    this.rows++;
    for (const [index, name] of this.#columns.entries()) {
      const value = Object.hasOwn(row, name) ? row[name]! : null;
      this.values[index]!.push(
        value !== null && this.#types[index] === 'INT64' ? BigInt(value as number) : value,
      );
      if (typeof value === 'string') this.text += value.length;
      else if (typeof value === 'object' && value !== null) this.text += JSON.stringify(value).length;
    }
  }
}

/** The writer copies objects by assignment, which loses a member `__proto__`; one without a prototype it takes as it is. */
function asWritten(value: Json): Json {
  if (Array.isArray(value)) return value.map(asWritten);
  return typeof value === 'object' && value !== null ? Object.setPrototypeOf({ ...value }, null) : value;
}

async function columnTypes(table: TableSource, columns: readonly string[]): Promise<ColumnType[]> {
  const found = new ColumnTypes(columns);
  for await (const block of table.blocks()) for (const row of block) found.add(row);
  return columns.map((name) => parquetType(found.all.get(name)));
}

function parquetType(type: FoundType | undefined): ColumnType {
  switch (type?.kind) {
    case undefined:
    case 'text':
      return 'STRING';
    case 'boolean':
      return 'BOOLEAN';
    case 'integer':
      return type.bits === 32 ? 'INT32' : 'INT64';
    case 'double':
      return 'DOUBLE';
    default:
      return 'JSON';
  }
}
