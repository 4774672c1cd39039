import type { JsonObject } from '../../engine/json.ts';
import type { Item } from './found.ts';
import { showRaw } from './found.ts';

/** A paragraph of a document. Places are in characters (Unicode code points) of the file's text, from 0. */
export interface Paragraph {
  text: string;
  start: number;
  end: number;
  /** From 1. */
  line: number;
  /** Paragraphs of different sections are never joined: headings above it, the outermost first; or a page. */
  section: readonly string[] | number;
}

export interface ChunkLimits {
  /** In characters (Unicode code points). */
  minChars: number | undefined;
  maxChars: number | undefined;
}

type Chunk = Paragraph & { length: number };

/**
 * Chunks within the limits: paragraphs shorter than `minChars` are joined with those after them in their section, by
 * an empty line; one longer than `maxChars` is cut at the last end of a line, sentence or word that fits. What stays
 * too short is an item of its own.
 */
export function chunksOf(paragraphs: Iterable<Paragraph>, limits: ChunkLimits): Chunk[] {
  const { minChars = 0, maxChars = Number.POSITIVE_INFINITY } = limits;
  const chunks: Chunk[] = [];
  /** The last chunk, as long as the next paragraph may be joined to it. */
  let open: Chunk | undefined;
  const join = (to: Chunk, next: Chunk): void => {
    to.text = `${to.text}\n\n${next.text}`;
    to.end = next.end;
    to.length += 2 + next.length;
  };
  /** At the end of a section: what is too short goes to the chunk before it, if there is room. */
  const close = (): void => {
    const before = chunks.at(-2);
    if (open && open.length < minChars && before && sameSection(before, open)) {
      if (before.length + 2 + open.length <= maxChars) {
        join(before, open);
        chunks.pop();
      }
    }
    open = undefined;
  };
  for (const paragraph of paragraphs) {
    if (open && !sameSection(open, paragraph)) close();
    // What is cut anyway leaves room for what is too short before it.
    const taken = open && open.length < minChars ? open.length + 2 : 0;
    for (const part of cut(paragraph, minChars, maxChars, taken < maxChars ? taken : 0)) {
      if (open && open.length < minChars && open.length + 2 + part.length <= maxChars) {
        join(open, part);
      } else {
        open = part;
        chunks.push(part);
      }
    }
  }
  close();
  return chunks;
}

/** Chunks as items of a file, with their places; those that are too short are turned away. */
export function chunkItems(
  paragraphs: Iterable<Paragraph>,
  limits: ChunkLimits,
  toRecord: (chunk: Paragraph) => JsonObject,
): Item[] {
  return chunksOf(paragraphs, limits).map((chunk, index): Item => {
    const place = { record: index + 1, line: chunk.line };
    if (chunk.length >= (limits.minChars ?? 0)) return { ...place, value: toRecord(chunk), raw: chunk.text };
    const reason = `${chunk.length} characters; min_chars is ${limits.minChars}`;
    return { ...place, code: 'too_short', reason, raw: showRaw(chunk.text) };
  });
}

function sameSection({ section: a }: Paragraph, { section: b }: Paragraph): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.length === b.length && a.every((heading, index) => heading === b[index]);
}

/** Parts of a paragraph, of which the first is `taken` characters shorter than the others may be. */
function cut(paragraph: Paragraph, minChars: number, maxChars: number, taken: number): Chunk[] {
  const { text, start, end } = paragraph;
  if (text.length <= maxChars) return [{ ...paragraph, length: charsIn(text) }];
  const units = Array.from(text);
  if (units.length <= maxChars) return [{ ...paragraph, length: units.length }];
  // Of a text that is not the file's own (marks are stripped) the places of its parts are not known.
  const isSource = end - start === units.length;
  const parts: Chunk[] = [];
  let lines = 0;
  for (let from = 0; from < units.length; ) {
    const rest = units.length - from;
    const limit = from === 0 ? maxChars - taken : maxChars;
    // The last two parts share what is left, so that the last is not too short.
    const most = Math.max(1, Math.min(limit, Math.max(rest - minChars - 1, minChars)));
    const to = rest <= limit ? units.length : from + goodEnd(units, from, most);
    let [first, last] = [from, to];
    while (first < last && isSpace(units[first]!)) first++;
    while (last > first && isSpace(units[last - 1]!)) last--;
    for (let at = from; at < first; at++) if (units[at] === '\n') lines++;
    if (last > first)
      parts.push({
        ...paragraph,
        text: units.slice(first, last).join(''),
        length: last - first,
        line: isSource ? paragraph.line + lines : paragraph.line,
        start: isSource ? start + first : start,
        end: isSource ? start + last : end,
      });
    for (let at = first; at < to; at++) if (units[at] === '\n') lines++;
    from = to;
  }
  return parts;
}

/** The length of the longest beginning of at most `most` characters that ends well, but not before half of that. */
function goodEnd(units: readonly string[], from: number, most: number): number {
  const least = Math.max(1, most >> 1);
  let word = 0;
  let sentence = 0;
  for (let length = most; length >= least; length--) {
    const last = units[from + length - 1]!;
    const next = units[from + length];
    if (last === '\n' || next === '\n') return length;
    if (
      !sentence &&
      (/[。！？｡]/.test(last) || (next !== undefined && isSpace(next) && /[.!?…؟۔।]/.test(last)))
    )
      sentence = length;
    if (!word && (isSpace(last) || (next !== undefined && isSpace(next)))) word = length;
  }
  if (sentence || word) return sentence || word;
  // Not inside of what is one character to the eye, if that is possible.
  for (let length = most; length >= least; length--)
    if (!isContinuation(units[from + length]) && units[from + length - 1] !== zeroWidthJoiner) return length;
  return most;
}

const zeroWidthJoiner = '\u200d';

/** Whether a character belongs to the one before it: a mark, a joiner, a variation, a skin tone. */
function isContinuation(unit: string | undefined): boolean {
  return unit !== undefined && /^(?:\p{M}|\u200d|[\u{1f3fb}-\u{1f3ff}])$/u.test(unit);
}

function isSpace(unit: string): boolean {
  return /^\s$/u.test(unit);
}

/** Unicode code points of a text. */
export function charsIn(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xd800 || (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) continue;
    count--;
    at++;
  }
  return count;
}

/** Turns places in UTF-16 code units of a text into places in characters (Unicode code points). */
export function charPlaces(text: string): (place: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (place) => place;
  const places = new Uint32Array(text.length + 1);
  let chars = 0;
  for (let at = 0; at < text.length; at++) {
    places[at] = chars;
    const isHigh = (text.charCodeAt(at) & 0xfc00) === 0xd800;
    if (!isHigh || (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) chars++;
  }
  places[text.length] = chars;
  return (place) => places[place]!;
}
