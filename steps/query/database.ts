import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBPreparedStatement,
  DuckDBResult,
} from '@duckdb/node-api';
import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';
import { type ColumnType, ColumnTypes } from '../column-types.ts';
import { sqlMistake } from './mistakes.ts';
import { isEmpty, mentionsOf, placeAt, refusedCall } from './sql-text.ts';
import { jsonOf, type ValueNotes } from './values.ts';

type DuckDb = typeof import('@duckdb/node-api');

/** A table that a query may name: `step` or `step.output`. */
export interface NamedTable {
  name: string;
  input: TableInput;
}

/** What a query gives. Rows have the values of the columns, in their order. */
export interface SqlResult {
  columns: string[];
  /** Blocks of rows; ends the query when it is left. */
  blocks(): AsyncGenerator<Json[][]>;
  notes: ValueNotes;
}

/** The version that this was made and tested with. */
export const duckDbVersion = '1.5.5-r.5';

/** The package beside Reprise, or the project's own where Reprise is installed elsewhere. */
async function loadDuckDb(root: string): Promise<DuckDb> {
  const isMissing = (error: unknown): boolean =>
    /^(ERR_)?MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? '');
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return createRequire(join(root, 'package.json'))('@duckdb/node-api') as DuckDb;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new StepError(
      'package-missing',
      'SQL needs DuckDB, which is not installed',
      `npm install @duckdb/node-api@${duckDbVersion}`,
    );
  }
}

/**
 * A database in memory, of its own for each query: it has the tables that are put into it, and nothing else of the machine
 * can be read or written from SQL (no files, no network, no extensions, no other settings).
 */
export class SqlDatabase {
  readonly #duckdb: DuckDb;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #scratch: string;
  readonly #files: string[] = [];
  readonly #names: string[] = [];

  private constructor(
    duckdb: DuckDb,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    scratch: string,
  ) {
    this.#duckdb = duckdb;
    this.#instance = instance;
    this.#connection = connection;
    this.#scratch = scratch;
  }

