import type { DataType, Field } from '@uwdata/flechette';
import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { type ColumnType, ColumnTypes } from '../column-types.ts';
import type { TableSource } from './columns.ts';

type Flechette = typeof import('@uwdata/flechette');

/** A record batch ends at so many rows or so much text, whichever comes first: it is what memory holds. */
const batchRows = 5_000;
const batchText = 16 * 1024 * 1024;
/** `ARROW1`, padded to 8 bytes: a file begins with it; it ends with the six letters. */
const magic = Buffer.from('ARROW1\0\0');
/** A message of no length, which ends the stream of messages. */
const endOfStream = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/**
 * An Arrow IPC file (Feather V2), uncompressed, in two passes over the table: the first finds the columns' types, the
 * second writes record batches. Booleans, integers of 32 or 64 bits, doubles, texts, lists and structs; what is mixed is
 * text of the extension type `arrow.json`. All are nullable: a field that a row lacks is null.
 */
export async function* writeArrow(
  table: TableSource,
  columns: readonly string[],
): AsyncGenerator<Uint8Array> {
  const flechette = await import('@uwdata/flechette');
  const found = new ColumnTypes(columns);
  for await (const block of table.blocks()) for (const row of block) found.add(row);
  const types = columns.map((name) => typed(found.all.get(name)));
  const fields = columns.map((name, index) => fieldOf(name, types[index]!, flechette));
  /** Starts and sizes of the record batches, as the footer has them. */
  const blocks: { offset: number; head: number; body: number }[] = [];
  let offset = 0;
  let schemaLength: number | undefined;
  function* batch(rows: readonly Row[]): Generator<Uint8Array> {
    const bytes = encoded(rows, columns, types, fields, 'stream', flechette);
    if (schemaLength === undefined) {
      schemaLength = messageLength(bytes, 0).head;
      yield magic;
      yield bytes.subarray(0, schemaLength);
      offset = magic.length + schemaLength;
    }
    if (rows.length === 0) return;
    const part = bytes.subarray(schemaLength, bytes.length - endOfStream.length);
    const { head } = messageLength(part, 0);
    blocks.push({ offset, head, body: part.length - head });
    offset += part.length;
    yield part;
  }
  let rows: Row[] = [];
  let text = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      rows.push(row);
      for (const name of columns) text += lengthOf(row[name]);
      if (rows.length < batchRows && text < batchText) continue;
      yield* batch(rows);
      rows = [];
      text = 0;
    }
  if (rows.length > 0 || schemaLength === undefined) yield* batch(rows);
  yield endOfStream;
  yield footer(encoded([{} as Row], columns, types, fields, 'file', flechette), blocks);
}

/** A type that Arrow has: what holds mixed values anywhere within is JSON as a whole; without a value it is text. */
function typed(type: ColumnType | undefined): ColumnType {
  if (type === undefined) return { kind: 'text' };
  return isMixed(type) ? { kind: 'json' } : type;
}

function isMixed(type: ColumnType | undefined): boolean {
  if (type?.kind === 'list') return isMixed(type.item);
  if (type?.kind === 'struct') return [...type.members.values()].some(isMixed);
  return type?.kind === 'json';
}

function fieldOf(name: string, type: ColumnType, flechette: Flechette): Field {
  const json = new Map([
    ['ARROW:extension:name', 'arrow.json'],
    ['ARROW:extension:metadata', ''],
  ]);
  return flechette.field(name, arrowType(type, flechette), true, type.kind === 'json' ? json : null);
}

function arrowType(type: ColumnType | undefined, flechette: Flechette): DataType {
  switch (type?.kind) {
    case 'boolean':
      return flechette.bool();
    case 'integer':
      return type.bits === 32 ? flechette.int32() : flechette.int64();
    case 'double':
      return flechette.float64();
    case 'list':
      return flechette.list(flechette.field('item', arrowType(type.item, flechette)));
    case 'struct':
      return flechette.struct(
        [...type.members].map(([name, member]) => flechette.field(name, arrowType(member, flechette))),
      );
    default:
      return flechette.utf8();
  }
}

function encoded(
  rows: readonly Row[],
  columns: readonly string[],
  types: readonly ColumnType[],
  fields: Field[],
  format: 'stream' | 'file',
  flechette: Flechette,
): Uint8Array {
  const table = flechette.tableFromColumns(
    columns.map((name, index) => {
      const values = rows.map((row) => written(Object.hasOwn(row, name) ? row[name]! : null, types[index]!));
      return [name, flechette.columnFromArray(values, fields[index]!.type, { maxBatchRows: batchRows })];
    }),
  );
  const schema = { ...table.schema, fields };
  const bytes = flechette.tableToIPC(new flechette.Table(schema, table.children), { format });
  if (bytes === null) throw new TypeError('a table in memory has no bytes');
  return bytes;
}

/** A value as the builder of its column takes it. */
function written(value: Json, type: ColumnType | undefined): unknown {
  if (value === null) return null;
  switch (type?.kind) {
    case 'integer':
      return type.bits === 64 ? BigInt(value as number) : value;
    case 'json':
      return JSON.stringify(value);
    case 'list':
      return (value as Json[]).map((item) => written(item, type.item));
    case 'struct': {
      const members = value as { [name: string]: Json };
      return Object.fromEntries(
        [...type.members].map(([name, its]) => [
          name,
          written(Object.hasOwn(members, name) ? members[name]! : null, its),
        ]),
      );
    }
    default:
      return value;
  }
}

function lengthOf(value: Json | undefined): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'object' && value !== null ? JSON.stringify(value).length : 8;
}

/** Length of a message's head (`Encapsulated message format`): marker, length, metadata with padding. */
function messageLength(bytes: Uint8Array, at: number): { head: number } {
  return { head: 8 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(at + 4, true) };
}

/**
 * The footer of a file with one record batch, with these in its place. It is a FlatBuffer whose root has the vector of record
 * batches as field 3: a new vector is put behind it, and the field made to lead there. Then length and magic.
 */
function footer(
  file: Uint8Array,
  blocks: readonly { offset: number; head: number; body: number }[],
): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const length = view.getInt32(file.length - 10, true);
  const start = file.length - 10 - length;
  const padded = Math.ceil((length + 4) / 8) * 8 + 4;
  const bytes = Buffer.alloc(padded + 4 + 24 * blocks.length);
  bytes.set(file.subarray(start, start + length));
  const root = bytes.readUInt32LE(0);
  const table = root - bytes.readInt32LE(root);
  const field = root + bytes.readUInt16LE(table + 4 + 2 * 3);
  // Blocks are aligned to 8 bytes, with the vector's length right before them.
  const vector = padded;
  bytes.writeUInt32LE(vector - field, field);
  bytes.writeUInt32LE(blocks.length, vector);
  for (const [index, { offset, head, body }] of blocks.entries()) {
    const at = vector + 4 + 24 * index;
    bytes.writeBigInt64LE(BigInt(offset), at);
    bytes.writeInt32LE(head, at + 8);
    bytes.writeBigInt64LE(BigInt(body), at + 16);
  }
  const end = Buffer.alloc(4);
  end.writeInt32LE(bytes.length, 0);
  return Buffer.concat([bytes, end, magic.subarray(0, 6)]);
}
