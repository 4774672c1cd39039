import type { Json, JsonObject } from '../../engine/json.ts';
import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import { type Flaw, type Item, showRaw } from './found.ts';
import { loneSurrogateFlaw, parseJson } from './json-text.ts';
import { notAnObject } from './jsonl.ts';
import type { SourceFile } from './source-files.ts';
import { type Reading, wholeText } from './text-blocks.ts';

/** JSON is read whole: a file with more UTF-16 code units than this is refused (a string of V8 ends near 2^29). */
const longestJson = 256 * 1024 * 1024;

/**
 * Reads a JSON file: an array of objects, an object whose member `field` (or whose only array of objects) is one, or
 * a single object, which is a row. A file that is not JSON is a StepError.
 */
export async function* readJson(
  file: SourceFile,
  reading: Reading,
  options: { field?: string | undefined },
): AsyncGenerator<Item[]> {
  const text = await wholeText(file, reading, longestJson);
  if (text === undefined) {
    throw new StepError(
      'file-too-big',
      `${file.name} has more than ${longestJson / 2 ** 20} Mi characters; a .json file is read whole`,
      `Write it as JSON Lines, which is streamed: jq -c '.[]' ${file.name} > rows.jsonl`,
    );
  }
  const parsed = parseJson(text, reading.notes);
  if ('flaw' in parsed) throw notJson(file, text, parsed.flaw, parsed.offset);
  const { records, depth, member } = recordsOf(parsed.value, options.field, file);
  const fromBytes = !text.isWellFormed();
  const clean = !fromBytes && !parsed.surrogates;
  let lines: number[] | undefined;
  const lineOf = (record: number): number | null => {
    lines ??= depth === undefined ? [1] : elementLines(text, depth, member);
    return lines[record - 1] ?? null;
  };
  const items: Item[] = [];
  for (const [index, value] of records.entries()) {
    const flaw = flawOf(value, clean, fromBytes);
    if (flaw) {
      items.push({
        record: index + 1,
        line: lineOf(index + 1),
        raw: showRaw(JSON.stringify(value)),
        ...flaw,
      });
    } else {
      items.push({ record: index + 1, line: null, lineOf, value: value as JsonObject, raw: undefined });
    }
    if (items.length === 1000) {
      yield items.splice(0);
      reading.signal.throwIfAborted();
    }
  }
  if (items.length > 0) yield items;
}

function flawOf(value: Json, clean: boolean, fromBytes: boolean): Flaw | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return notAnObject(value);
  if (clean) return undefined;
  return loneSurrogateFlaw(value, fromBytes);
}

/** The records in a parsed file, and how deep they stand: 1 in an array, 2 in a member's array, undefined if it is one. */
function recordsOf(
  value: Json,
  field: string | undefined,
  file: SourceFile,
): { records: Json[]; depth?: 1 | 2; member?: string } {
  if (field !== undefined) {
    const member = isObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
    if (Array.isArray(member)) return { records: member, depth: 2, member: field };
    const names = isObject(value) ? Object.keys(value) : [];
    const message = `${file.name} has no array under "${field}"`;
    throw new StepError(
      'no-records',
      message,
      suggestion(field, names, 'it has') ?? 'It has no fields at all.',
    );
  }
  if (Array.isArray(value)) return { records: value, depth: 1 };
  if (!isObject(value)) return { records: [value] };
  const arrays = Object.keys(value).filter((key) => {
    const member = value[key];
    return Array.isArray(member) && member.some(isObject);
  });
  if (arrays.length > 1) {
    throw new StepError(
      'no-records',
      `${file.name} holds several arrays of objects: ${arrays.join(', ')}`,
      `Say which one has the rows: field: ${arrays[0]}`,
    );
  }
  const only = arrays[0];
  return only === undefined
    ? { records: [value] }
    : { records: value[only] as Json[], depth: 2, member: only };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notJson(file: SourceFile, text: string, flaw: Flaw, offset: number | undefined): StepError {
  if (offset === undefined) return new StepError('invalid-json', `${file.name}: ${flaw.reason}`);
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const start = before.lastIndexOf('\n') + 1;
  const stop = text.indexOf('\n', offset);
  const around = showRaw(
    text.slice(Math.max(start, offset - 40), stop < 0 ? offset + 40 : Math.min(stop, offset + 40)),
  );
  const afterEnd = flaw.reason.includes('after the end of the value');
  return new StepError(
    'invalid-json',
    `${file.name}:${line}:${offset - start + 1}: ${flaw.reason}${around.trim() === '' ? '' : `, in: ${around.trim()}`}`,
    afterEnd
      ? 'If it holds an object a line, it is JSON Lines: add format: jsonl'
      : 'Mend the file at that place.',
  );
}

/** Lines on which the elements of the records' array start. The text is valid JSON. */
function elementLines(text: string, depth: 1 | 2, member: string | undefined): number[] {
  const lines: number[] = [];
  let line = 1;
  let level = 0;
  let inRecords = depth === 1;
  let expectElement = false;
  let key = '';
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]!;
    if (unit === '\n') line++;
    if (' \t\r\n'.includes(unit)) continue;
    if (expectElement && unit !== ']') {
      lines.push(line);
      expectElement = false;
    }
    if (unit === '"') {
      const start = at + 1;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (level === 1 && depth === 2) key = text.slice(start, at);
    } else if (unit === '[' || unit === '{') {
      level++;
      if (level === depth && unit === '[' && (depth === 1 || JSON.parse(`"${key}"`) === member)) {
        lines.length = 0; // the last array of that name is the one that counts
        inRecords = true;
        expectElement = true;
      }
    } else if (unit === ']' || unit === '}') {
      if (level === depth) inRecords = false;
      expectElement = false;
      level--;
    } else if (unit === ',') {
      expectElement = inRecords && level === depth;
    }
  }
  return lines;
}
