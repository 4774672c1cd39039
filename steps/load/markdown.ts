import type { Json, JsonObject } from '../../engine/json.ts';
import { type ChunkLimits, chunkItems, type Paragraph } from './chunks.ts';
import { setField } from './fields.ts';
import type { Item, Notes } from './found.ts';
import { freeName } from './mapping.ts';
import { atxHeading, markdownParagraphs } from './markdown-paragraphs.ts';
import type { SourceFile } from './source-files.ts';
import { type SampleBy, textItem, unknownSample, wholeDocument } from './text.ts';
import type { Reading } from './text-blocks.ts';

export interface MarkdownOptions {
  /** A row a file, or a row a chunk of paragraphs. */
  sampleBy: SampleBy | undefined;
  strip: boolean;
  limits: ChunkLimits;
}

/**
 * Reads a Markdown file as one row: `text`, `title` (the first heading, unless the front matter has one) and the
 * fields of its YAML front matter. Or as chunks of paragraphs, each with its headings and its place in the file.
 */
export async function* readMarkdown(
  file: SourceFile,
  reading: Reading,
  options: MarkdownOptions,
): AsyncGenerator<Item[]> {
  const { sampleBy = 'document' } = options;
  if (sampleBy !== 'document' && sampleBy !== 'paragraph') throw unknownSample(file, sampleBy, 'Markdown');
  const text = await wholeDocument(file, reading);
  if (text === '') return;
  const { parse } = await import('yaml');
  const isChunked = sampleBy === 'paragraph';
  let chunks: Item[] | undefined;
  const whole = textItem(text, 1, 1, reading, (whole) => {
    const { fields, body } = frontMatter(whole, parse, file.name, reading.notes);
    const title = firstHeading(withoutFences(body));
    const row: JsonObject = {};
    if (title !== undefined) row['title'] = title;
    for (const key of Object.keys(fields)) if (key !== 'text') setField(row, key, fields[key]!);
    if (isChunked) chunks = chunked(whole, whole.length - body.length, row, options);
    else row['text'] = options.strip ? stripMarkdown(body) : body;
    return row;
  });
  if (!isChunked) yield [whole];
  else if (chunks) yield chunks;
  else if ('code' in whole) yield [whole];
}

function chunked(text: string, body: number, fields: JsonObject, options: MarkdownOptions): Item[] {
  const own = ['text', 'headings', 'start', 'end', 'line'];
  const rest: JsonObject = {};
  for (const name of Object.keys(fields))
    setField(rest, own.includes(name) ? freeName(name, fields) : name, fields[name]!);
  const paragraphs = function* (): Generator<Paragraph> {
    for (const paragraph of markdownParagraphs(text, body)) {
      const stripped = options.strip ? stripMarkdown(paragraph.text) : paragraph.text;
      if (stripped !== '') yield { ...paragraph, text: stripped };
    }
  };
  return chunkItems(paragraphs(), options.limits, ({ text, section, start, end, line }) => ({
    text,
    headings: [...(section as string[])],
    start,
    end,
    line,
    ...structuredClone(rest),
  }));
}

function frontMatter(
  text: string,
  parse: (source: string, options: object) => unknown,
  name: string,
  notes: Notes,
): { fields: JsonObject; body: string } {
  const match = !text.startsWith('---')
    ? null
    : /^---[ \t]*\r?\n([\s\S]*?)\r?\n?^(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/m.exec(text);
  if (match?.index !== 0) return { fields: {}, body: text };
  try {
    const value = toPlain(parse(match[1]!, { schema: 'core', logLevel: 'error', maxAliasCount: 100 }), 0);
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return { fields: value, body: text.slice(match[0].length) };
    if (value === null) return { fields: {}, body: text.slice(match[0].length) };
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    notes.messages.add(`${name}: its front matter is left in the text, since it is not YAML: ${why}`);
  }
  return { fields: {}, body: text };
}

/** YAML's values as JSON: what JSON cannot say becomes a text. */
function toPlain(value: unknown, depth: number): Json {
  if (depth > 50) throw new Error('nested more than 50 levels deep');
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1));
  if (typeof value !== 'object') return String(value);
  const object: JsonObject = {};
  for (const key of Object.keys(value))
    setField(object, key.toWellFormed(), toPlain((value as Record<string, unknown>)[key], depth + 1));
  return object;
}

/** The text without fenced code blocks (CommonMark 0.31, section 4.5); one that is not closed goes to the end. */
function withoutFences(text: string): string {
  const kept: string[] = [];
  let open: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (open !== undefined) {
      if (fence && fence[1]!.startsWith(open) && fence[2]!.trim() === '') open = undefined;
    } else if (fence && !(fence[1]!.startsWith('`') && fence[2]!.includes('`'))) {
      open = fence[1]!;
    } else {
      kept.push(line);
    }
  }
  return kept.join('\n');
}

function firstHeading(text: string): string | undefined {
  for (const [line] of text.matchAll(/^#{1,6}[ \t].*$/gm)) {
    const title = atxHeading(line)?.title;
    if (title) return title;
  }
  return undefined;
}

function withoutComments(text: string): string {
  let kept = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf('<!--', at);
    const end = start < 0 ? -1 : text.indexOf('-->', start + 4);
    if (end < 0) return kept + text.slice(at);
    kept += text.slice(at, start);
    at = end + 3;
  }
}

/**
 * Markdown as plain text: code fences, comments, tags and images go; links keep their words; marks of headings, lists,
 * quotes and emphasis go. An approximation by patterns, for words to be counted or embedded, not a renderer.
 */
export function stripMarkdown(text: string): string {
  return withoutComments(withoutFences(text))
    .replace(/!\[([^\]\n]{0,1000})\]\([^)\n]{0,2000}\)/g, '$1')
    .replace(/\[([^\]\n]{1,1000})\]\([^)\n]{0,2000}\)/g, '$1')
    .replace(/\[([^\]\n]{1,1000})\]\[[^\]\n]{0,1000}\]/g, '$1')
    .replace(/^ {0,3}\[[^\]\n]+\]:[ \t].*$/gm, '')
    .replace(/<(https?:[^<>\s]+)>/g, '$1')
    .replace(/<\/?[a-zA-Z][^<>\n]*>/g, '')
    .replace(/^ {0,3}#{1,6}(?:[ \t].*)?$/gm, (line) => atxHeading(line)?.title ?? line)
    .replace(/^ {0,3}(?:[-*_][ \t]*){3,}$/gm, '')
    .replace(/^[ \t]*(?:\|[ \t]*)?:?-{3,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*(?:\|[ \t]*)?$/gm, '')
    .replace(/^[ \t]*>[ \t]?/gm, '')
    .replace(/^([ \t]*)(?:[-*+]|\d+[.)])[ \t]+/gm, '$1')
    .replace(/(\*\*|__)(?=\S)([^\n]{0,500}?\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}])([*_])(?=\S)([^\n*_]{0,500}?\S)\1(?![\p{L}\p{N}])/gu, '$2')
    .replace(/`{1,20}([^`\n]+)`{1,20}/g, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
