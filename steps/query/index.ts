import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { anyInputs, defineStep, type StepInput, type TableOutput } from '../../engine/step.ts';
import { readNamedFile } from '../named-file.ts';
import { addNamedTables, type NamedTable, SqlDatabase } from './database.ts';
import { notRepeatable, placeAt } from './sql-text.ts';
import { warningsOf } from './values.ts';

export default defineStep({
  type: 'query',
  summary: 'Makes rows of other tables by SQL: joins, groups, windows, pivots',
  description: `\`sql\` is a query in [DuckDB's SQL](https://duckdb.org/docs/stable/sql/introduction). Each input is a table under its name in \`from\`: with
\`from: queries\` that of the step, with \`from: { labels: judged, scores: rated.failed }\` the names on the left. The last
statement gives the rows; others may stand before it (\`CREATE MACRO …;\`).

**DuckDB** is a package of 70 MB that Reprise does not bring along: \`npm install @duckdb/node-api@1.5.5-r.5\`, once, in the project.

**Types in.** Found from all rows: BOOLEAN, BIGINT, DOUBLE, VARCHAR, lists and STRUCTs of these; what is mixed is JSON. Texts stay
texts: write \`created::TIMESTAMP\` for a time. A field that a row lacks is NULL.

**Types out.** Integers and decimals that a double holds are numbers, others (past 2^53) their digits in a text; dates and times
ISO 8601, with \`Z\` where they have a time zone (which is always UTC); bytes base64; lists, structs and maps as lists and objects; NaN,
infinities and times past the year 275760 null. Numbers in texts and what became null are counted in a warning.

**Ids.** A column \`id\` is the row's id, and must be there once for each row. Without one the rows are numbered from 1:
give groups an id (\`SELECT topic AS id, count(*) AS rows … GROUP BY topic\`) that stays when others come or go.

**The same result each time.** The query runs in one thread, so that the same inputs give the same rows in the same order and sums
equal to the last digit. The order is yours only with ORDER BY: without it, it may change with the inputs. What is of the moment or
of chance (\`now()\`, \`current_date\`, \`age(t)\`, \`random()\`, \`USING SAMPLE\` without a seed, \`duckdb_settings()\`) is refused. SQL reads its
inputs only: no files, no network, and no statements but those that make tables (WITH and SELECT, CREATE, INSERT, UPDATE, DELETE).

**At hand.** \`reprise query latest "SELECT …"\` asks the tables of a run that is over, without a workflow.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      sql: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'sql',
        description: 'The query.',
      },
      file: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'input-path',
        description: 'A file with the query, instead of `sql`.',
      },
    },
  },
  inputs: anyInputs,
  outputs: { rows: { kind: 'table', description: 'The rows of the query: a field for each column.' } },
  metrics: { rows: 'Rows.' },
  example: `by_topic:
  use: query
  from: { clusters: topics, queries: queries }
  with:
    sql: |
      SELECT cluster AS id, count(*) AS queries, round(avg(length(queries.text)), 1) AS characters
      FROM clusters JOIN queries USING (id)
      GROUP BY cluster
      ORDER BY queries DESC, cluster`,
  check({ sql, file }) {
    if ((sql === undefined) === (file === undefined))
      return [{ parameter: 'sql', message: 'query needs sql, or a file with it' }];
    const volatile = sql === undefined ? undefined : notRepeatable(sql);
    return volatile ? [{ parameter: 'sql', message: momentary(volatile.what) }] : [];
  },
  async run({ parameters, inputs, outputs, context }) {
    const { file } = parameters;
    const sql = parameters.sql ?? (await readNamedFile(file!, 'a query in SQL', context));
    const volatile = notRepeatable(sql);
    if (volatile) {
      const { line, column } = placeAt(sql, volatile.at);
      throw new StepError('sql-not-repeatable', `${file}:${line}:${column}: ${momentary(volatile.what)}`);
    }
    const database = await SqlDatabase.open({
      root: context.root,
      threads: 1,
      scratch: await context.scratch(),
    });
    try {
      const tables = tablesOf(inputs);
      const unused = await addNamedTables(database, tables, sql, context.warn);
      for (const name of unused) context.warn(`the query does not name its input ${name}`);
      const where = {
        ...(file === undefined ? { parameter: 'sql' } : { file }),
        tables: tables.map(({ name }) => name),
      };
      const result = await database.query(sql, where, context.signal);
      refuseSameNames(result.columns);
      const idColumn = result.columns.indexOf('id');
      outputs.rows.expect(['id', ...result.columns.filter((name) => name !== 'id')]);
      let done = 0;
      for await (const block of result.blocks()) {
        context.signal.throwIfAborted();
        for (const values of block) {
          done++;
          const id = idColumn === -1 ? String(done) : idOf(values[idColumn] ?? null, done);
          const written = write(outputs.rows, rowOf(id, result.columns, values));
          if (written) await written;
        }
        context.progress(done, undefined, 'rows');
      }
      for (const warning of warningsOf(result.notes)) context.warn(warning);
      return { metrics: { rows: done } };
    } finally {
      database.close();
    }
  },
});

function momentary(what: string): string {
  return `the query has ${what}, which gives another result each time: put the value in as a param (\${{ params.day }}), or draw rows with the step sample`;
}

function tablesOf(inputs: { readonly [name: string]: StepInput }): NamedTable[] {
  return Object.entries(inputs).map(([name, input]) => {
    const artefact = input.outputs[input.output];
    if (artefact?.kind === 'table') return { name, input: artefact };
    throw new StepError(
      'query-input',
      `${input.step}.${input.output} is ${artefact?.kind === 'matrix' ? 'a matrix' : 'files'}, and SQL reads tables`,
      'Name an output that is a table.',
    );
  });
}

function refuseSameNames(columns: readonly string[]): void {
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new StepError(
    'sql-column-names',
    `two columns of the result are called ${twice}`,
    `give one another name (b.${twice} AS other_${twice}); a join with USING (id) has the id once`,
  );
}

function idOf(value: Json, row: number): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  const what = value === null ? 'NULL' : value === '' ? 'empty' : JSON.stringify(value).slice(0, 60);
  throw new StepError(
    'query-id',
    `row ${row} of the result has an id that is ${what}`,
    "ids are texts or numbers: SELECT coalesce(id, '…') AS id, or give the column another name",
  );
}

function write(output: TableOutput, row: Row): Promise<void> | undefined {
  try {
    return output.write(row);
  } catch (error) {
    if (!(error instanceof StepError) || error.code !== 'duplicate-id') throw error;
  }
  throw new StepError(
    'duplicate-id',
    `the result has several rows with the id ${row.id.slice(0, 80)}`,
    "a join gives a row for each pair: make an id of both (a.id || '#' || b.id AS id), or call the column something else (id AS query_id): then rows are numbered",
  );
}

function rowOf(id: string, columns: readonly string[], values: readonly Json[]): Row {
  const row: Row = { id };
  for (const [index, name] of columns.entries()) if (name !== 'id') row[name] = values[index]!;
  return row;
}
