import type { Artefact, Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { suggestion } from '../../engine/nearest.ts';
import { ProblemError } from '../../engine/problems.ts';
import type { ArtefactInput, MatrixInput, TableInput } from '../../engine/step.ts';
import type { Cli, Command } from '../command.ts';
import { columns, count, counted, size } from '../format.ts';
import { matchingRows, whereNeedsTable, whereOption } from '../matching-rows.ts';
import { openPast } from '../past-artefact.ts';
import { printRows } from '../printed-rows.ts';
import { withProject } from '../project.ts';
import { runWords } from './runs/words.ts';

export const command: Command = {
  name: 'show',
  summary: 'look into what a run made',
  description:
    'Prints rows of a table (what the step added comes first), the first values of a matrix, or the names of files. An address is step, step.output or step[axis=value].output.',
  arguments: [
    { name: '<run>', description: runWords },
    { name: '<address>', description: 'step, step.output or step[axis=value].output' },
  ],
  options: [
    { flags: '--head <n>', description: 'so many rows (default: 10 as a table, all otherwise)', atLeast: 1 },
    whereOption,
    { flags: '--columns <names>', description: 'these fields only, in this order: id,label,score' },
    { flags: '--format <format>', description: 'how', choices: ['table', 'jsonl', 'csv'], default: 'table' },
    { flags: '--json', description: 'one JSON document: what the output is, and its rows, values or files' },
  ],
  examples: [
    { line: 'reprise show latest names', does: 'the first rows of the main output' },
    {
      line: 'reprise show latest topics --where "row.cluster == 3" --head 5',
      does: 'five rows of a cluster',
    },
    { line: 'reprise show latest topics --columns id,text,cluster', does: 'these fields' },
    { line: 'reprise show latest unique.duplicates --format jsonl', does: 'all rows, for another program' },
  ],
  async run([run, address], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const { artefact, record, name, input, readFields } = await openPast(
        run as string,
        address as string,
        project,
      );
      const head = options['head'] as number | undefined;
      const where = options['where'] as string | undefined;
      if (where !== undefined && input.kind !== 'table') throw whereNeedsTable(name, input.kind);
      const chosen = columnsOf(options['columns'] as string | undefined, input, name);
      if (options['json']) {
        const shown = await asJson(input, artefact, head, where, chosen);
        cli.out(`${JSON.stringify({ run: record.id, address: name, kind: input.kind, ...shown })}\n`);
      } else if (input.kind === 'files') {
        const files = artefact?.kind === 'files' ? artefact.files : [];
        cli.out(columns(files.map((file) => [file.name, size(file.bytes), input.path(file.name)])));
      } else if (input.kind === 'matrix') await printMatrix(input, head ?? 5, cli);
      else if (options['format'] === 'table')
        await printTable(
          matchingRows(input, where, head ?? 10),
          { name, total: input.rows, fields: chosen ?? ownFirst(input.fields, readFields) },
          cli,
        );
      else
        await printAs(
          options['format'] as 'jsonl' | 'csv',
          () => matchingRows(input, where, head),
          input,
          chosen,
          cli,
        );
      return 0;
    });
  },
};

/** The fields that `--columns` names; undefined without it. One that is not there is a problem of the call. */
function columnsOf(names: string | undefined, input: ArtefactInput, address: string): string[] | undefined {
  if (names === undefined) return undefined;
  if (input.kind !== 'table')
    throw ProblemError.of(
      'wrong-call',
      `--columns chooses fields of a table, and ${address} is a ${input.kind}`,
      {
        hint: 'leave it out, or name an output that is a table',
      },
    );
  const chosen = names.split(',').map((name) => name.trim());
  for (const field of chosen) {
    if (field === 'id' || input.fields.includes(field)) continue;
    const hint = suggestion(field, ['id', ...input.fields.filter((name) => name !== 'id')], 'its fields');
    throw ProblemError.of('wrong-call', `${address} has no field "${field}"`, { ...(hint && { hint }) });
  }
  return chosen;
}

/** The id, then what the step added, then what it had read: a terminal is too narrow for all of it. */
function ownFirst(fields: readonly string[], read: ReadonlySet<string>): string[] {
  const others = fields.filter((field) => field !== 'id');
  return ['id', ...others.filter((field) => !read.has(field)), ...others.filter((field) => read.has(field))];
}

function picked(row: Row, fields: readonly string[]): { [field: string]: Json } {
  return Object.fromEntries(
    fields.flatMap((field) => (row[field] === undefined ? [] : [[field, row[field]]])),
  );
}

/** What `--json` shows: of a matrix as many rows as `--head` says, of a table all that match unless it says otherwise. */
async function asJson(
  input: ArtefactInput,
  artefact: Artefact | null,
  head: number | undefined,
  where: string | undefined,
  chosen: readonly string[] | undefined,
): Promise<object> {
  if (input.kind === 'files') return { files: artefact?.kind === 'files' ? artefact.files : [] };
  if (input.kind === 'matrix')
    return { rows: input.rows, columns: input.columns, values: await firstRows(input, head ?? 5) };
  return {
    total_rows: input.rows,
    fields: chosen ?? input.fields,
    rows: await Array.fromAsync(matchingRows(input, where, head), (row) =>
      chosen ? picked(row, chosen) : row,
    ),
  };
}

async function firstRows(matrix: MatrixInput, head: number): Promise<number[][]> {
  const { data } = await matrix.read();
  return Array.from({ length: Math.min(matrix.rows, head) }, (_, row) => [
    ...data.subarray(row * matrix.columns, (row + 1) * matrix.columns),
  ]);
}

/** Values of a row of a matrix that are shown. */
const valuesShown = 8;

async function printMatrix(matrix: MatrixInput, head: number, cli: Cli): Promise<void> {
  cli.out(`${count(matrix.rows)} × ${count(matrix.columns)} float32\n`);
  for (const row of await firstRows(matrix, head)) {
    const values = row.slice(0, valuesShown).map((value) => value.toFixed(4).padStart(8));
    cli.out(`  ${values.join(' ')}${row.length > valuesShown ? '  …' : ''}\n`);
  }
}

async function printTable(
  rows: AsyncIterable<Row>,
  { name, total, fields }: { name: string; total: number; fields: readonly string[] },
  cli: Cli,
): Promise<void> {
  const shown = await Array.fromAsync(rows);
  const hidden = printRows(
    fields,
    shown.map((row) => fields.map((field) => row[field])),
    cli,
  );
  cli.err(`${cli.paint('dim', `${name}: ${counted(shown.length, 'row')} of ${count(total)}${hidden}`)}\n`);
}

async function printAs(
  format: 'jsonl' | 'csv',
  rows: () => AsyncIterable<Row>,
  table: TableInput,
  columns: readonly string[] | undefined,
  cli: Cli,
): Promise<void> {
  const { writeTable } = await import('../../steps/export/formats.ts');
  const source = {
    fields: table.fields,
    async *blocks() {
      for await (const row of rows()) yield [row];
    },
  };
  await cli.outAll(writeTable(source, format, { ...(columns && { columns }) }));
}
