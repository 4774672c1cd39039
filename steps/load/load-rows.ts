import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import type { FromSchema } from '../../engine/schema-type.ts';
import type { StepContext, StepResult, TableOutput } from '../../engine/step.ts';
import { fieldOf } from './fields.ts';
import { type Flaw, type Found, type Item, type Malformed, type Notes, newNotes, showRaw } from './found.ts';
import { freeName, Mapping } from './mapping.ts';
import { headerOfQuestions } from './multiple-choice.ts';
import type { parameters as parameterSchema } from './parameters.ts';
import { type ReaderOptions, readFile } from './read-file.ts';
import { Rejections } from './rejections.ts';
import { Selection } from './selection.ts';
import { shapeRecord } from './shape.ts';
import { newsOf, readManifest } from './since.ts';
import { type SourceFile, sourceFiles } from './source-files.ts';
import type { Reading } from './text-blocks.ts';
import { type Validate, validation } from './validation.ts';

type Parameters = FromSchema<typeof parameterSchema>;

/** After so many records without the field that holds ids or texts, the step fails: it is a mistake, not a bad row. */
const enoughRecords = 10_000;

/** What a `load` step does: records of all files become rows or rejections; see the step type's description. */
export async function loadRows({
  parameters,
  outputs,
  context,
}: {
  parameters: Parameters;
  outputs: { rows: TableOutput; rejected: TableOutput; manifest?: TableOutput };
  context: StepContext;
}): Promise<StepResult> {
  const files = await sourceFiles(listOf(parameters.path), parameters.format, context);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const notes = newNotes();
  let bytesDone = 0;
  const reading: Reading = {
    encoding: parameters.encoding,
    signal: context.signal,
    notes,
    onRead(bytes) {
      bytesDone += bytes;
      context.progress(Math.min(bytesDone, total), total, 'bytes');
    },
  };
  const { schema } = parameters;
  const validate =
    schema === undefined ? undefined : await validation(schema as string | JsonObject, context);
  const table = new Loading(parameters, outputs, files, context, validate);
  const options = readerOptions(parameters);
  const { since } = parameters;
  const marks = since === undefined ? undefined : await readManifest(since, context);
  let filesRead = 0;
  for (const described of files) {
    if (table.full) break;
    const news =
      marks && (await newsOf(described, marks.get(described.name), options, parameters.encoding, context));
    if (news?.unchanged) {
      await outputs.manifest?.write({ ...news.mark });
      continue;
    }
    filesRead++;
    let found = 0;
    const file = news?.part ? { ...described, part: news.part } : described;
    const withSource = parameters.source ?? (files.length > 1 || isWholeFile(file, options));
    try {
      for await (const items of readFile(file, reading, options)) {
        context.signal.throwIfAborted();
        found += items.length;
        await table.take(file, items, withSource);
        if (table.full) break;
      }
      if (news) await outputs.manifest?.write({ ...news.mark, records: news.mark.records + found });
    } catch (error) {
      if (
        !(error instanceof StepError) ||
        parameters.on_bad_file === 'fail' ||
        error.code === 'unknown-field'
      )
        throw error;
      await table.rejectFile(file, error);
    }
  }
  await table.end();
  warnOf(notes, context);
  const { rejections, records, rows, leftOut, mapping } = table;
  rejections.warn(context, records, notes.undecodable > 0 && parameters.encoding === 'auto');
  if (records === 0 && marks) {
    context.log(`nothing new in ${files.length === 1 ? files[0]!.name : `${files.length} files`}`);
  } else if (records === 0 && !table.full) {
    const which = files.length === 1 ? files[0]!.name : `the ${files.length} files`;
    context.warn(`no rows: there are no records in ${which}`);
  } else if (rows === 0 && rejections.count < records) {
    context.warn('no rows: skip, limit or sample left all of them out');
  }
  return {
    metrics: {
      rejected: rejections.count,
      files: filesRead,
      bytes: total,
      records,
      rows,
      left_out: leftOut,
      repeated_texts: mapping.repeatedTexts,
      duplicate_keys: notes.duplicateKeys,
      exact_numbers: notes.exactNumbers,
    },
  };
}

