import { readArrow } from './arrow.ts';
import type { ChunkLimits } from './chunks.ts';
import { type CodeOptions, readCode } from './code.ts';
import { type CsvOptions, readCsv } from './csv.ts';
import type { Item } from './found.ts';
import { readHtml } from './html.ts';
import { readJson } from './json.ts';
import { readJsonl } from './jsonl.ts';
import { readMarkdown } from './markdown.ts';
import { readParquet } from './parquet.ts';
import { readPdf } from './pdf.ts';
import type { SourceFile } from './source-files.ts';
import { readText, type SampleBy } from './text.ts';
import type { Reading } from './text-blocks.ts';

/** What the formats may be told. */
export interface ReaderOptions {
  csv: CsvOptions;
  /** Member of a JSON file's object that holds the records. */
  field: string | undefined;
  sampleBy: SampleBy | undefined;
  limits: ChunkLimits;
  strip: boolean;
  code: CodeOptions['code'];
  /** Parquet columns that are needed; all if undefined. */
  columns: readonly string[] | undefined;
}

/**
 * Streams a file's records, good and bad, in batches, in the order of the file. A file that cannot be read to its
 * end throws a StepError, after what could be read.
 */
export function readFile(file: SourceFile, reading: Reading, options: ReaderOptions): AsyncGenerator<Item[]> {
  switch (file.format) {
    case 'jsonl':
      return readJsonl(file, reading);
    case 'json':
      return readJson(file, reading, options);
    case 'csv':
      return readCsv(file, reading, options.csv);
    case 'tsv':
      return readCsv(file, reading, { ...options.csv, delimiter: options.csv.delimiter ?? '\t' });
    case 'parquet':
      return readParquet(file, reading, options);
    case 'arrow':
      return readArrow(file, reading, options);
    case 'txt':
      return readText(file, reading, options);
    case 'md':
      return readMarkdown(file, reading, options);
    case 'code':
      return readCode(file, reading, options);
    case 'pdf':
      return readPdf(file, reading, options);
    case 'html':
      return readHtml(file, reading, options);
  }
}
