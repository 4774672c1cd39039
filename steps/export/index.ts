import { basename } from 'node:path';
import { StepError } from '../../engine/problems.ts';
import {
  anyInputs,
  defineStep,
  type FilesInput,
  type StepInput,
  type TableInput,
} from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import {
  type ExportFormat,
  exportFormats,
  formatOfName,
  packed,
  type TableWriteOptions,
  tableFormats,
  workbookFormats,
  writeNpy,
  writeTable,
  writeWorkbook,
} from './formats.ts';
import { compressions } from './parquet.ts';

export default defineStep({
  type: 'export',
  summary:
    'Writes a table or matrix to a file of the project: JSON Lines, CSV, TSV, Parquet, Arrow, Excel, SQLite, npy',
  description: `The file is an output of the step, in the store, and is copied to \`path\` whenever it is not there: also when the step
itself is cached. The same rows give the same bytes.

**Columns.** \`id\` first, the others as they first occur, unless \`columns\` says otherwise.

**CSV.** RFC 4180, UTF-8, lines end with LF. null is an empty field, an empty text is \`""\`, objects and arrays are JSON.
\`load\` with \`null_values: [""]\` and \`cast\` gives the same rows back. Texts that a spreadsheet would run as formulas stay as
they are, with a warning, unless \`escape_formulas\` is on: it changes the data.

**Parquet.** Types are found from the rows: boolean, 32 or 64-bit integer, double, text; mixed and nested values are of the
logical type JSON. A field that a row lacks is null.

**Arrow.** An IPC file, which is Feather V2 (\`.arrow\`, \`.feather\`), uncompressed. As Parquet, but lists and objects are lists and structs;
what is mixed is JSON (\`arrow.json\`).

**Excel.** \`.xlsx\`, with a frozen header and filters. Texts are texts, never formulas, whatever they begin with; objects and arrays
are JSON. A sheet holds 1,048,575 rows, a cell 32,767 characters: longer texts are cut, with a warning. With several inputs
(\`from: { topics: topics, scores: scores }\`) each is a sheet.

**SQLite.** \`.sqlite\` or \`.db\`: a table, or one for each input, with \`id\` as its primary key. Booleans are 0 and 1, objects, arrays and mixed
values JSON in texts.

**npy.** A matrix, float32. The page or model of another step is copied as it is.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      path: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'output-path',
        description:
          'Where to put the file; its extension says the format, and .gz or .zst after it packs it.',
      },
      format: {
        enum: exportFormats,
        description:
          'The format, where the path does not say it. Without a path the file is in the store only.',
      },
      columns: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        uniqueItems: true,
        description: 'Columns and their order; all if not given.',
      },
      delimiter: {
        type: 'string',
        minLength: 1,
        description: 'CSV: what separates fields; a comma, or a tab for .tsv.',
      },
      bom: {
        type: 'boolean',
        default: false,
        description: 'CSV: a byte order mark, by which Excel knows UTF-8.',
      },
      escape_formulas: {
        type: 'boolean',
        default: false,
        description:
          'CSV: an apostrophe before texts that begin with = + - @, which a spreadsheet would run as formulas.',
      },
      compression: { enum: compressions, default: 'snappy', description: 'Parquet: how columns are packed.' },
    },
  },
  inputs: anyInputs,
  outputs: { file: { kind: 'files', description: 'The file.' } },
  metrics: { rows: 'Rows written.', bytes: 'Size of the file.' },
  example: `topics_csv:
  use: export
  from: topics
  with: { path: out/topics.csv }`,
  check({ path, format, delimiter }) {
    const problems: { parameter: string; message: string }[] = [];
    if (path === undefined && format === undefined)
      problems.push({ parameter: 'path', message: 'export needs a path, or a format' });
    if (path?.endsWith('/'))
      problems.push({ parameter: 'path', message: `${path} names a folder, not a file` });
    if (delimiter !== undefined && /["\r\n]/.test(delimiter))
      problems.push({ parameter: 'delimiter', message: 'the delimiter cannot be a quote or a line end' });
    return problems;
  },
  async run({ parameters, inputs, outputs, context }) {
    const said = parameters.path === undefined ? undefined : formatOfName(parameters.path);
    const workbook = workbookFormats.find((known) => known === (parameters.format ?? said?.format));
    const input = onlyInput(inputs, workbook !== undefined && parameters.columns === undefined);
    const artefact = input.outputs[input.output]!;
    const name = basename(parameters.path ?? `${input.step}.${parameters.format}`);
    let bytes = 0;
    async function* counted(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const part of said?.packing ? packed(parts, said.packing) : parts) {
        context.signal.throwIfAborted();
        bytes += part.length;
        yield part;
      }
    }
    if (artefact.kind === 'files') {
      const content = await onlyFile(artefact, input, name);
      await outputs.file.write(name, content);
      return { metrics: { rows: 0, bytes: content.length } };
    }
    const asked = parameters.format ?? said?.format;
    if (artefact.kind === 'matrix') {
      fitting(asked, ['npy'], name, 'matrix');
      await outputs.file.write(name, counted(writeNpy(await artefact.read())));
      return { metrics: { rows: artefact.rows, bytes } };
    }
    const format = fitting(asked, tableFormats, name, 'table');
    requireFields(artefact, parameters.columns ?? [], input.step);
    const followed = (table: TableInput) => ({
      fields: table.fields,
      async *blocks() {
        let done = 0; // some formats read the table twice
        for await (const block of table.blocks()) {
          context.signal.throwIfAborted();
          yield block;
          done += block.length;
          context.progress(done, table.rows, 'rows');
        }
      },
    });
    const options: TableWriteOptions = {
      name: Object.keys(inputs)[0] ?? 'rows',
      onCut: (count) => context.warn(cutWarning(count)),
      columns: parameters.columns,
      compression: parameters.compression,
      csv: {
        bom: parameters.bom,
        escapeFormulas: parameters.escape_formulas,
        ...(parameters.delimiter === undefined ? {} : { delimiter: parameters.delimiter }),
        onFormulas: (count) => {
          if (!parameters.escape_formulas) context.warn(formulaWarning(count));
        },
      },
    };
    const tables = Object.entries(inputs).map(([name, each]) => ({ name, table: tableOf(each) }));
    const written =
      workbook !== undefined && tables.length > 1
        ? writeWorkbook(
            tables.map(({ name, table }) => ({ name, table: followed(table) })),
            workbook,
            options,
          )
        : writeTable(followed(artefact), format, options);
    await outputs.file.write(name, counted(written));
    return { metrics: { rows: tables.reduce((sum, { table }) => sum + table.rows, 0), bytes } };
  },
});

function formulaWarning(count: number): string {
  const texts = count === 1 ? '1 text begins' : `${count.toLocaleString('en')} texts begin`;
  return `${texts} with = + - or @: a spreadsheet runs that as a formula. If people open the file in one, add escape_formulas: true`;
}

function cutWarning(count: number): string {
  const texts = count === 1 ? '1 text was' : `${count.toLocaleString('en')} texts were`;
  return `${texts} too long for a cell of Excel (32,767 characters) and cut there: .parquet or .csv have all of them`;
}

function tableOf({ step, output, outputs }: StepInput): TableInput {
  const artefact = outputs[output];
  if (artefact?.kind === 'table') return artefact;
  throw new StepError('export-inputs', `${step}.${output} is no table`, 'Name outputs that are tables.');
}

/** The one input, or the first of several where the format holds several. */
function onlyInput(inputs: { readonly [name: string]: StepInput }, several: boolean): StepInput {
  const all = Object.values(inputs);
  if (all.length === 1 || (several && all.length > 1)) return all[0]!;
  const names = Object.keys(inputs).join(', ');
  throw new StepError(
    'export-inputs',
    all.length === 0 ? 'export has nothing to write' : `export writes one output, and from names ${names}`,
    all.length === 0
      ? 'Say which step: from: topics'
      : 'Write an export step for each, or .xlsx or .sqlite without `columns`, which hold several tables.',
  );
}

/** The format asked for, if it is one that fits. */
function fitting<F extends ExportFormat>(
  asked: ExportFormat | undefined,
  formats: readonly F[],
  name: string,
  what: string,
): F {
  const format = formats.find((known) => known === asked);
  if (format !== undefined) return format;
  if (asked === undefined) {
    const hint = `Name it .${formats.join(', .')}, or say format:`;
    throw new StepError('unknown-format', `${name} does not say how to write it`, hint);
  }
  throw new StepError(
    'unknown-format',
    `a ${what} cannot be written as ${asked}`,
    `Use ${formats.join(', ')}`,
  );
}

/** The one file of another step's files, if its kind is what the name says. */
async function onlyFile(files: FilesInput, input: StepInput, name: string): Promise<Uint8Array> {
  const extension = /\.[^.]*$/.exec(name)?.[0];
  const found = files.names.filter((file) => file.endsWith(extension ?? ''));
  if (found.length === 1) return files.read(found[0]!);
  throw new StepError(
    'export-files',
    `${input.step} has ${found.length === 0 ? `no file for ${name}` : `${found.length} files for ${name}`}`,
    `It has ${files.names.slice(0, 10).join(', ')}`,
  );
}
