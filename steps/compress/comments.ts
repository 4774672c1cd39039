import { protectedSpans } from './protected-spans.ts';

/**
 * A line that is nothing but a comment, in the languages that comment with //, # or --. Behind # stands a space: #[derive],
 * #count and #main are code, and so are what the preprocessor of C and the compilers of Go and TypeScript read.
 */
const commentLine =
  /[^\S\n]*(?:\/\/(?![a-z]+:\S|export\s|\/\s*<reference)|#(?![^\n]*coding[:=])(?![^\S\n]*(?:include|define|undef|if|ifn?def|else|elif|elifn?def|endif|error|warning|pragma|region|endregion|line|import)\b)(?=\s|$)|--(?=\s|$))[^\n]*(?:\n|$)/y;
/** In Python a line may begin with //, its division, and never with a comment of that form. */
const python = /^[^\S\n]*(?:def|class|if|for|while|elif|else|try|except|with)\b[^\n{};]*:[^\S\n]*(?:#.*)?$/m;
const heredoc = /<<<?[-~]?(["']?)([A-Za-z_]\w*)\1/y;
/** Raw strings of C++ and Rust, long ones of Lua. */
const raw = /R"([^()\\\s]{0,16})\(|\br(#+)"|\[(=*)\[/y;
/** Text in YAML whose lines stand deeper than its key. */
const blockScalar = /([^\S\n]*)[^\n]*[:-][^\S\n]+[|>][-+\d]{0,2}[^\S\n]*\n/y;

/**
 * Code without its lines of comments. Lines within strings, and those with a forced token, stay; where a string cannot be told
 * from code, a comment stays rather than that code goes.
 */
export function withoutCommentLines(text: string, force: readonly string[]): string {
  const forced = protectedSpans(text, [], force);
  const scan = new CodeScan(text);
  let out = '';
  let copied = 0;
  let next = 0;
  for (const { start, end } of scan.commentLines()) {
    while (next < forced.length && forced[next]!.end <= start) next++;
    if (next < forced.length && forced[next]!.start < end) continue;
    out += text.slice(copied, start);
    copied = end;
  }
  return out + text.slice(copied);
}

/** Reads code of any language once, from its beginning, and steps over strings and comments. */
class CodeScan {
  readonly #text: string;
  readonly #isPython: boolean;
  /** What does not occur behind the place where it was last looked for. */
  readonly #absent = new Set<string>();

  constructor(text: string) {
    this.#text = text;
    this.#isPython = python.test(text);
  }

  *commentLines(): Generator<{ start: number; end: number }> {
    const text = this.#text;
    for (let at = 0; at < text.length; ) {
      if (at === 0 || text[at - 1] === '\n') {
        const end = matchEnd(commentLine, text, at);
        if (end !== null && !(this.#isPython && text.slice(at, end).trimStart().startsWith('//'))) {
          yield { start: at, end };
          at = end;
          continue;
        }
        const scalar = this.#scalarEnd(at);
        if (scalar !== null) {
          at = scalar;
          continue;
        }
      }
      at = this.#next(at);
    }
  }

  /** Behind the string or the comment that begins here, or behind the character. */
  #next(at: number): number {
    const text = this.#text;
    const [here, after] = [text[at]!, text[at + 1]];
    const before = text[at - 1] ?? '\n';
    const lineEnd = () => this.#find('\n', at) ?? text.length;
    switch (here) {
      case '\\':
        return at + 2;
      case '/':
        if (after === '*') return this.#behind('*/', at + 2) ?? at + 2;
        return after === '/' && before !== ':' && !this.#isPython ? lineEnd() : at + 1;
      case '#':
        return /\s/.test(before) && (after === undefined || /\s/.test(after)) ? lineEnd() : at + 1;
      case '-':
        return after === '-' && /\s/.test(before) && /\s/.test(text[at + 2] ?? '\n') ? lineEnd() : at + 1;
      case '"':
      case "'":
        return this.#quotedEnd(at) ?? at + 1;
      case '`':
        return this.#templateEnd(at) ?? this.#behind('`', at + 1) ?? at + 1;
      case '<':
        return this.#heredocEnd(at) ?? at + 1;
      case 'R':
      case 'r':
      case '[': {
        raw.lastIndex = at;
        const found = raw.exec(text);
        if (found === null) return at + 1;
        const [whole, cpp, rust, lua] = found;
        const closer = cpp !== undefined ? `)${cpp}"` : rust !== undefined ? `"${rust}` : `]${lua}]`;
        return this.#behind(closer, at + whole.length) ?? at + 1;
      }
      default:
        return at + 1;
    }
  }

  /** A string of one line, between three quotes, or over lines where it does not end on its own. */
  #quotedEnd(at: number): number | null {
    const text = this.#text;
    const quote = text[at]!;
    const triple = quote.repeat(3);
    if (text.startsWith(triple, at)) {
      let end = this.#behind(triple, at + 3);
      while (end !== null && text[end - 4] === '\\') end = this.#behind(triple, end - 2);
      if (end !== null) return end;
    }
    let isOneLine = true;
    if (this.#absent.has(quote)) return null;
    for (let end = at + 1; end < text.length; end++) {
      const here = text[end];
      if (here === '\\') end++;
      else if (here === quote) return end + 1;
      else if (here === '\n' && isOneLine) {
        isOneLine = false;
        // An apostrophe, or a lifetime of Rust.
        if (quote === "'" && /\w/.test(`${text[at - 1] ?? ''}${text[at + 1]}`)) return null;
      }
    }
    this.#absent.add(quote);
    return null;
  }

  /** A template of JavaScript, with the templates in its places; null if it does not end as one. */
  #templateEnd(start: number): number | null {
    const text = this.#text;
    if (this.#absent.has('template')) return null;
    const open: ('`' | '{')[] = ['`'];
    for (let at = start + 1; at < text.length; at++) {
      const here = text[at];
      if (here === '\\') at++;
      else if (open.at(-1) === '`') {
        if (here === '`') {
          open.pop();
          if (open.length === 0) return at + 1;
        } else if (here === '$' && text[at + 1] === '{') {
          open.push('{');
          at++;
        }
      } else if (here === '{' || here === '`') open.push(here);
      else if (here === '}') open.pop();
    }
    this.#absent.add('template');
    return null;
  }

  #heredocEnd(at: number): number | null {
    heredoc.lastIndex = at;
    const word = heredoc.exec(this.#text)?.[2];
    if (word === undefined) return null;
    const lineEnd = this.#find('\n', at);
    if (lineEnd === null || this.#absent.has(`<<${word}`)) return null;
    const closing = new RegExp(`^[^\\S\\n]*${word}\\b`, 'gm');
    closing.lastIndex = lineEnd + 1;
    if (closing.test(this.#text)) return closing.lastIndex;
    this.#absent.add(`<<${word}`);
    return null;
  }

  #scalarEnd(at: number): number | null {
    blockScalar.lastIndex = at;
    const found = blockScalar.exec(this.#text);
    if (found === null) return null;
    const deep = found[1]!.length;
    let end = at + found[0].length;
    while (end < this.#text.length) {
      const lineEnd = this.#find('\n', end) ?? this.#text.length;
      const line = this.#text.slice(end, lineEnd);
      if (line.trim() !== '' && line.length - line.trimStart().length <= deep) break;
      end = Math.min(this.#text.length, lineEnd + 1);
    }
    return end;
  }

  #behind(closer: string, from: number): number | null {
    const found = this.#find(closer, from);
    return found === null ? null : found + closer.length;
  }

  #find(wanted: string, from: number): number | null {
    if (this.#absent.has(`=${wanted}`)) return null;
    const found = this.#text.indexOf(wanted, from);
    if (found >= 0) return found;
    this.#absent.add(`=${wanted}`);
    return null;
  }
}

function matchEnd(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}
