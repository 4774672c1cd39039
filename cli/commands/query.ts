import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { ProblemError, StepError } from '../../engine/problems.ts';
import type { RunRecord } from '../../engine/record/record.ts';
import { readRun, resolveRun } from '../../engine/record/runs.ts';
import { addNamedTables, type NamedTable, SqlDatabase, type SqlResult } from '../../steps/query/database.ts';
import { mentionsOf } from '../../steps/query/sql-text.ts';
import { warningsOf } from '../../steps/query/values.ts';
import type { Cli, Command } from '../command.ts';
import { counted } from '../format.ts';
import { openPast } from '../past-artefact.ts';
import { printRows } from '../printed-rows.ts';
import { type OpenProject, withProject } from '../project.ts';
import { runWords } from './runs/words.ts';

/** Rows that are printed as a table unless `--head` says otherwise. */
const usualHead = 100;

export const command: Command = {
  name: 'query',
  summary: 'ask the tables of a run by SQL',
  description:
    'Each table of the run has the name of its step, or step.output. The SQL is that of DuckDB, which the project installs (npm install @duckdb/node-api@1.5.5-r.5); types are as in the step query.',
  arguments: [
    { name: '<run>', description: runWords },
    { name: '<sql>', description: 'a query: "SELECT …"' },
  ],
  options: [
    { flags: '--head <n>', description: 'so many rows (default: 100 as a table, all otherwise)', atLeast: 1 },
    { flags: '--format <format>', description: 'how', choices: ['table', 'jsonl', 'csv'], default: 'table' },
    { flags: '--json', description: 'one JSON document: the columns and the rows' },
  ],
  examples: [
    {
      line: 'reprise query latest "SELECT cluster, count(*) FROM topics GROUP BY ALL ORDER BY 2 DESC"',
      does: 'how many rows each cluster has',
    },
    {
      line: `reprise query latest 'FROM "unique".duplicates' --format csv > duplicates.csv`,
      does: 'a table for another program; a name that is a word of SQL stands in quotes',
    },
  ],
  async run([run, sql], options, cli) {
    return withProject(cli, cli.cwd, async (project) => {
      const query = sql as string;
      const { runsFolder } = project;
      const record = readRun(runsFolder, resolveRun(runsFolder, run as string));
      const tables = await tablesOf(record, query, project);
      const scratch = await mkdtemp(join(tmpdir(), 'reprise-query-'));
      let database: SqlDatabase | undefined;
      try {
        const { root } = project.workspace;
        database = await SqlDatabase.open({ root, threads: availableParallelism(), scratch });
        await addNamedTables(database, tables, query, (message) => warn(message, cli));
        const result = await database.query(
          query,
          { parameter: 'sql', tables: tableNames(record) },
          cli.signal,
        );
        await print(result, record.id, options, cli);
      } catch (error) {
        throw error instanceof StepError ? problemOf(error, record) : error;
      } finally {
        database?.close();
        await rm(scratch, { recursive: true, force: true });
      }
      return 0;
    });
  },
};

/** The tables of a run that a query may mean; those of a matrix are put together. */
async function tablesOf(record: RunRecord, sql: string, project: OpenProject): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const name of tableNames(record)) {
    if (mentionsOf(sql, name) === 0) continue;
    const { input } = await openPast(record.id, name, project);
    if (input.kind === 'table') tables.push({ name, input });
  }
  return tables;
}

/** `step` for a main output that is a table, `step.output` for each that is one. */
function tableNames(record: RunRecord): string[] {
  const names = record.steps.flatMap(({ base, outputs }) =>
    Object.entries(outputs).flatMap(([output, { kind }], index) =>
      kind === 'table' ? [...(index === 0 ? [base] : []), `${base}.${output}`] : [],
    ),
  );
  return [...new Set(names)];
}

function problemOf({ code, message, hint, at }: StepError, record: RunRecord): ProblemError {
  const place = at ? ` (line ${at.line}, column ${at.column})` : '';
  const shown = code === 'sql-error' && /^Table with name/.test(message);
  const tables = shown ? `tables of ${record.id}: ${tableNames(record).join(', ')}` : hint;
  return ProblemError.of(code, `${message}${place}`, tables === undefined ? {} : { hint: tables });
}

async function print(
  result: SqlResult,
  run: string,
  options: Readonly<Record<string, unknown>>,
  cli: Cli,
): Promise<void> {
  const columns = distinct(result.columns);
  const isTable = options['format'] === 'table' && options['json'] !== true;
  const most = (options['head'] as number | undefined) ?? (isTable ? usualHead : Number.POSITIVE_INFINITY);
  let more = false;
  async function* rows(): AsyncGenerator<Json[]> {
    let given = 0;
    for await (const block of result.blocks())
      for (const values of block) {
        if (given++ === most) {
          more = true;
          return;
        }
        yield values;
      }
  }
  if (isTable) {
    const shown = await Array.fromAsync(rows());
    const hidden = printRows(columns, shown, cli);
    const rest = more ? ', and there are more: --head' : '';
    cli.err(`${cli.paint('dim', `${counted(shown.length, 'row')}${rest}${hidden}`)}\n`);
  } else if (options['json'] === true) {
    const shown = await Array.fromAsync(rows(), (values) => objectOf(columns, values));
    cli.out(`${JSON.stringify({ run, columns, rows: shown })}\n`);
  } else {
    const { writeTable } = await import('../../steps/export/formats.ts');
    const source = {
      fields: columns,
      async *blocks() {
        for await (const values of rows()) yield [objectOf(columns, values) as Row];
      },
    };
    await cli.outAll(writeTable(source, options['format'] as 'jsonl' | 'csv', { columns }));
  }
  for (const warning of warningsOf(result.notes)) warn(warning, cli);
}

function objectOf(columns: readonly string[], values: readonly Json[]): { [name: string]: Json } {
  return Object.fromEntries(columns.map((name, index) => [name, values[index]!]));
}

/** Columns of the same name become `name_2` and so on. */
function distinct(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let count = 2; seen.has(free); count++) free = `${name}_${count}`;
    seen.add(free);
    return free;
  });
}

function warn(message: string, cli: Cli): void {
  cli.err(`${cli.paint('yellow', 'warning')} ${message}\n`);
}
