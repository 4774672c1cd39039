import type { Artefact, Row } from '../../engine/artefacts.ts';
import { CelError, loadCel } from '../../engine/cel.ts';
import { ProblemError } from '../../engine/problems.ts';
import type { ArtefactInput, MatrixInput, TableInput } from '../../engine/step.ts';
import type { Cli, Command } from '../command.ts';
import { columns, count, counted, size } from '../format.ts';
import { openPast } from '../past-artefact.ts';
import { printRows } from '../printed-rows.ts';
import { withProject } from '../project.ts';
import { runWords } from './runs/words.ts';

export const command: Command = {
  name: 'show',
  summary: 'look into what a run made',
  description:
    'Prints rows of a table, the first values of a matrix, or the names of files. An address is step, step.output or step[axis=value].output.',
  arguments: [
    { name: '<run>', description: runWords },
    { name: '<address>', description: 'step, step.output or step[axis=value].output' },
  ],
  options: [
    { flags: '--head <n>', description: 'so many rows (default: 10 as a table, all otherwise)', atLeast: 1 },
    { flags: '--where <cel>', description: 'only rows for which this is true, such as row.cluster == 3' },
    { flags: '--format <format>', description: 'how', choices: ['table', 'jsonl', 'csv'], default: 'table' },
    { flags: '--json', description: 'one JSON document: what the output is, and its rows, values or files' },
  ],
  examples: [
    { line: 'reprise show latest names', does: 'the first rows of the main output' },
    {
      line: 'reprise show latest topics --where "row.cluster == 3" --head 5',
      does: 'five rows of a cluster',
    },
    { line: 'reprise show latest unique.duplicates --format jsonl', does: 'all rows, for another program' },
  ],
  async run([run, address], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const { artefact, record, name, input } = await openPast(run as string, address as string, project);
      const head = options['head'] as number | undefined;
      const where = options['where'] as string | undefined;
      if (where !== undefined && input.kind !== 'table') {
        throw ProblemError.of(
          'wrong-call',
          `--where chooses rows of a table, and ${name} is a ${input.kind}`,
          {
            hint: 'leave it out, or name an output that is a table',
          },
        );
      }
      if (options['json']) {
        const shown = await asJson(input, artefact, head, where);
        cli.out(`${JSON.stringify({ run: record.id, address: name, kind: input.kind, ...shown })}\n`);
      } else if (input.kind === 'files') {
        const files = artefact?.kind === 'files' ? artefact.files : [];
        cli.out(columns(files.map((file) => [file.name, size(file.bytes), input.path(file.name)])));
      } else if (input.kind === 'matrix') await printMatrix(input, head ?? 5, cli);
      else if (options['format'] === 'table')
        await printTable(matching(input, where, head ?? 10), input, name, cli);
      else
        await printAs(options['format'] as 'jsonl' | 'csv', () => matching(input, where, head), input, cli);
      return 0;
    });
  },
};

/** What `--json` shows: of a matrix as many rows as `--head` says, of a table all that match unless it says otherwise. */
async function asJson(
  input: ArtefactInput,
  artefact: Artefact | null,
  head: number | undefined,
  where: string | undefined,
): Promise<object> {
  if (input.kind === 'files') return { files: artefact?.kind === 'files' ? artefact.files : [] };
  if (input.kind === 'matrix')
    return { rows: input.rows, columns: input.columns, values: await firstRows(input, head ?? 5) };
  return {
    total_rows: input.rows,
    fields: input.fields,
    rows: await Array.fromAsync(matching(input, where, head)),
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

async function* matching(
  table: TableInput,
  where: string | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Row> {
  let found = 0;
  try {
    const program = where === undefined ? null : (await loadCel())(where, { variables: ['row'] });
    for await (const row of table.read()) {
      if (program && !program.test({ row })) continue;
      yield row;
      if (++found >= limit) return;
    }
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const hint = error.hint ?? 'write CEL over the fields of a row: row.cluster == 3';
    throw ProblemError.of(error.code, `--where ${where}: ${error.message}`, { hint });
  }
}

async function printTable(
  rows: AsyncIterable<Row>,
  table: TableInput,
  name: string,
  cli: Cli,
): Promise<void> {
  const shown = await Array.fromAsync(rows);
  const fields = ['id', ...table.fields.filter((field) => field !== 'id')];
  const hidden = printRows(
    fields,
    shown.map((row) => fields.map((field) => row[field])),
    cli,
  );
  cli.err(
    `${cli.paint('dim', `${name}: ${counted(shown.length, 'row')} of ${count(table.rows)}${hidden}`)}\n`,
  );
}

async function printAs(
  format: 'jsonl' | 'csv',
  rows: () => AsyncIterable<Row>,
  table: TableInput,
  cli: Cli,
): Promise<void> {
  const { writeTable } = await import('../../steps/export/formats.ts');
  const source = {
    fields: table.fields,
    async *blocks() {
      for await (const row of rows()) yield [row];
    },
  };
  await cli.outAll(writeTable(source, format));
}
