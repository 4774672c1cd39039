import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { columnNames, separatorLine, sniffDelimiter } from './csv-dialect.ts';
import { type CsvDialect, CsvParser, type CsvRecord } from './csv-parser.ts';
import { setField } from './fields.ts';
import { type Flaw, type Item, likelyEncoding, showRaw } from './found.ts';
import { encodingFlaw } from './jsonl.ts';
import type { FilePart, SourceFile } from './source-files.ts';
import { type Reading, textBlocks } from './text-blocks.ts';

export interface CsvOptions {
  /** One character or more; undefined to tell it from the file. */
  delimiter: string | undefined;
  quote: string;
  /** True: the first record names the columns. False: `column_1`, … A list: these names, and no record is a header. */
  header: boolean | readonly string[];
  /** With `header: true`: the columns' names of a file whose first record turns out to be none. */
  headerless?: ((first: readonly string[]) => string[] | undefined) | undefined;
  /** What to do with records that have fewer fields than the header. */
  shortRows: 'reject' | 'fill';
  /** Unquoted fields with such a text are null. */
  nullValues: readonly string[];
}

/** Reads CSV or TSV. All values are texts, as written. */
export async function* readCsv(
  file: SourceFile,
  reading: Reading,
  options: CsvOptions,
): AsyncGenerator<Item[]> {
  const state = new CsvReading(file, reading, options);
  if (file.part && file.part.start > 0) await state.begin(file.part);
  for await (const block of textBlocks(file, reading)) {
    const items = state.take(block, false);
    if (items.length > 0) yield items;
  }
  const items = state.take('', true);
  if (items.length > 0) yield items;
}

class CsvReading {
  readonly #file: SourceFile;
  readonly #reading: Reading;
  readonly #options: CsvOptions;
  readonly #nulls: ReadonlySet<string>;
  #parser: CsvParser | undefined;
  #dialect: CsvDialect | undefined;
  #names: string[] | undefined;
  #record = 0;
  #firstLine = 0;

  constructor(file: SourceFile, reading: Reading, options: CsvOptions) {
    this.#file = file;
    this.#reading = reading;
    this.#options = options;
    this.#nulls = new Set(options.nullValues);
    if (typeof options.header !== 'boolean') this.#names = columnNames(options.header).names;
  }

  /** Reads header and dialect from the file's beginning, for a part that is not its first. */
  async begin(part: FilePart): Promise<void> {
    const { part: _, ...whole } = this.#file;
    const quiet = { ...this.#reading, onRead: () => {} };
    for await (const block of textBlocks(
      { ...whole, part: { start: 0, end: part.start, lines: 0, records: 0 } },
      quiet,
    )) {
      this.take(block, false);
      if (this.#names) break;
    }
    if (this.#dialect) this.#parser = new CsvParser(this.#dialect);
    this.#record = part.records;
    this.#firstLine = part.lines;
  }

  take(block: string, last: boolean): Item[] {
    let text = block;
    if (!this.#parser) {
      const said = this.#options.delimiter === undefined ? separatorLine(text) : undefined;
      if (said) {
        text = text.slice(said.length);
        this.#firstLine = 1;
      }
      const delimiter =
        this.#options.delimiter ?? said?.delimiter ?? sniffDelimiter(text, this.#options.quote);
      this.#dialect = { delimiter, quote: this.#options.quote };
      this.#parser = new CsvParser(this.#dialect);
    }
    const items: Item[] = [];
    for (const record of this.#parser.push(text, last)) {
      const item = this.#item(record);
      if (item) items.push(item);
    }
    return items;
  }

  #item(record: CsvRecord): Item | undefined {
    if (!this.#names && this.#options.header === true) {
      const names = record.flaw ? undefined : this.#options.headerless?.(record.fields);
      this.#names = names ?? this.#header(record);
      if (!names) return undefined;
    }
    this.#names ??= columnNames(record.fields.map(() => '')).names;
    this.#record++;
    const line = record.line + this.#firstLine;
    const flaw = record.flaw ?? encodingFlaw(record.raw, this.#reading) ?? this.#countFlaw(record);
    if (flaw) return { record: this.#record, line, raw: showRaw(record.raw), ...flaw };
    return { record: this.#record, line, value: this.#value(record), raw: record.raw };
  }

  #header(record: CsvRecord): string[] {
    const flaw = record.flaw ?? encodingFlaw(record.raw, this.#reading);
    if (flaw) {
      throw new StepError(
        'invalid-header',
        `${this.#file.name}:${record.line + this.#firstLine}: the header cannot be read: ${flaw.reason}`,
        flaw.code === 'invalid_encoding'
          ? `Say the encoding, as in encoding: ${likelyEncoding(showRaw(record.raw))}`
          : 'Mend the first line.',
      );
    }
    const { names, changed } = columnNames(record.fields);
    if (changed.length > 0)
      this.#reading.notes.messages.add(`${this.#file.name}: header ${changed.join(', ')}`);
    return names;
  }

  #countFlaw(record: CsvRecord): Flaw | undefined {
    const expected = this.#names!.length;
    const count = record.fields.length;
    if (count === expected || (count < expected && this.#options.shortRows === 'fill')) return undefined;
    const plural = count === 1 ? 'field' : 'fields';
    return { code: 'wrong_field_count', reason: `${count} ${plural} where the header has ${expected}` };
  }

  #value(record: CsvRecord): JsonObject {
    const names = this.#names!;
    const value: JsonObject = {};
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      const text = record.fields[index];
      const isNull =
        text === undefined || (this.#nulls.size > 0 && !record.quoted?.[index] && this.#nulls.has(text));
      setField(value, name, isNull ? null : text);
    }
    return value;
  }
}
