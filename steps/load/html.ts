import type { JsonObject } from '../../engine/json.ts';
import { type ChunkLimits, charPlaces, chunkItems, type Paragraph } from './chunks.ts';
import { encodings } from './decode.ts';
import type { Item } from './found.ts';
import { type HtmlBlock, htmlBlocks, htmlHead } from './html-blocks.ts';
import type { SourceFile } from './source-files.ts';
import { type SampleBy, textItem, unknownSample, wholeDocument } from './text.ts';
import type { Reading } from './text-blocks.ts';

/**
 * Reads a page as one row: `text`, `title` (else the first heading), `language` (the page's own word for it). Or as
 * chunks of its paragraphs, without code, each with its headings and its place in the file.
 */
export async function* readHtml(
  file: SourceFile,
  reading: Reading,
  options: { sampleBy: SampleBy | undefined; limits: ChunkLimits },
): AsyncGenerator<Item[]> {
  const { sampleBy = 'document' } = options;
  if (sampleBy !== 'document' && sampleBy !== 'paragraph') throw unknownSample(file, sampleBy, 'HTML');
  const { text, encoding } = await pageText(file, reading);
  if (text === '') return;
  const { parse } = await import('parse5');
  let chunks: Item[] | undefined;
  const whole = textItem(text, 1, 1, { ...reading, encoding }, (source) => {
    const document = parse(source, { sourceCodeLocationInfo: true });
    const blocks = htmlBlocks(document);
    const { title = blocks.find(({ kind }) => kind === 'heading')?.text, language } = htmlHead(document);
    const fields: JsonObject = {
      ...(title !== undefined && { title: title.toWellFormed() }),
      ...(language !== undefined && { language: language.toWellFormed() }),
    };
    if (sampleBy === 'paragraph') chunks = chunked(source, blocks, fields, options.limits);
    return { ...fields, text: blocks.map((block) => block.text).join('\n\n') };
  });
  if (chunks) yield chunks;
  else if (sampleBy === 'document' || 'code' in whole) yield [whole];
}

/** Decoded as its byte order mark says, as UTF-8, or, where it is none, as its own `<meta charset>` says. */
async function pageText(file: SourceFile, reading: Reading): Promise<{ text: string; encoding: string }> {
  const text = await wholeDocument(file, reading);
  if (reading.encoding !== 'auto' || text.isWellFormed()) return { text, encoding: reading.encoding };
  const said = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(text.slice(0, 2048))?.[1]?.toLowerCase();
  const encoding = said === 'iso-8859-1' ? 'windows-1252' : said;
  if (encoding === undefined || !encodings.includes(encoding)) return { text, encoding: 'auto' };
  return { text: await wholeDocument(file, { ...reading, encoding, onRead: () => {} }), encoding };
}

function chunked(
  text: string,
  blocks: readonly HtmlBlock[],
  fields: JsonObject,
  limits: ChunkLimits,
): Item[] {
  const charAt = charPlaces(text);
  const paragraphs = function* (): Generator<Paragraph> {
    for (const { kind, text: own, start, end, line, headings } of blocks)
      if (kind === 'text')
        yield { text: own, start: charAt(start), end: charAt(end), line, section: headings };
  };
  return chunkItems(paragraphs(), limits, ({ text: own, section, start, end, line }) => ({
    text: own,
    headings: [...(section as string[])],
    start,
    end,
    line,
    ...fields,
  }));
}
