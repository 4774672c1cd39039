import { createWriteStream, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ProblemError } from '../../engine/problems.ts';
import type { ArtefactInput, TableInput } from '../../engine/step.ts';
import {
  exportFormats,
  formatOfName,
  packed,
  tableFormats,
  writeNpy,
  writeTable,
} from '../../steps/export/formats.ts';
import type { Command } from '../command.ts';
import { counted, size } from '../format.ts';
import { matchingRows, whereNeedsTable, whereOption } from '../matching-rows.ts';
import { openPast } from '../past-artefact.ts';
import { withProject } from '../project.ts';
import { runWords } from './runs/words.ts';

export const command: Command = {
  name: 'export',
  summary: 'write an output of a run to a file: jsonl, csv, parquet, arrow, xlsx, sqlite, npy',
  description: `Writes a table as .jsonl, .csv, .tsv, .parquet, .arrow, .xlsx or .sqlite, a matrix as .npy, the single file of a files output as it is, and several into a folder (\`-o models/small/\`). With .gz or .zst behind, packed.`,
  arguments: [
    { name: '<run>', description: runWords },
    { name: '<address>', description: 'step, step.output or step[axis=value].output' },
  ],
  options: [
    { flags: '-o, --output <file>', description: 'the file; its extension is the format' },
    {
      flags: '--format <format>',
      description: 'the format, if the name does not say it',
      choices: exportFormats,
    },
    whereOption,
    {
      flags: '--escape-formulas',
      description: 'csv: texts that a spreadsheet would run as formulas get an apostrophe',
    },
    { flags: '--json', description: 'what was written, as JSON on stdout' },
  ],
  examples: [
    { line: 'reprise export latest topics -o topics.csv', does: 'a table for a spreadsheet' },
    {
      line: 'reprise export latest topics --where "row.cluster == 3" -o cluster-3.csv',
      does: 'the rows of a cluster',
    },
    { line: 'reprise export latest vectors -o vectors.npy', does: 'a matrix for numpy' },
    { line: 'reprise export latest topics -o topics.jsonl.gz', does: 'packed' },
    { line: 'reprise export latest head -o models/teams/', does: 'a folder of files' },
  ],
  async run([run, address], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const target = options['output'] as string | undefined;
      if (target === undefined)
        throw ProblemError.of('no-output-file', 'export needs a file', { hint: 'add -o topics.csv' });
      const { record, name, input: whole } = await openPast(run as string, address as string, project);
      const where = options['where'] as string | undefined;
      if (where !== undefined && whole.kind !== 'table') throw whereNeedsTable(name, whole.kind);
      const input = where !== undefined && whole.kind === 'table' ? chosen(whole, where) : whole;
      const path = resolve(cli.cwd, target);
      const isFolder = /[/\\]$/.test(target) || statSync(path, { throwIfNoEntry: false })?.isDirectory();
      const files: [string, AsyncIterable<Uint8Array> | Iterable<Uint8Array>][] =
        input.kind === 'files' && isFolder
          ? input.names.map((file) => [join(path, file), once(() => input.read(file))])
          : [[path, bytesOf(input, target, name.split('.')[0]!, options)]];
      let written = 0;
      for (const [file, bytes] of files)
        written += await writeFile(file, bytes, cli.signal).catch((error: NodeJS.ErrnoException) => {
          // Errors of the target's file system; a blob that is missing is another matter.
          if (error.syscall === undefined) throw error;
          throw ProblemError.of('cannot-write', `${target} cannot be written (${error.code})`, {
            hint: 'name a file in a folder that you may write to: -o out/topics.csv',
          });
        });
      const rows = 'rows' in input ? input.rows : null;
      if (options['json'])
        cli.out(`${JSON.stringify({ run: record.id, address: name, path, rows, bytes: written })}\n`);
      else {
        const what = rows === null ? counted(files.length, 'file') : counted(rows, 'row');
        cli.out(`${target}: ${what}, ${size(written)}\n`);
      }
      return 0;
    });
  },
};

type ChosenRows = Pick<TableInput, 'kind' | 'fields' | 'rows' | 'blocks'>;

/** Writes a file as a whole or not at all; gives its size. */
async function writeFile(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = createWriteStream(draft);
    await pipeline(Readable.from(bytes, { objectMode: true }), file, { signal });
    await rename(draft, path);
    return file.bytesWritten;
  } finally {
    await rm(draft, { force: true });
  }
}

function bytesOf(
  input: ArtefactInput | ChosenRows,
  target: string,
  step: string,
  options: Readonly<Record<string, unknown>>,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (input.kind === 'files') {
    const [name, ...more] = input.names;
    if (name !== undefined && more.length === 0) return once(() => input.read(name));
    throw ProblemError.of('many-files', `the output holds ${counted(input.names.length, 'file')}`, {
      hint: 'name a folder for them: -o out/',
    });
  }
  const said = formatOfName(target);
  const format = (options['format'] as (typeof exportFormats)[number] | undefined) ?? said?.format;
  const fitting: readonly string[] = input.kind === 'matrix' ? ['npy'] : tableFormats;
  if (format === undefined || !fitting.includes(format)) {
    throw ProblemError.of(
      'export-format',
      format === undefined
        ? `the name ${target} says no format`
        : `a ${input.kind} cannot be written as ${format}`,
      {
        hint: `a ${input.kind} can be: ${fitting.join(', ')}`,
      },
    );
  }
  const written =
    input.kind === 'matrix'
      ? once(async () => Buffer.concat(await Array.fromAsync(writeNpy(await input.read()))))
      : writeTable(input, format as (typeof tableFormats)[number], {
          csv: { escapeFormulas: options['escapeFormulas'] === true },
          name: step,
        });
  return said?.packing ? packed(written, said.packing) : written;
}

/** Some rows of a table; how many is known once they have been read. */
function chosen(table: TableInput, where: string): ChosenRows {
  let rows = 0;
  return {
    kind: 'table',
    fields: table.fields,
    get rows() {
      return rows;
    },
    async *blocks() {
      rows = 0;
      for await (const row of matchingRows(table, where)) {
        rows++;
        yield [row];
      }
    },
  };
}

async function* once(read: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await read();
}
