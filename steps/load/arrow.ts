import { open } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import type { Column, DataType, Field, Table } from '@uwdata/flechette';
import type { Json, JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { exactNumber } from '../exact-number.ts';
import { type ArrowMessage, messageAt, withBinaryTexts } from './arrow-messages.ts';
import { infinite, isoDay, isoTime, itemFlaw, jsonNumber, tooDeep } from './binary-values.ts';
import { utf8Text } from './decode.ts';
import { setField } from './fields.ts';
import { deepestNesting, type Flaw, type Item, type Notes, newNotes, showRaw } from './found.ts';
import { loneSurrogateFlaw, parseJson } from './json-text.ts';
import { unpackLz4Frame } from './lz4-frame.ts';
import type { SourceFile } from './source-files.ts';
import type { Reading } from './text-blocks.ts';

type Flechette = typeof import('@uwdata/flechette');

/** Rows that are made at a time. */
const batch = 2000;
/** Bytes of record batches that are decoded together, at least. */
const tableBytes = 2 ** 20;

/**
 * Reads Arrow IPC, files (Feather V2) and streams, a record batch at a time. Values become JSON as those of Parquet do;
 * decimals are exact, durations numbers of the unit that the file says.
 */
export async function* readArrow(
  file: SourceFile,
  reading: Reading,
  options: { columns?: readonly string[] | undefined },
): AsyncGenerator<Item[]> {
  const flechette = await import('@uwdata/flechette');
  const { CompressionType, setCompressionCodec } = flechette;
  const never = (): never => {
    throw new Error('nothing is packed here');
  };
  setCompressionCodec(CompressionType.ZSTD, {
    decode: (bytes) => new Uint8Array(zstdDecompressSync(bytes)),
    encode: never,
  });
  setCompressionCodec(CompressionType.LZ4_FRAME, { decode: unpackLz4Frame, encode: never });
  let record = 0;
  for await (const { table, fields } of tablesOf(file, reading, flechette)) {
    const columns = fields.flatMap((field, index) =>
      options.columns === undefined || options.columns.includes(field.name)
        ? [{ field, column: table.getChildAt(index) as Column<unknown> }]
        : [],
    );
    for (let from = 0; from < table.numRows; from += batch) {
      const items: Item[] = [];
      for (let row = from; row < Math.min(table.numRows, from + batch); row++)
        items.push(itemOf(++record, row, columns, flechette, reading.notes));
      yield items;
      reading.signal.throwIfAborted();
    }
  }
}

/** A table for each few record batches of a file, in their order. What is wrong with the bytes is a StepError. */
async function* tablesOf(
  file: SourceFile,
  reading: Reading,
  flechette: Flechette,
): AsyncGenerator<{ table: Table; fields: Field[] }> {
  const handle = await open(file.path);
  const read = async (start: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
      if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}`);
      filled += bytesRead;
    }
    return bytes;
  };
  try {
    if (file.bytes === 0) throw new Error('it is empty');
    let schema: Uint8Array | undefined;
    let fields: Field[] = [];
    // Record batches are put together, since a table decodes all dictionaries before them: it has as many bytes as those have.
    const dictionaries: Uint8Array[] = [];
    let dictionaryBytes = 0;
    let messages: ArrowMessage[] = [];
    let messageBytes = 0;
    const tableOf = (head: Uint8Array): Table => {
      const table = flechette.tableFromIPC([head, ...dictionaries, ...messages.map(({ bytes }) => bytes)], {
        useBigInt: true,
        useBigIntTimestamp: true,
        useDecimalInt: true,
      });
      for (const { kind, bytes } of messages) {
        if (kind !== 'dictionary') continue;
        dictionaries.push(bytes);
        dictionaryBytes += bytes.length;
      }
      messages = [];
      messageBytes = 0;
      return table;
    };
    // A file is a stream of messages behind the magic, with a footer that need not be read.
    let at = startsAsFile(await read(0, Math.min(8, file.bytes))) ? 8 : 0;
    for (;;) {
      reading.signal.throwIfAborted();
      const message = at + 4 <= file.bytes ? await messageAt(read, at, file.bytes) : undefined;
      if (message === undefined) break;
      const { kind, bytes } = message;
      at += bytes.length;
      reading.onRead(bytes.length);
      if (kind === 'schema' && schema === undefined) {
        fields = flechette.tableFromIPC([bytes]).schema.fields;
        schema = withBinaryTexts(bytes);
      }
      if (kind === 'dictionary' || kind === 'batch') {
        messages.push(message);
        messageBytes += bytes.length;
      }
      if (kind === 'batch' && schema && messageBytes >= Math.max(tableBytes, dictionaryBytes))
        yield { table: tableOf(schema), fields };
    }
    if (schema === undefined) throw new Error('it has no schema');
    if (messages.length > 0) yield { table: tableOf(schema), fields };
  } catch (error) {
    if (error instanceof StepError || reading.signal.aborted) throw error;
    throw new StepError(
      'damaged-file',
      `${file.name} cannot be read as Arrow: ${(error as Error).message}`,
      'Check that it was copied whole, or write it again: Arrow IPC files and streams are read.',
    );
  } finally {
    await handle.close();
  }
}

function startsAsFile(head: Uint8Array): boolean {
  return Buffer.from(head).toString('latin1', 0, 6) === 'ARROW1';
}

function itemOf(
  record: number,
  row: number,
  columns: readonly { field: Field; column: Column<unknown> }[],
  flechette: Flechette,
  notes: Notes,
): Item {
  const value: JsonObject = {};
  let flaw: Flaw | undefined;
  for (const { field, column } of columns) {
    const converted = fieldValue(column.at(row), field, flechette, notes, 0);
    if (typeof converted === 'symbol') flaw ??= itemFlaw(converted, field.name);
    setField(value, field.name, typeof converted === 'symbol' ? null : converted);
  }
  flaw ??= loneSurrogateFlaw(value, true);
  if (flaw) return { record, line: null, raw: showRaw(JSON.stringify(value)), ...flaw };
  return { record, line: null, value, raw: undefined };
}

function fieldValue(
  value: unknown,
  field: Field,
  flechette: Flechette,
  notes: Notes,
  depth: number,
): Json | symbol {
  const converted = jsonOf(value, field.type, flechette, notes, depth);
  if (typeof converted !== 'string' || field.metadata?.get('ARROW:extension:name') !== 'arrow.json')
    return converted;
  const parsed = parseJson(converted, newNotes());
  return 'value' in parsed ? parsed.value : converted;
}

/** A value of Arrow as JSON, or why it has none. */
function jsonOf(
  value: unknown,
  type: DataType,
  flechette: Flechette,
  notes: Notes,
  depth: number,
): Json | symbol {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (depth >= deepestNesting) return tooDeep;
  const { Type } = flechette;
  switch (type.typeId) {
    case Type.Dictionary:
      return jsonOf(value, type.dictionary, flechette, notes, depth);
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return utf8Text(value as Uint8Array);
    case Type.Decimal:
      return decimal(value as bigint | number, type.scale, notes);
    case Type.Date:
      return isoDay(BigInt(value as number));
    case Type.Timestamp:
      return isoTime(BigInt(value as bigint) * 10n ** BigInt(9 - 3 * type.unit));
    case Type.Time: {
      const time = isoTime(BigInt(value as bigint) * 10n ** BigInt(9 - 3 * type.unit));
      return typeof time === 'string' ? time.slice(11, -1) : time;
    }
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
    case Type.ListView:
    case Type.LargeListView: {
      const items: Json[] = [];
      for (const item of value as Iterable<unknown>) {
        const converted = fieldValue(item, type.children[0]!, flechette, notes, depth + 1);
        if (typeof converted === 'symbol') return converted;
        items.push(converted);
      }
      return items;
    }
    case Type.Struct: {
      const object: JsonObject = {};
      for (const child of type.children) {
        const member = (value as { [name: string]: unknown })[child.name];
        const converted = fieldValue(member, child, flechette, notes, depth + 1);
        if (typeof converted === 'symbol') return converted;
        setField(object, child.name, converted);
      }
      return object;
    }
    case Type.Map: {
      const [key, member] = (type.children[0]!.type as { children: Field[] }).children;
      const object: JsonObject = {};
      for (const [name, its] of value as Iterable<[unknown, unknown]>) {
        const shown = fieldValue(name, key!, flechette, notes, depth + 1);
        const converted = fieldValue(its, member!, flechette, notes, depth + 1);
        if (typeof converted === 'symbol') return converted;
        setField(object, typeof shown === 'string' ? shown : JSON.stringify(shown), converted);
      }
      return object;
    }
    default:
      return plain(value, notes);
  }
}

/** A value whose type says no more than JavaScript does. */
function plain(value: unknown, notes: Notes): Json | symbol {
  if (typeof value === 'number' || typeof value === 'bigint') return jsonNumber(value, notes);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items: Json[] = [];
    for (const item of value as Iterable<unknown>) {
      const converted = item === null ? null : plain(item, notes);
      if (typeof converted === 'symbol') return infinite;
      items.push(converted);
    }
    return items;
  }
  return typeof value === 'boolean' ? value : String(value);
}

/** A decimal of an integer and the digits behind its point: a number if a double has the same ones, else a text. */
function decimal(unscaled: bigint | number, scale: number, notes: Notes): Json {
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0');
  const sign = unscaled < 0 ? '-' : '';
  const text = scale > 0 ? `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}` : `${sign}${digits}`;
  const number = exactNumber(text);
  if (typeof number === 'string') notes.exactNumbers++;
  return number;
}
