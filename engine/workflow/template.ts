import type { Json } from '../json.ts';

/** A piece of a text with expressions in it. Offsets are into the text. */
export type TemplatePart =
  | { kind: 'text'; text: string }
  | { kind: 'expression'; source: string; start: number; end: number };

/** `${{ … }}` is closed by the first `}}` that is neither in a string nor in a map of the expression. */
export function templateParts(text: string): TemplatePart[] | { unclosed: number } {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('${{', from);
    if (open === -1) break;
    if (open > from) parts.push({ kind: 'text', text: text.slice(from, open) });
    const close = closingBraces(text, open + 3);
    if (close === -1) return { unclosed: open };
    parts.push({ kind: 'expression', source: text.slice(open + 3, close), start: open + 3, end: close });
    from = close + 2;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

function closingBraces(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'") {
      const end = endOfString(text, at);
      if (end === -1) break;
      at = end;
    } else if (character === '{') depth++;
    else if (character === '}') {
      if (depth === 0 && text[at + 1] === '}') return at;
      depth = Math.max(0, depth - 1);
    }
  }
  // A stray quote must not hide the end.
  return text.indexOf('}}', from);
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at;
  }
  return -1;
}

/** A JSON value as a CEL literal. `exact`: whole numbers as doubles, as they count in the original expression. */
export function literal(value: Json, exact = false): string {
  if (typeof value === 'number') {
    const text =
      Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}${exact ? '.0' : ''}` : String(value);
    return value < 0 ? `(${text})` : text;
  }
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, exact)).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${literal(item, exact)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

/** A value within a longer text. */
export function inText(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
