import type { ASTNode } from '@marcbachmann/cel-js';
import { pathOf } from './cel-paths.ts';
import { nearest, suggestion } from './nearest.ts';
import { StepError } from './problems.ts';

/**
 * An expression that cannot be read (`cel-syntax`), can never work (`cel-type`) or failed on some values
 * (`cel-evaluation`). `start` and `end` are offsets in the expression's text.
 */
export class CelError extends StepError {
  readonly source: string;
  readonly start: number;
  readonly end: number;

  constructor(
    code: 'cel-syntax' | 'cel-type' | 'cel-evaluation',
    message: string,
    source: string,
    range: { start: number; end: number },
    hint?: string,
  ) {
    super(code, message, hint);
    this.name = 'CelError';
    this.source = source;
    this.start = Math.min(range.start, source.length);
    this.end = Math.min(Math.max(range.end, this.start), source.length);
  }
}

/** What the package's errors have in common. */
export interface CelFailure {
  code?: string;
  summary?: string;
  message: string;
  range?: { start: number; end: number };
  node?: { op?: string; args?: unknown };
}

/** What people write who think in other languages. */
const operators: Record<string, string> = {
  and: '&&',
  or: '||',
  not: '!',
  is: '==',
  '=': '==',
  '===': '==',
  '!==': '!=',
};

export function syntaxError(source: string, error: CelFailure): CelError {
  if (source.trim() === '')
    return new CelError('cel-syntax', 'the expression is empty', source, { start: 0, end: source.length });
  const range = error.range ?? { start: 0, end: source.length };
  const summary = error.summary ?? error.message;
  for (const match of source.matchAll(/===|!==|(?<![=!<>])=(?!=)|\b(?:and|or|not|is)\b/g)) {
    const [start, end] = [match.index, match.index + match[0].length];
    if (start > range.end || end < range.start) continue;
    const message = `"${match[0]}" is not an operator of CEL`;
    return new CelError('cel-syntax', message, source, { start, end }, `write ${operators[match[0]]}`);
  }
  const message = /EOF/.test(summary) ? 'the expression ends too early' : lowerFirst(summary);
  return new CelError('cel-syntax', message, source, range);
}

export function typeError(source: string, error: CelFailure): CelError {
  const { message, hint } = explain(source, error, undefined);
  return new CelError('cel-type', message, source, error.range ?? { start: 0, end: source.length }, hint);
}

export function evaluationError(
  source: string,
  error: CelFailure,
  scope: Readonly<Record<string, unknown>>,
): CelError {
  if (error instanceof CelError) return error;
  const { message, hint } = explain(source, error, scope);
  return new CelError(
    'cel-evaluation',
    message,
    source,
    error.range ?? { start: 0, end: source.length },
    hint,
  );
}

function explain(
  source: string,
  error: CelFailure,
  scope: Readonly<Record<string, unknown>> | undefined,
): { message: string; hint?: string } {
  const node = error.node as ASTNode | undefined;
  const summary = error.summary ?? error.message;
  if (error.code === 'no_such_key' && node !== undefined && (node.op === '.' || node.op === '[]'))
    return missingMember(source, node, scope);
  if (error.code === 'unknown_variable') {
    const name = String(node?.args);
    const names = Object.keys(scope ?? {});
    const hint =
      nearest(name, names) === undefined && names.includes('row')
        ? `a field of the row is written row.${name}`
        : suggestion(name, names, 'in scope');
    return { message: `unknown name "${name}" in the expression`, ...(hint && { hint }) };
  }
  if (error.code === 'no_such_overload') {
    const readable = summary.replaceAll(/dyn<(.*?)>/g, '$1').replace(/^no such overload: /, '');
    const text = node === undefined ? '' : source.slice(node.range.start, node.range.end);
    const message = `cannot compute ${text}: there is no ${readable}`;
    if (/\bnull\b/.test(readable)) return { message, hint: 'ask for … != null first' };
    if (/string/.test(readable) && /int|double/.test(readable)) {
      // What is read from CSV is text, until it is cast.
      const field = /\brow\.([A-Za-z_]\w*)/.exec(text)?.[1];
      const cast =
        field === undefined ? '' : `; or in load, for good: cast: { ${field}: number }, or types: inferred`;
      return { message, hint: `convert one side: double(text), int(text) or string(number)${cast}` };
    }
    return { message };
  }
  if (error.code === 'no_matching_overload')
    return { message: lowerFirst(summary.replace(/^found /, 'there is ')).replaceAll(/dyn<(.*?)>/g, '$1') };
  // What the library calls so is an empty map or list: of its members no type is known.
  if (/'undefined'/.test(summary)) return { message: 'an empty map or list has no members' };
  return { message: lowerFirst(summary) };
}

function missingMember(
  source: string,
  node: ASTNode,
  scope: Readonly<Record<string, unknown>> | undefined,
): { message: string; hint?: string } {
  const [object, member] = node.args as [ASTNode, string | ASTNode];
  const owner = source.slice(object.range.start, object.range.end);
  const name = typeof member === 'string' ? member : source.slice(member.range.start, member.range.end);
  const path = pathOf(object)?.names;
  let value: unknown = scope;
  for (const part of path ?? [])
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  const fields =
    path !== undefined && typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value)
      : undefined;
  const message =
    owner === 'row'
      ? `the row has no field ${name}`
      : `${owner} has no ${name.startsWith('"') ? name : `"${name}"`}`;
  if (fields === undefined) return { message };
  const close = suggestion(name, fields, owner === 'row' ? 'its fields' : 'it has');
  const ask = typeof member === 'string' ? `has(${owner}.${name}) asks whether it is there` : undefined;
  const hint = [close, ask].filter((part) => part !== undefined).join('; ');
  return hint === '' ? { message } : { message, hint };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
