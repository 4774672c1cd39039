import type { TextPlace } from '../../engine/problems.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

/**
 * Functions whose value is of the moment, the machine or chance: those that `duckdb_functions()` does not call CONSISTENT, the
 * macros that call them, and some that it is wrong about. `age` is of the moment with one argument.
 */
export const momentaryFunctions: ReadonlySet<string> = new Set([
  ...['random', 'uuid', 'uuidv4', 'uuidv7', 'gen_random_uuid', 'nextval', 'currval'],
  ...['now', 'today', 'ago', 'transaction_timestamp', 'get_current_timestamp', 'get_current_time'],
  ...['current_timestamp', 'current_date', 'current_time', 'current_localtimestamp', 'current_localtime'],
  ...['localtimestamp', 'localtime', 'pg_conf_load_time', 'pg_postmaster_start_time'],
  ...['current_query', 'current_query_id', 'current_transaction_id', 'current_connection_id', 'txid_current'],
  ...['stats', 'pg_backend_pid', 'current_setting', 'glob'],
]);

/** Table functions that tell of the machine and of what DuckDB is at. */
const ofTheMachine = /^(?:duckdb|pragma)_/;

/** What has a value without parentheses. */
const momentaryWords = new Set([
  ...['current_timestamp', 'current_date', 'current_time', 'localtimestamp', 'localtime'],
]);

/** Functions that would run SQL which nobody has looked at, or that make DuckDB write files: that ends the process. */
const refusedFunctions = new Set([
  ...['query', 'json_execute_serialized_sql', 'enable_logging', 'enable_profiling', 'write_log'],
]);

const count = /[\d._e]+(?: (?:%|percent|rows?))?/.source;
/** A sample with a seed is the same each time: `50% (bernoulli, 42)`, `reservoir(100) REPEATABLE (42)`. */
const seededSample = new RegExp(
  `^(?:${count} \\( \\w+ , \\d+ \\)|(?:\\w+ )?\\( ${count} \\) repeatable \\( \\d+ \\))`,
);

interface Found {
  what: string;
  at: number;
}

/** What would give another result another time, if the query has it: `random()`, `current_date`, `USING SAMPLE` without a seed. */
export function notRepeatable(sql: string): Found | undefined {
  const tokens = [...sqlTokens(sql)];
  for (const [index, { kind, text, at }] of tokens.entries()) {
    if (isCalled(tokens, index)) {
      if (momentaryFunctions.has(text) || ofTheMachine.test(text) || isAgeOfToday(tokens, index))
        return { what: `${text}()`, at };
    } else if (isName(tokens[index]) && momentaryWords.has(text)) {
      const before = tokens[index - 1]?.text;
      if (before !== '.' && before !== 'as') return { what: text, at };
    }
    const isSample =
      kind === 'word' &&
      (text === 'tablesample' || (text === 'using' && tokens[index + 1]?.text === 'sample'));
    if (isSample) {
      const from = index + (text === 'using' ? 2 : 1);
      const clause = tokens.slice(from, from + 12).map((token) => token.text);
      if (!seededSample.test(clause.join(' ')))
        return { what: text === 'using' ? 'USING SAMPLE without a seed' : 'TABLESAMPLE without a seed', at };
    }
    if (kind === 'word' && text === 'explain' && /^(?:analy[sz]e|\()$/.test(tokens[index + 1]?.text ?? ''))
      return { what: 'EXPLAIN ANALYZE', at };
  }
  return undefined;
}

/** A function that no query may call here, if it calls one. */
export function refusedCall(sql: string): Found | undefined {
  const tokens = [...sqlTokens(sql)];
  const index = tokens.findIndex(({ text }, place) => refusedFunctions.has(text) && isCalled(tokens, place));
  return index === -1 ? undefined : { what: `${tokens[index]!.text}()`, at: tokens[index]!.at };
}

/** Whether there is nothing but comments. */
export function isEmpty(sql: string): boolean {
  return sqlTokens(sql).every(({ text }) => text === ';');
}

function isName(token: SqlToken | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'quoted';
}

function isCalled(tokens: readonly SqlToken[], index: number): boolean {
  return isName(tokens[index]) && tokens[index + 1]?.text === '(';
}

/** `age(t)` is the time from t to today; `age(a, b)` is not of the moment. */
function isAgeOfToday(tokens: readonly SqlToken[], index: number): boolean {
  if (tokens[index]!.text !== 'age') return false;
  const bounds: Record<string, number> = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };
  for (let at = index + 1, depth = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind !== 'sign') continue;
    depth += bounds[text] ?? 0;
    if (depth === 0) break;
    if (depth === 1 && text === ',') return false;
  }
  return true;
}

/** How often a name occurs in the query, be it quoted or not: a table whose name does not need not be read. */
export function mentionsOf(sql: string, name: string): number {
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${RegExp.escape(name)}(?![\\p{L}\\p{N}_])`, 'giu');
  return [...sql.matchAll(pattern)].length;
}

/** Line and column of an offset (UTF-16 code units) in a text, and the length of the word that stands there. */
export function placeAt(text: string, offset: number): Omit<TextPlace, 'parameter'> {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1) + 1;
  const word = /^(?:[\p{L}\p{N}_]+|"[^"\n]*"|'[^'\n]*')/u.exec(text.slice(offset))?.[0];
  return { line, column, length: word?.length ?? 1 };
}