  /**
   * @param options.root folder of the project: where the package may be
   * @param options.threads one thread gives the same rows in the same order, and the same sums to the last digit, each time
   * @param options.scratch an empty folder: tables are files there, and what does not fit into memory
   */
  static async open(options: { root: string; threads: number; scratch: string }): Promise<SqlDatabase> {
    const duckdb = await loadDuckDb(options.root);
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      temp_directory: join(options.scratch, 'spill'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      errors_as_json: 'true',
    });
    return new SqlDatabase(duckdb, instance, await instance.connect(), options.scratch);
  }

  /**
   * Makes a table under a name, with types that are found from all its rows. Fields that no row has a value of are texts.
   * Gives fields that are left out, since SQL does not tell them from another one: their names differ in case only.
   *
   * @param uses how often the query names it: a table that is read once is not copied into memory
   */
  async addTable({ name, input }: NamedTable, uses: number): Promise<string[]> {
    const path = join(this.#scratch, `${this.#files.length}.jsonl`);
    const types = new ColumnTypes();
    for (const field of ['id', ...input.fields]) types.note(field);
    let longest = 0;
    async function* lines(): AsyncGenerator<Uint8Array> {
      for await (const piece of input.lines()) {
        const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString();
        for (const row of JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Row[]) types.add(row);
        longest = Math.max(longest, piece.byteLength);
        yield piece;
      }
    }
    await pipeline(lines, createWriteStream(path));
    this.#files.push(path);
    const seen = new Set<string>();
    const left: string[] = [];
    const columns: string[] = [];
    for (const [field, type] of types.all) {
      const lower = field.toLowerCase();
      if (field === '' || seen.has(lower)) left.push(field);
      else columns.push(`${quoted(field)}: ${text(sqlType(type))}`);
      seen.add(lower);
    }
    // The default of 16 MB is the longest line that is read; buffers of that size are taken at once.
    const size = longest > 2 ** 24 ? `, maximum_object_size=${longest + 1}` : '';
    const source = `read_json(${text(path)}, format='newline_delimited', columns={${columns.join(', ')}}${size})`;
    this.#names.push(...name.split('.'));
    const [schema, ...rest] = name.split('.').map(quoted);
    if (rest.length > 0) await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    const kind = uses > 1 ? 'TABLE' : 'VIEW';
    await this.#connection.run(`CREATE ${kind} ${[schema, ...rest].join('.')} AS SELECT * FROM ${source}`);
    return left;
  }

  /**
   * Runs a query: one statement that gives rows, other statements may stand before it. What is wrong with it is a StepError.
   *
   * @param where.parameter the step's parameter that the query stands in, or
   * @param where.file the file that it was read from
   * @param where.tables names that it may say, for advice; those of the tables that were added if not given
   */
  async query(
    sql: string,
    where: { parameter?: string; file?: string; tables?: readonly string[] },
    signal: AbortSignal,
  ): Promise<SqlResult> {
    const connection = this.#connection;
    const stop = (): void => connection.interrupt();
    signal.addEventListener('abort', stop);
    const mistake = (error: unknown): unknown => {
      signal.throwIfAborted();
      return sqlMistake(error, sql, where, this.#names);
    };
    if (isEmpty(sql)) throw new StepError('sql-syntax', 'the query is empty');
    refuseCalls(sql, where);
    let result: DuckDBResult;
    try {
      await connection.run(`SET allowed_paths=[${this.#files.map(text).join(', ')}]`);
      await connection.run(
        "SET TimeZone='UTC'; SET enable_external_access=false; SET lock_configuration=true",
      );
      const statements = await connection.extractStatements(sql);
      const prepare = async (index: number): Promise<DuckDBPreparedStatement> => {
        const statement = await statements.prepare(index);
        refuseKind(this.#duckdb.StatementType[statement.statementType]!);
        return statement;
      };
      for (let index = 0; index < statements.count - 1; index++) await (await prepare(index)).run();
      const last = await prepare(statements.count - 1);
      if (last.parameterCount > 0)
        throw new StepError(
          'sql-parameter',
          'the query has a place for a value (? or $name), and nothing gives one',
          `write the value, or take a param: ${'$'}{{ params.name }}`,
        );
      result = await last.stream();
    } catch (error) {
      signal.removeEventListener('abort', stop);
      throw mistake(error);
    }
    const types = result.columnTypes();
    const notes: ValueNotes = { exactNumbers: 0, nonFinite: 0 };
    const duckdb = this.#duckdb;
    async function* blocks(): AsyncGenerator<Json[][]> {
      try {
        for await (const rows of result.yieldRows())
          yield rows.map((values) =>
            values.map((value, index) => jsonOf(value, types[index]!, duckdb, notes)),
          );
      } catch (error) {
        throw mistake(error);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    }
    return { columns: result.columnNames(), blocks, notes };
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Kinds of statements that a query is made of. Others change DuckDB or the machine; DuckDB forbids most of them itself. */
const kinds = [
  ...['SELECT', 'CREATE', 'INSERT', 'UPDATE', 'DELETE', 'MERGE_INTO', 'ALTER', 'DROP', 'SET', 'EXPLAIN'],
];

function refuseKind(kind: string): void {
  if (kinds.includes(kind)) return;
  throw new StepError(
    'sql-error',
    `the query has a statement of the kind ${kind}`,
    'A query makes tables out of its inputs: WITH and SELECT, CREATE, INSERT, UPDATE, DELETE.',
  );
}

function refuseCalls(sql: string, { parameter, file }: { parameter?: string; file?: string }): void {
  const call = refusedCall(sql);
  if (call === undefined) return;
  const place = placeAt(sql, call.at);
  throw new StepError(
    'sql-error',
    `${file === undefined ? '' : `${file}:${place.line}:${place.column}: `}${call.what} cannot be called in a query here`,
    undefined,
    { at: parameter === undefined ? undefined : { parameter, ...place } },
  );
}

/** Puts the tables that the query names into the database; gives the names of those that it does not. */
export async function addNamedTables(
  database: SqlDatabase,
  tables: readonly NamedTable[],
  sql: string,
  warn: (message: string) => void,
): Promise<string[]> {
  const unused: string[] = [];
  for (const table of tables) {
    const uses = mentionsOf(sql, table.name);
    if (uses === 0) {
      unused.push(table.name);
      continue;
    }
    for (const field of await database.addTable(table, uses))
      warn(
        field === ''
          ? `${table.name}: a field without a name is not there in SQL`
          : `${table.name}: the field ${field} is not there in SQL, which does not tell it from another one by its case`,
      );
  }
  return unused;
}

/** A type of rows in DuckDB's words. */
function sqlType(type: ColumnType | undefined): string {
  switch (type?.kind) {
    case undefined:
    case 'text':
      return 'VARCHAR';
    case 'boolean':
      return 'BOOLEAN';
    case 'integer':
      return 'BIGINT';
    case 'double':
      return 'DOUBLE';
    case 'json':
      return 'JSON';
    case 'list':
      return `${sqlType(type.item)}[]`;
    case 'struct':
      return `STRUCT(${[...type.members].map(([name, its]) => `${quoted(name)} ${sqlType(its)}`).join(', ')})`;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
