import type { Document } from 'yaml';
import type { ProblemList } from './problem-list.ts';
import type { SourceFile } from './source.ts';

/** The first mistake in the syntax: what follows it is mostly its echo. */
export function reportSyntax(file: SourceFile, document: Document.Parsed, problems: ProblemList): boolean {
  const several = document.errors.find((error) => error.code === 'MULTIPLE_DOCS');
  if (several !== undefined) {
    problems.error(
      'yaml-multiple-documents',
      'the file holds several YAML documents; a workflow is one',
      { file, start: several.pos[0], end: several.pos[0] + 3 },
      { hint: 'take the second --- out, or split the file' },
    );
  }
  const error = document.errors
    .filter((candidate) => candidate !== several)
    .sort((a, b) => a.pos[0] - b.pos[0])[0];
  if (error === undefined) return several === undefined;
  const [start, end] = error.pos;
  const { code, message, hint, at } = explain(file.text, error.code, error.message, start);
  const from = Math.min(at ?? start, Math.max(0, file.text.length - 1));
  problems.error(
    code,
    message,
    { file, start: from, end: at === undefined ? end : at + 1 },
    hint ? { hint } : {},
  );
  return false;
}

interface Explanation {
  code: string;
  message: string;
  hint?: string;
  /** A better place than the parser's. */
  at?: number;
}

function explain(text: string, code: string, parserMessage: string, at: number): Explanation {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(lineStart, at === lineStart ? undefined : Math.max(at, text.indexOf('\n', at)));
  const syntax = 'yaml-syntax';
  if (code === 'TAB_AS_INDENT')
    return {
      code: 'yaml-tab',
      message: 'a tab indents this line; YAML allows only spaces',
      hint: 'put two spaces for the tab',
    };
  if (/[[{,]\s*[^"'\n]*\$\{\{/.test(line) && code === 'UNEXPECTED_TOKEN') {
    const start = lineStart + line.search(/\$\{\{/);
    return {
      code: syntax,
      message: 'inside { } and [ ] an expression must stand in quotes',
      hint: `write "${text.slice(start, endOfExpression(text, start))}"`,
      at: start,
    };
  }
  if (code === 'MISSING_CHAR' && parserMessage.includes('quote')) {
    const quote = parserMessage.includes('"') ? '"' : "'";
    return {
      code: syntax,
      message: `this quote is never closed`,
      hint: `close it with ${quote}`,
      at: openQuote(text, quote),
    };
  }
  if (/^Flow (map|sequence)/.test(parserMessage)) {
    const closer = parserMessage.startsWith('Flow map') ? '}' : ']';
    return {
      code: syntax,
      message: `this ${closer === '}' ? '{' : '['} is never closed`,
      hint: `close it with ${closer}`,
      at: openBracket(text, closer === '}' ? '{' : '['),
    };
  }
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return {
      code: syntax,
      message: 'a second ": " in one line, or a line that is indented too far',
      hint: 'put a text that holds ": " in quotes; a map goes on lines of its own',
    };
  if (code === 'BAD_INDENT')
    return {
      code: syntax,
      message: 'this line is indented to no column that is in use above it',
      hint: 'the keys of a map start in the same column',
      at: at + (/^ */.exec(text.slice(at))?.[0].length ?? 0),
    };
  if (code === 'BAD_SCALAR_START')
    return {
      code: syntax,
      message: `a value cannot start with ${text[at]}`,
      hint: 'put the value in quotes',
    };
  if (code === 'BAD_DQ_ESCAPE')
    return {
      code: syntax,
      message: `"\\${text[at + 1] === undefined ? '' : parserMessage.at(-1)}" is no escape that YAML knows`,
      hint: 'write \\\\ for a backslash, or use single quotes',
    };
  if (code === 'MULTILINE_IMPLICIT_KEY')
    return {
      code: syntax,
      message: 'this line is neither a key nor a value',
      hint: 'a key is followed by ": "',
    };
  if (code === 'UNEXPECTED_TOKEN')
    return {
      code: syntax,
      message: `the text ends before this: ${lowerFirst(parserMessage)}`,
      hint: 'put a value with quotes, brackets or colons in it in quotes',
    };
  return { code: syntax, message: lowerFirst(parserMessage) };
}

function endOfExpression(text: string, start: number): number {
  const end = text.indexOf('}}', start);
  const line = text.indexOf('\n', start);
  return end === -1 || (line !== -1 && end > line) ? (line === -1 ? text.length : line) : end + 2;
}

/** Where the quote stands that nothing closes: the last one of the first line that has an odd number of them. */
function openQuote(text: string, quote: string): number {
  let start = 0;
  for (const line of text.split('\n')) {
    if (line.split(quote).length % 2 === 0) return start + line.lastIndexOf(quote);
    start += line.length + 1;
  }
  return Math.max(0, text.lastIndexOf(quote));
}

/** The last bracket of a kind that nothing closes, quotes and comments left out. */
function openBracket(text: string, bracket: string): number {
  const open: number[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|(?:^|\s)#.*|[[\]{}]/g)) {
    if (match[0] === '[' || match[0] === '{') open.push(match.index);
    else if (match[0] === ']' || match[0] === '}') open.pop();
  }
  return open.findLast((at) => text[at] === bracket) ?? Math.max(0, text.lastIndexOf(bracket));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
