import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext, StepResult, TableOutput } from '../../engine/step.ts';
import { type Item, type Notes, newNotes } from './found.ts';
import { fitTypes, inferTypes, sampledRecords, shownTypes } from './inferred-types.ts';
import { Loading, listOf, type Parameters } from './loading.ts';
import { type Mock, mockRows } from './mock.ts';
import { headerOfQuestions } from './multiple-choice.ts';
import { type ReaderOptions, readFile } from './read-file.ts';
import { newsOf, readManifest } from './since.ts';
import { type SourceFile, sourceFiles } from './source-files.ts';
import type { Reading } from './text-blocks.ts';
import { type Validate, validation } from './validation.ts';

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
  const { mock } = parameters;
  let files: SourceFile[];
  try {
    files = await sourceFiles(listOf(parameters.path), parameters.format, context);
  } catch (error) {
    if (mock === undefined || !(error instanceof StepError) || error.code !== 'no-file') throw error;
    context.warn(`${error.message}: ${counted(mock.rows, 'row')} made up (mock)`);
    return writeMock(mock as Mock, outputs, context);
  }
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
  const options = readerOptions(parameters);
  const check =
    parameters.types === 'inferred' ? await typesOf(files, parameters, options, context) : undefined;
  const table = new Loading(
    parameters,
    outputs,
    files,
    context,
    (record) => check?.(record) ?? validate?.(record),
  );
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
  rejections.conclude(
    context,
    { records, rows, whole: marks === undefined, mayBeOtherEncoding: parameters.encoding === 'auto' },
    parameters.max_rejected,
  );
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

/** A check of records by the types that the first ones have. It reads them before anything else is read. */
async function typesOf(
  files: readonly SourceFile[],
  { id, text, cast, encoding }: Parameters,
  options: ReaderOptions,
  context: StepContext,
): Promise<Validate> {
  const reading: Reading = { encoding, signal: context.signal, notes: newNotes(), onRead: () => {} };
  const first: Item[] = [];
  for (const file of files) {
    if (first.length >= sampledRecords) break;
    try {
      for await (const items of readFile(file, reading, options)) {
        first.push(...items.slice(0, sampledRecords - first.length));
        if (first.length >= sampledRecords) break;
      }
    } catch (error) {
      // A file that cannot be read is reported when its rows are.
      if (!(error instanceof StepError)) throw error;
    }
  }
  const texts = files.every(({ format }) => format === 'csv' || format === 'tsv');
  const types = inferTypes(
    first,
    texts,
    new Set([...listOf(id ?? []), ...listOf(text ?? []), ...Object.keys(cast)]),
  );
  context.log(`types of ${counted(first.length, 'record')}: ${shownTypes(types)}`);
  return (record) => fitTypes(record, types, texts);
}

async function writeMock(
  mock: Mock,
  outputs: { rows: TableOutput; manifest?: TableOutput },
  context: StepContext,
): Promise<StepResult> {
  outputs.rows.expect(['id', 'mock', ...Object.keys(mock.fields)]);
  for (const row of mockRows(mock, context.random)) {
    const written = outputs.rows.write(row);
    if (written) await written;
  }
  return { metrics: { rejected: 0, files: 0, bytes: 0, records: 0, rows: mock.rows, left_out: 0 } };
}

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
      parameters.shape !== 'record' || parameters.schema !== undefined
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
