import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import type { Json, JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { farTime, isoDay, isoTime, itemFlaw, jsonNumber, tooDeep } from './binary-values.ts';
import { utf8Text } from './decode.ts';
import { setField } from './fields.ts';
import { deepestNesting, type Flaw, type Item, type Notes, newNotes, showRaw } from './found.ts';
import { loneSurrogateFlaw, parseJson } from './json-text.ts';
import type { SourceFile } from './source-files.ts';
import type { Reading } from './text-blocks.ts';

/** Rows that are made at a time from a row group that is in memory. */
const batch = 2000;

/**
 * Reads Parquet, a row group at a time. Dates and times become ISO 8601 texts, binary values base64, integers past
 * 2^53 their digits as a text, NaN null. `columns` leaves the others on the disk.
 */
export async function* readParquet(
  file: SourceFile,
  reading: Reading,
  options: { columns?: readonly string[] | undefined },
): AsyncGenerator<Item[]> {
  const { parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet');
  const handle = await open(file.path);
  const buffer: AsyncBuffer = {
    byteLength: file.bytes,
    async slice(start, end = file.bytes) {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}`);
        filled += bytesRead;
      }
      return bytes.buffer;
    },
  };
  try {
    const metadata = await guarded(file, () => {
      if (file.bytes === 0) throw new Error('it is empty');
      return parquetMetadataAsync(buffer);
    });
    const { children } = parquetSchema(metadata);
    const names = children.map((child) => child.element.name);
    const bare = new Set(
      children
        .filter(
          ({ element }) => element.type === 'BYTE_ARRAY' && !element.converted_type && !element.logical_type,
        )
        .map((child) => child.element.name),
    );
    const columns = options.columns ? names.filter((name) => options.columns!.includes(name)) : names;
    const compressors = await compressorsFor(metadata);
    let start = 0;
    for (const group of metadata.row_groups) {
      reading.signal.throwIfAborted();
      const end = start + Number(group.num_rows);
      const parts = new Map<string, { start: number; values: ArrayLike<unknown> }[]>();
      await guarded(file, () =>
        parquetRead({
          file: buffer,
          metadata,
          columns,
          rowStart: start,
          rowEnd: end,
          compressors,
          parsers,
          utf8: false,
          onChunk({ columnName, columnData, rowStart }) {
            const list = parts.get(columnName) ?? [];
            list.push({ start: rowStart, values: columnData });
            parts.set(columnName, list);
          },
        }),
      );
      const cursors = columns.map((name) => new Cursor(name, parts.get(name) ?? [], bare.has(name)));
      for (let from = start; from < end; from += batch) {
        const items: Item[] = [];
        for (let row = from; row < Math.min(end, from + batch); row++)
          items.push(itemOf(row, cursors, reading.notes));
        yield items;
        reading.signal.throwIfAborted();
      }
      reading.onRead(Number(group.total_compressed_size ?? group.total_byte_size));
      start = end;
    }
  } finally {
    await handle.close();
  }
}

/**
 * The reader's own parsers would drop a byte order mark at the start of any text, replace what is not UTF-8, and cut
 * times to milliseconds.
 */
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8Text(bytes),
  jsonFromBytes(bytes: Uint8Array | undefined): unknown {
    if (!bytes) return undefined;
    const text = utf8Text(bytes);
    const parsed = parseJson(text, newNotes());
    return 'value' in parsed ? parsed.value : text;
  },
  dateFromDays: (days: number | undefined) =>
    days === undefined ? undefined : isoDay(BigInt(days) * 86_400_000n),
  timestampFromMilliseconds: (time: bigint | undefined) =>
    time === undefined ? undefined : isoTime(time * 1_000_000n),
  timestampFromMicroseconds: (time: bigint | undefined) =>
    time === undefined ? undefined : isoTime(time * 1000n),
  timestampFromNanoseconds: (time: bigint | undefined) => (time === undefined ? undefined : isoTime(time)),
};

/** Walks a column's chunks in the order of the rows. */
class Cursor {
  readonly name: string;
  /** Bytes that the file does not say to be text: they are, where they can be; many writers do not say so. */
  readonly bare: boolean;
  readonly #parts: { start: number; values: ArrayLike<unknown> }[];
  #part = 0;

  constructor(name: string, parts: { start: number; values: ArrayLike<unknown> }[], bare: boolean) {
    this.name = name;
    this.bare = bare;
    this.#parts = parts.sort((a, b) => a.start - b.start);
  }

  at(row: number): unknown {
    for (;;) {
      const part = this.#parts[this.#part];
      if (!part) return undefined;
      if (row < part.start + part.values.length) return part.values[row - part.start];
      this.#part++;
    }
  }
}

function itemOf(row: number, cursors: readonly Cursor[], notes: Notes): Item {
  const value: JsonObject = {};
  let flaw: Flaw | undefined;
  for (const cursor of cursors) {
    const stored = cursor.at(row);
    const isText = cursor.bare && stored instanceof Uint8Array && isUtf8(stored);
    if (cursor.bare && stored instanceof Uint8Array && !isText)
      notes.messages.add(`column ${cursor.name} holds bytes that are no text: they are read as base64`);
    const converted = isText ? utf8Text(stored) : toJson(stored, notes, 0);
    if (typeof converted === 'symbol') {
      flaw ??= itemFlaw(converted, cursor.name);
      setField(value, cursor.name, null);
    } else {
      setField(value, cursor.name, converted);
    }
  }
  flaw ??= loneSurrogateFlaw(value, true);
  if (flaw) return { record: row + 1, line: null, raw: showRaw(JSON.stringify(value)), ...flaw };
  return { record: row + 1, line: null, value, raw: undefined };
}

/** A value of Parquet as JSON, or why it has none. */
function toJson(value: unknown, notes: Notes, depth: number): Json | symbol {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'symbol') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return jsonNumber(value, notes);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? farTime : isoTime(BigInt(value.getTime()) * 1_000_000n);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (depth >= deepestNesting) return tooDeep;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items: Json[] = [];
    for (const item of value as Iterable<unknown>) {
      const converted = toJson(item, notes, depth + 1);
      if (typeof converted === 'symbol') return converted;
      items.push(converted);
    }
    return items;
  }
  const object: JsonObject = {};
  for (const key of Object.keys(value)) {
    const converted = toJson((value as Record<string, unknown>)[key], notes, depth + 1);
    if (typeof converted === 'symbol') return converted;
    setField(object, key, converted);
  }
  return object;
}

/** Native decompressors; the JavaScript ones (LZ4, LZO) are loaded only for files that need them. */
async function compressorsFor(metadata: FileMetaData): Promise<Compressors> {
  const native: Compressors = {
    GZIP: (input) => gunzipSync(input),
    BROTLI: (input) => brotliDecompressSync(input),
    ZSTD: (input) => zstdDecompressSync(input),
  };
  const codecs = new Set(
    metadata.row_groups.flatMap(({ columns }) => columns.map((column) => column.meta_data?.codec)),
  );
  if (![...codecs].some((codec) => codec?.startsWith('LZ'))) return native;
  const { compressors } = await import('hyparquet-compressors');
  const notEmpty =
    (unpack: Compressors[keyof Compressors]) =>
    (input: Uint8Array, length: number): Uint8Array =>
      length === 0 ? new Uint8Array(0) : unpack!(input, length); // theirs stumble over empty pages
  return {
    ...compressors,
    LZ4: notEmpty(compressors.LZ4),
    LZ4_RAW: notEmpty(compressors.LZ4_RAW),
    ...native,
  };
}

/** What the reader throws about a file is about its bytes. */
async function guarded<T>(file: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new StepError(
      'damaged-file',
      `${file.name} cannot be read as Parquet: ${(error as Error).message}`,
      'Check that it was copied whole, or write it again; columns: leaves out what is not supported.',
    );
  }
}