/** The rows and rejections of a step, while its files are read. records = rows + rejected + left out. */
class Loading {
  records = 0;
  rows = 0;
  leftOut = 0;
  readonly mapping: Mapping;
  readonly rejections: Rejections;
  readonly #selection: Selection;
  readonly #parameters: Parameters;
  readonly #output: TableOutput;
  readonly #files: readonly SourceFile[];
  readonly #context: StepContext;
  readonly #validate: Validate | undefined;

  constructor(
    parameters: Parameters,
    outputs: { rows: TableOutput; rejected: TableOutput },
    files: readonly SourceFile[],
    context: StepContext,
    validate?: Validate,
  ) {
    this.#validate = validate;
    this.#parameters = parameters;
    this.#output = outputs.rows;
    this.#files = files;
    this.#context = context;
    this.rejections = new Rejections(outputs.rejected);
    this.#selection = new Selection(parameters, () => context.random('sample'));
    const text =
      parameters.shape === 'record' || parameters.turns === 'each_user'
        ? listOf(parameters.text ?? [])
        : ['text'];
    this.mapping = new Mapping({ ...parameters, text });
  }

  /** Whether `limit` is reached. */
  get full(): boolean {
    return this.#selection.full;
  }

  async take(file: SourceFile, items: readonly Item[], withSource: boolean): Promise<void> {
    for (const item of items) {
      if (this.full) return;
      this.records++;
      if ('code' in item) {
        await this.rejections.add(file, item);
        continue;
      }
      const flaw = this.mapping.cast(item.value) ?? this.#validate?.(item.value);
      if (flaw) {
        await this.rejections.add(file, malformed(item, flaw));
        continue;
      }
      const record = withSource ? sourced(item.value, file.name) : item.value;
      if (file.split !== undefined && !Object.hasOwn(record, 'split')) record['split'] = file.split;
      if (this.#parameters.shape !== 'record') {
        await this.#takeShaped(file, item, record);
        continue;
      }
      const row = this.mapping.map(record);
      if (isFlaw(row)) await this.rejections.add(file, malformed(item, row));
      else {
        const written = this.#take(row);
        if (written) await written;
      }
    }
    if (this.records >= enoughRecords) this.#failWithoutFields();
  }

  #take(row: Row): Promise<void> | undefined {
    if (!this.#selection.take(row)) {
      this.leftOut++;
      return undefined;
    }
    this.rows++;
    return this.#output.write(row);
  }

  /** A conversation or question: a row, or a row for each turn of the user. */
  async #takeShaped(file: SourceFile, item: Found, record: JsonObject): Promise<void> {
    const { shape, turns } = this.#parameters;
    if (shape === 'record') return;
    this.mapping.notice(record);
    const shaped = shapeRecord(record, shape, turns, file.name);
    if ('code' in shaped) return this.rejections.add(file, malformed(item, shaped));
    const row = this.mapping.map(shaped.record, shaped.identity);
    if (isFlaw(row)) return this.rejections.add(file, malformed(item, row));
    if (!shaped.rows) {
      if (shaped.turns) row['turn_ids'] = shaped.turns.map((turn) => `${row.id}#${turn}`);
      await this.#take(row);
      return;
    }
    this.records += shaped.rows.length - 1;
    for (const { number, fields } of shaped.rows)
      await this.#take({ ...row, ...fields, id: `${row.id}#${number}`, parent_id: row.id });
  }

  async rejectFile(file: SourceFile, error: StepError): Promise<void> {
    this.records++;
    const reason = error.message;
    await this.rejections.add(file, { record: 0, line: null, raw: '', code: 'unreadable_file', reason });
  }

  async end(): Promise<void> {
    for (const row of this.#selection.rest()) {
      this.rows++;
      this.leftOut--;
      const written = this.#output.write(row);
      if (written) await written;
    }
    this.#failWithoutFields();
    const { columns = [], rename, cast } = this.#parameters;
    for (const name of new Set([...columns, ...Object.keys(rename), ...Object.keys(cast)])) {
      if (this.#isUnknown(name)) {
        const names = [...this.mapping.seen];
        this.#context.warn(`no record has the field ${name}; ${suggestion(name, names, 'the fields are')}`);
      }
    }
  }

  /** Fails if no record at all has a field that every row needs. */
  #failWithoutFields(): void {
    const { id, text } = this.#parameters;
    for (const name of [...listOf(id ?? []), ...listOf(text ?? [])]) {
      if (!this.#isUnknown(name)) continue;
      const where = this.#files.length === 1 ? this.#files[0]!.name : `the ${this.#files.length} files`;
      throw new StepError(
        'unknown-field',
        `no record of ${where} has the field ${name}`,
        suggestion(name, [...this.mapping.seen], 'the fields are'),
      );
    }
  }

  #isUnknown(name: string): boolean {
    const { seen } = this.mapping;
    return seen.size > 0 && seen.size < mostFields && !seen.has(name);
  }
}

