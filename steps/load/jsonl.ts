import { type Flaw, type Item, longestRecord, showRaw } from './found.ts';
import { loneSurrogateFlaw, parseJson } from './json-text.ts';
import { type Line, linesOf } from './lines.ts';
import type { SourceFile } from './source-files.ts';
import { type Reading, textBlocks } from './text-blocks.ts';

/** Reads JSON Lines: an object a line. Blank lines are no records. */
export async function* readJsonl(file: SourceFile, reading: Reading): AsyncGenerator<Item[]> {
  let record = file.part?.records ?? 0;
  for await (const lines of linesOf(textBlocks(file, reading), longestRecord, file.part?.lines)) {
    const items: Item[] = [];
    for (const line of lines) {
      const text = line.text.charCodeAt(0) === 0xfeff ? line.text.slice(1) : line.text; // from `cat a b`
      if (isBlank(text)) continue;
      record++;
      items.push(recordOf(text, line, record, reading));
    }
    if (items.length > 0) yield items;
  }
}

function isBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0d) return false;
  }
  return true;
}

function recordOf(text: string, line: Line, record: number, reading: Reading): Item {
  const flawed = (flaw: Flaw): Item => ({ record, line: line.number, raw: showRaw(text), ...flaw });
  if (line.tooLong !== undefined) return flawed(tooLong(line.tooLong));
  const undecodable = encodingFlaw(text, reading);
  if (undecodable) return flawed(undecodable);
  const parsed = parseJson(text, reading.notes);
  if ('flaw' in parsed) return flawed(parsed.flaw);
  const { value } = parsed;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return flawed(notAnObject(value));
  if (parsed.surrogates) {
    const lone = loneSurrogateFlaw(value);
    if (lone) return flawed(lone);
  }
  return { record, line: line.number, value, raw: text };
}

export function notAnObject(value: unknown): Flaw {
  const what = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return { code: 'not_an_object', reason: `${what}, not an object with fields` };
}

export function tooLong(length: number): Flaw {
  return {
    code: 'too_long',
    reason: `${length} characters in one record; at most ${longestRecord} are read`,
  };
}

/** The flaw of a text with bytes that the encoding does not have. */
export function encodingFlaw(text: string, reading: Reading): Flaw | undefined {
  if (text.isWellFormed()) return undefined;
  const at = text.search(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
  const unit = text.charCodeAt(at);
  const byte = unit >= 0xdc80 && unit <= 0xdcff;
  const what = byte ? `byte 0x${(unit - 0xdc00).toString(16)}` : `the code unit 0x${unit.toString(16)}`;
  const encoding = reading.encoding === 'auto' ? (byte ? 'UTF-8' : 'UTF-16') : reading.encoding;
  return { code: 'invalid_encoding', reason: `${what} is no text in ${encoding}`, column: at + 1 };
}
