import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { bytesOf } from './bytes.ts';
import { type ChunkLimits, chunkItems, type Paragraph } from './chunks.ts';
import type { Item } from './found.ts';
import { type PdfText, pdfParagraphs } from './pdf-paragraphs.ts';
import type { SourceFile } from './source-files.ts';
import { type SampleBy, unknownSample } from './text.ts';
import type { Reading } from './text-blocks.ts';

/** A PDF is read whole: a bigger one is refused. */
const largest = 512 * 1024 * 1024;

/**
 * Reads a PDF file's text by PDF.js: a row of the whole with its number of `pages`, or a row a page or paragraph with its
 * `page`, and `title` and `author` where the file says them. One without any text (a scan) is turned away; one that is
 * locked or damaged is a StepError.
 */
export async function* readPdf(
  file: SourceFile,
  reading: Reading,
  options: { sampleBy: SampleBy | undefined; limits: ChunkLimits },
): AsyncGenerator<Item[]> {
  const { sampleBy = 'document' } = options;
  if (sampleBy === 'line') throw unknownSample(file, sampleBy, 'PDF');
  const { pages, fields } = await textOfPdf(file, reading);
  const words = pages.map((paragraphs) => paragraphs.join('\n\n'));
  if (words.every((text) => text === '')) {
    const count = pages.length === 1 ? 'its page' : `its ${pages.length} pages`;
    yield [
      { record: 1, line: null, raw: '', code: 'missing_text', reason: `no text on ${count}: scans, perhaps` },
    ];
  } else if (sampleBy === 'document') {
    const text = words.filter((page) => page !== '').join('\n\n');
    yield [{ record: 1, line: null, value: { text, pages: pages.length, ...fields }, raw: undefined }];
  } else if (sampleBy === 'page') {
    const items = words.map((text, index): Item => {
      return { record: index + 1, line: null, value: { text, page: index + 1, ...fields }, raw: undefined };
    });
    yield items.filter((_, index) => words[index] !== '');
  } else {
    const paragraphs = pages.flatMap((page, index): Paragraph[] =>
      page.map((text) => ({ text, start: 0, end: 0, line: 1, section: index + 1 })),
    );
    const items = chunkItems(paragraphs, options.limits, ({ text, section }) => {
      return { text, page: section as number, ...fields };
    });
    yield items.map((item) => ({ ...item, line: null }));
  }
}

async function textOfPdf(
  file: SourceFile,
  reading: Reading,
): Promise<{ pages: string[][]; fields: JsonObject }> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bytesOf(file, reading.onRead)) {
    size += part.length;
    if (size > largest)
      throw new StepError(
        'file-too-big',
        `${file.name} has more than ${largest / 2 ** 20} MiB; a PDF file is read whole`,
        'Split it into several files.',
      );
    parts.push(part);
  }
  const { getDocumentProxy } = await import('unpdf');
  try {
    // PDF.js takes the bytes over, and speaks to the console unless it is told not to.
    const document = await getDocumentProxy(new Uint8Array(Buffer.concat(parts)), { verbosity: 0 });
    try {
      const { info } = (await document.getMetadata()) as { info: { Title?: unknown; Author?: unknown } };
      const said = (value: unknown): string => (typeof value === 'string' ? value.toWellFormed().trim() : '');
      const [title, author] = [said(info.Title), said(info.Author)];
      const pages: string[][] = [];
      for (let number = 1; number <= document.numPages; number++) {
        reading.signal.throwIfAborted();
        const page = await document.getPage(number);
        const { items } = await page.getTextContent();
        pages.push(pdfParagraphs(items.filter((item): item is typeof item & PdfText => 'str' in item)));
        page.cleanup();
      }
      return { pages, fields: { ...(title && { title }), ...(author && { author }) } };
    } finally {
      await document.loadingTask.destroy();
    }
  } catch (error) {
    reading.signal.throwIfAborted();
    const isLocked = (error as Error).name === 'PasswordException';
    throw new StepError(
      'damaged-file',
      isLocked
        ? `${file.name} is locked by a password`
        : `${file.name} cannot be read as PDF: ${(error as Error).message}`,
      isLocked
        ? 'Save it without one: qpdf --decrypt --password=… in.pdf out.pdf'
        : 'Check that it was copied whole.',
    );
  }
}