/** With so many field names, a record with another one may have gone by unseen. */
const mostFields = 1000;

function warnOf(notes: Notes, context: StepContext): void {
  for (const message of notes.messages) context.warn(message);
  const { duplicateKeys, exactNumbers, notANumber } = notes;
  if (duplicateKeys > 0)
    context.warn(`${counted(duplicateKeys, 'repeated key')} in JSON objects: the last value was kept`);
  if (exactNumbers > 0) {
    const digits = exactNumbers === 1 ? 'its digits in a string' : 'their digits in strings';
    context.warn(`${counted(exactNumbers, 'number')} that a double does not hold: kept as ${digits}`);
  }
  if (notANumber > 0) context.warn(`${counted(notANumber, 'value')} NaN read as null`);
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

function listOf(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? [value] : [...value];
}

function readerOptions(parameters: Parameters): ReaderOptions {
  const { columns, id, text, field, strip } = parameters;
  return {
    csv: {
      delimiter: parameters.delimiter,
      quote: parameters.quote,
      header: parameters.header,
      shortRows: parameters.short_rows,
      nullValues: parameters.null_values,
      headerless: parameters.shape === 'mmlu' ? headerOfQuestions : undefined,
    },
    field,
    sampleBy: parameters.sample_by,
    code: {
      kinds: parameters.kinds,
      omit: parameters.omit,
      minLines: parameters.min_lines,
      maxLines: parameters.max_lines,
    },
    limits: { minChars: parameters.min_chars, maxChars: parameters.max_chars },
    strip,
    columns:
      parameters.shape !== 'record'
        ? undefined
        : columns && [...columns, ...listOf(text ?? []), ...listOf(id ?? [])],
  };
}

function isWholeFile(file: SourceFile, options: ReaderOptions): boolean {
  return (
    ['md', 'html', 'pdf', 'code'].includes(file.format) ||
    (file.format === 'txt' && options.sampleBy === 'document')
  );
}

/** The record with the field `source`; its own one stays as `original_source`. */
function sourced(record: JsonObject, source: string): JsonObject {
  const own = fieldOf(record, 'source');
  if (own !== undefined) record[freeName('source', record)] = own;
  record['source'] = source;
  return record;
}

function isFlaw(result: Row | Flaw): result is Flaw {
  return !('id' in result);
}

function malformed(item: Found, flaw: Flaw): Malformed {
  return {
    record: item.record,
    line: item.line ?? item.lineOf?.(item.record) ?? null,
    raw: showRaw(item.raw ?? JSON.stringify(item.value)),
    ...flaw,
  };
}
