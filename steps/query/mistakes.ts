import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import { placeAt } from './sql-text.ts';
import { sqlTokens } from './sql-tokens.ts';

/** What DuckDB says of an error with `errors_as_json`. */
interface Said {
  exception_type?: string;
  exception_message?: string;
  /** Offset in the query, in bytes of UTF-8. */
  position?: string;
}

/**
 * An error of DuckDB as a StepError with the place in the query: in the workflow's file, or, of a query from a file of its
 * own, in front of the message. Anything else is given back as it is.
 *
 * @param names of tables and schemas: one may be a word of SQL, which the parser stumbles over
 */
export function sqlMistake(
  error: unknown,
  sql: string,
  where: { parameter?: string; file?: string; tables?: readonly string[] },
  names: readonly string[] = [],
): unknown {
  if (!(error instanceof Error) || error instanceof StepError) return error;
  const said = saidBy(error.message);
  if (said === undefined) return error;
  const [message = '', ...more] = (said.exception_message ?? '').trim().split('\n');
  const code = said.exception_type === 'Parser' ? 'sql-syntax' : 'sql-error';
  const what =
    said.exception_type === 'Permission' ? `${message} (SQL sees the step's inputs only)` : message;
  const offset = said.position === undefined ? undefined : unitsBefore(sql, Number(said.position));
  const at = offset === undefined ? undefined : placeAt(sql, offset);
  const reserved = code === 'sql-syntax' ? reservedName(sql, offset, names) : undefined;
  const hint =
    reserved === undefined
      ? (adviceOn(message, offset === undefined ? '' : sql.slice(offset), where.tables ?? names) ??
        more.join(' ').trim())
      : `a name that is a word of SQL stands in quotes: "${reserved}"`;
  const { file, parameter } = where;
  const place = file === undefined ? '' : `${file}${at ? `:${at.line}:${at.column}` : ''}: `;
  return new StepError(code, `${place}${what}`, hint === '' ? undefined : hint, {
    at: at && parameter !== undefined ? { parameter, ...at } : undefined,
  });
}

/**
 * What to do where DuckDB's own advice is of no use: it names its system tables for a step that is not there, and all forms of a
 * function for a text where a number is wanted.
 */
function adviceOn(message: string, rest: string, tables: readonly string[]): string | undefined {
  const table = /^Table with name (.+?) does not exist/.exec(message)?.[1];
  if (table !== undefined) return suggestion(table, tables, 'there are');
  const call = /^No function matches the given name and argument types '(\w+)\(VARCHAR\)'/.exec(message)?.[1];
  if (call === undefined) return undefined;
  const field = /^\w+\s*\(\s*(?:\w+\s*\.\s*)?(\w+)\s*\)/.exec(rest)?.[1] ?? 'field';
  return `${field} is a text: ${call}(${field}::DOUBLE), or in load, for good: cast: { ${field}: number }, or types: inferred`;
}

/** The name of a table that stands, without quotes, where the parser stumbles, or just before. */
function reservedName(sql: string, offset: number | undefined, names: readonly string[]): string | undefined {
  const tokens = [...sqlTokens(sql)];
  const index = tokens.findIndex(({ at }) => at === offset);
  const words = tokens.slice(Math.max(0, index - 1), index + 1).filter(({ kind }) => kind === 'word');
  return names.find((name) => words.some(({ text }) => text === name.toLowerCase()));
}

function saidBy(message: string): Said | undefined {
  const start = message.indexOf('{"');
  if (start >= 0) {
    try {
      return JSON.parse(message.slice(start)) as Said;
    } catch {
      // A message that holds a brace, and no JSON.
    }
  }
  const plain = /^(?:.*: )?([A-Z][A-Za-z ]+?) Error: ([\s\S]*)$/.exec(message);
  return plain ? { exception_type: plain[1]!, exception_message: plain[2]! } : undefined;
}

/** UTF-16 code units of the first `bytes` bytes of a text. */
function unitsBefore(text: string, bytes: number): number {
  return Buffer.from(text).subarray(0, bytes).toString().length;
}
