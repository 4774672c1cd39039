import type { TextPlace } from '../../engine/problems.ts';

/** Functions and words whose value is of the moment, the machine or chance: their result is no function of the inputs. */
const momentary =
  /\b(?:(random|uuid|uuidv4|uuidv7|gen_random_uuid|now|today|current_query|get_current_timestamp|get_current_time|current_localtimestamp|current_localtime|transaction_timestamp|nextval|txid_current|pg_backend_pid)\s*\(|(current_timestamp|current_date|current_time|localtimestamp|localtime)\b|(using\s+sample|tablesample)\b)/i;

/** What would give another result another time, if the query has it: `random()`, `current_date`, `USING SAMPLE` without a seed. */
export function notRepeatable(sql: string): { what: string; at: number } | undefined {
  const code = withoutQuotes(sql);
  for (let from = 0; ; ) {
    const match = momentary.exec(code.slice(from));
    if (match === null) return undefined;
    const at = from + match.index;
    const [whole, called, word, sample] = match;
    // A sample with a seed is the same each time: REPEATABLE (42), or (method, 42).
    const seeded = sample !== undefined && /\brepeatable\s*\(|\(\s*\w+\s*,\s*\d+\s*\)/i.test(code.slice(at));
    if (!seeded) return { what: called ? `${called}()` : (word ?? sample ?? whole), at };
    from = at + whole.length;
  }
}

/** Whether there is nothing but comments. */
export function isEmpty(sql: string): boolean {
  return /^[\s;]*$/.test(sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ''));
}

/** The text with blanks for comments, strings and quoted names, so that offsets stay. */
function withoutQuotes(sql: string): string {
  return sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"/g, (quoted) =>
    quoted.replace(/[^\n]/g, ' '),
  );
}

/** How often a name occurs in the query, be it quoted or not: a table whose name does not need not be read. */
export function mentionsOf(sql: string, name: string): number {
  const escaped = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return [...sql.matchAll(new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, 'giu'))].length;
}

/** Line and column of an offset (UTF-16 code units) in a text, and the length of the word that stands there. */
export function placeAt(text: string, offset: number): Omit<TextPlace, 'parameter'> {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1) + 1;
  const word = /^(?:[\p{L}\p{N}_]+|"[^"\n]*"|'[^'\n]*')/u.exec(text.slice(offset))?.[0];
  return { line, column, length: word?.length ?? 1 };
}
