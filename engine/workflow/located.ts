import type { Json, JsonObject } from '../json.ts';
import type { Place } from '../problems.ts';
import type { SourceFile } from './source.ts';

/** A value of a YAML file that knows where it stands. Offsets are into the file's text. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface Span {
  file: SourceFile;
  start: number;
  end: number;
}
export interface LocatedScalar extends Span {
  kind: 'scalar';
  value: string | number | boolean | null;
}
export interface LocatedList extends Span {
  kind: 'list';
  items: Located[];
}
export interface LocatedMap extends Span {
  kind: 'map';
  /** A part of it could not be read: that something is missing is no mistake of its own. */
  incomplete?: boolean;
  entries: Map<string, LocatedEntry>;
}
export interface LocatedEntry {
  key: Span;
  value: Located;
}

export function placeOf({ file, start, end }: Span): Place {
  return file.place(start, end);
}

/** The member of a map; undefined if it is no map or has none of that name. */
export function member(node: Located | undefined, key: string): Located | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

/** The scalar's text; undefined for anything that is no string. */
export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function toJson(node: Located): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toJson);
    case 'map': {
      const object: JsonObject = {};
      for (const [key, { value }] of node.entries) object[key] = toJson(value);
      return object;
    }
  }
}

/** Parts of a JSON pointer (RFC 6901). */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointerTo(...parts: (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * The node that a JSON pointer names, the key it stands under, and whether it is there at all: a pointer into what
 * an expression made ends at the expression.
 */
export function lookUp(root: Located, pointer: string): { node: Located; key: Span | undefined } {
  let node = root;
  let key: Span | undefined;
  for (const part of pointerParts(pointer)) {
    if (node.kind === 'map') {
      const entry = node.entries.get(part);
      if (entry === undefined) break;
      node = entry.value;
      key = entry.key;
    } else if (node.kind === 'list') {
      const item = node.items[Number(part)];
      if (item === undefined) break;
      node = item;
      key = undefined;
    } else break;
  }
  return { node, key };
}

/**
 * Part of a scalar's value as a span of its file. Where the text of the file is not the value letter for letter
 * (escapes, folded lines), the whole scalar.
 */
export function spanWithin(node: LocatedScalar, start: number, end: number): Span {
  if (typeof node.value !== 'string') return node;
  const at = node.file.text.slice(node.start, node.end).indexOf(node.value);
  if (at === -1) return node;
  return { file: node.file, start: node.start + at + start, end: node.start + at + Math.max(end, start + 1) };
}

/**
 * Where the lines of a scalar's text begin in its file: of a block scalar each of its lines, of any other the first. Those
 * of a text that the file does not hold letter for letter (escapes, folded lines) are not known.
 */
export function lineStarts(node: LocatedScalar): { line: number; column: number }[] {
  if (typeof node.value !== 'string') return [];
  const starts: { line: number; column: number }[] = [];
  const raw = node.file.text.slice(node.start, node.end);
  let from = /^\|[^\n]*\n/.exec(raw)?.[0].length ?? 0;
  for (const text of node.value.replace(/\n+$/, '').split('\n')) {
    const at = raw.indexOf(text, from);
    if (at === -1) return [];
    const { line, column } = node.file.place(node.start + at, node.start + at);
    starts.push({ line, column });
    from = at + text.length;
  }
  return starts;
}
