import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type Flaw, type Item, longestRecord, showRaw } from './found.ts';
import { encodingFlaw, tooLong } from './jsonl.ts';
import { linesOf } from './lines.ts';
import type { SourceFile } from './source-files.ts';
import { type Reading, textBlocks, wholeText } from './text-blocks.ts';

export const samplings = ['line', 'paragraph', 'page', 'document'] as const;
/** What makes a row of a text. */
export type SampleBy = (typeof samplings)[number];

/** The error for a sampling that a format does not have. */
export function unknownSample(file: SourceFile, sampleBy: SampleBy, format: string): StepError {
  return new StepError(
    'unknown-format',
    `${file.name} is ${format}, which has no sample_by: ${sampleBy}`,
    'Add sample_by: paragraph, or sample_by: document',
  );
}

/**
 * Reads plain text: a row for each line (lines of spaces only are none), paragraph (lines up to an empty one) or
 * whole file, under `text`.
 */
export async function* readText(
  file: SourceFile,
  reading: Reading,
  options: { sampleBy: SampleBy | undefined },
): AsyncGenerator<Item[]> {
  if (options.sampleBy === 'page') throw unknownSample(file, 'page', 'plain text');
  if (options.sampleBy === 'document') {
    const text = await wholeDocument(file, reading);
    if (text !== '') yield [textItem(text, 1, 1, reading, (whole) => ({ text: whole }))];
    return;
  }
  const paragraphs = options.sampleBy === 'paragraph';
  let record = file.part?.records ?? 0;
  let parts: string[] = [];
  let length = 0;
  let start = 1;
  const items: Item[] = [];
  const add = (text: string, line: number, tooLongBy?: number): void => {
    record++;
    if (tooLongBy !== undefined) items.push({ record, line, raw: showRaw(text), ...tooLong(tooLongBy) });
    else items.push(textItem(text, record, line, reading, (whole) => ({ text: whole })));
  };
  const endParagraph = (): void => {
    if (length > longestRecord) add(parts[0]!.slice(0, 1000), start, length);
    else if (parts.length > 0) add(parts.join('\n'), start);
    parts = [];
    length = 0;
  };
  for await (const lines of linesOf(textBlocks(file, reading), longestRecord, file.part?.lines)) {
    for (const line of lines) {
      const blank = /^[ \t\r]*$/.test(line.text);
      if (!paragraphs) {
        if (!blank) add(line.text, line.number, line.tooLong);
      } else if (blank) {
        endParagraph();
      } else {
        if (parts.length === 0) start = line.number;
        length += line.tooLong ?? line.text.length;
        if (length <= longestRecord || parts.length === 0) parts.push(line.text);
      }
    }
    if (items.length > 0) yield items.splice(0);
  }
  endParagraph();
  if (items.length > 0) yield items;
}

/** The text of a file that is one row. */
export async function wholeDocument(file: SourceFile, reading: Reading): Promise<string> {
  const text = await wholeText(file, reading, longestRecord);
  if (text === undefined) {
    throw new StepError(
      'file-too-big',
      `${file.name} has more than ${longestRecord / 2 ** 20} Mi characters, too many for one row`,
      'Add sample_by: line or sample_by: paragraph',
    );
  }
  return text;
}

/** An item for a text, unless it has bytes that the encoding does not have. */
export function textItem(
  text: string,
  record: number,
  line: number,
  reading: Reading,
  toRecord: (text: string) => JsonObject,
): Item {
  const flaw: Flaw | undefined = encodingFlaw(text, reading);
  if (flaw) return { record, line, raw: showRaw(text), ...flaw };
  return { record, line, value: toRecord(text), raw: text };
}
