/** A piece of a query. */
export interface SqlToken {
  /** A quoted name is a name, too: DuckDB takes `"random"()` for what it takes `random()` for. */
  kind: 'word' | 'quoted' | 'text' | 'number' | 'sign';
  /** Names in lower case, without their quotes. */
  text: string;
  /** Offset in the query, in UTF-16 code units. */
  at: number;
}

const space = /\s+|--[^\n]*/y;
const patterns: readonly [SqlToken['kind'], RegExp][] = [
  ['text', /[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'/y],
  ['text', /\$((?:[\p{L}_][\p{L}\p{N}_]*)?)\$[\s\S]*?\$\1\$/uy],
  ['quoted', /"[^"]*(?:""[^"]*)*"/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['number', /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['sign', /[\s\S]/uy],
];

/** The pieces of a query as DuckDB's parser takes them, without comments (which may hold others). */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  for (let at = 0; at < sql.length; ) {
    const length = sql.startsWith('/*', at) ? commentLength(sql, at) : matchAt(space, sql, at)?.length;
    if (length !== undefined) {
      at += length;
      continue;
    }
    for (const [kind, pattern] of patterns) {
      const found = matchAt(pattern, sql, at);
      if (found === undefined) continue;
      const name = kind === 'quoted' ? found.slice(1, -1).replaceAll('""', '"') : found;
      yield { kind, text: kind === 'text' ? found : name.toLowerCase(), at };
      at += found.length;
      break;
    }
  }
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

function commentLength(sql: string, start: number): number {
  const bounds = /\/\*|\*\//g;
  bounds.lastIndex = start;
  for (let depth = 0; ; ) {
    const bound = bounds.exec(sql);
    if (bound === null) return sql.length - start;
    depth += bound[0] === '/*' ? 1 : -1;
    if (depth === 0) return bounds.lastIndex - start;
  }
}
