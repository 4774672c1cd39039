import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { pieceLength } from './jsonl.ts';

export interface CsvWriteOptions {
  /** What separates fields. */
  delimiter: string;
  /** A byte order mark, by which Excel knows UTF-8. */
  bom: boolean;
  /** An apostrophe before texts that a spreadsheet would run as formulas. */
  escapeFormulas: boolean;
  /** Hears how many texts a spreadsheet would run as formulas, at the end. */
  onFormulas?: (count: number) => void;
}

/**
 * CSV by RFC 4180 in UTF-8, with a header; lines end with LF. A text stands in quotes where it has to, and where it
 * is empty, so that it differs from null, which is an empty field. Objects and arrays are JSON.
 */
export async function* writeCsv(
  blocks: AsyncIterable<readonly Row[]>,
  columns: readonly string[],
  options: CsvWriteOptions,
): AsyncGenerator<Uint8Array> {
  const { delimiter, escapeFormulas } = options;
  const special = new RegExp(`["\\r\\n]|${RegExp.escape(delimiter)}`);
  let formulas = 0;
  const field = (value: Json | undefined): string => {
    if (value === null || value === undefined) return '';
    if (typeof value !== 'string' && typeof value !== 'object') return String(value);
    let text = typeof value === 'string' ? value : JSON.stringify(value);
    if (isFormula(text)) {
      formulas++;
      if (escapeFormulas) text = `'${text}`;
    }
    return text === '' || special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  // A lone column's null would be an empty line, which is no record.
  const only = columns.length === 1;
  const header = columns.map((name) => field(name)).join(delimiter);
  formulas = 0;
  yield Buffer.from(`${options.bom ? '\ufeff' : ''}${header}\n`);
  for await (const block of blocks) {
    let text = '';
    for (const row of block) {
      for (let index = 0; index < columns.length; index++) {
        const name = columns[index]!;
        if (index > 0) text += delimiter;
        text += field(Object.hasOwn(row, name) ? row[name] : undefined) || (only ? '""' : '');
      }
      text += '\n';
      if (text.length < pieceLength) continue;
      yield Buffer.from(text);
      text = '';
    }
    if (text !== '') yield Buffer.from(text);
  }
  if (formulas > 0) options.onFormulas?.(formulas);
}

/** OWASP, CSV injection: what begins with = + - @ tab or CR. Numbers are none. */
function isFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?%?$/.test(text);
}
