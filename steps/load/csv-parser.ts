import { type Flaw, longestRecord, showRaw } from './found.ts';
import { endsWithCr } from './lines.ts';

/** A CSV record: its fields, or what is wrong with its first line. */
export interface CsvRecord {
  /** Line it starts on, from 1. */
  line: number;
  fields: string[];
  /** Which fields stood in quotes; undefined if none did. */
  quoted: boolean[] | undefined;
  /** As it stands in the file. */
  raw: string;
  flaw: Flaw | undefined;
}

export interface CsvDialect {
  delimiter: string;
  /** The quote character; empty for none. */
  quote: string;
}

/**
 * Splits text into CSV records (RFC 4180; quotes doubled inside quotes; LF, CR LF, or CR alone in a file without LF).
 * A quote inside an unquoted field is text. Where quotes are wrong, only the record's first line is turned away, and
 * reading goes on with the next line: one stray quote does not swallow the rest of a file.
 */
export class CsvParser {
  readonly #delimiter: string;
  readonly #quote: string;
  #text = '';
  #line = 1;
  #crOnly: boolean | undefined;
  /** The rest of a line that is too long is dropped. */
  #dropping = false;

  constructor(dialect: CsvDialect) {
    this.#delimiter = dialect.delimiter;
    this.#quote = dialect.quote;
  }

  /** Takes a block of text, gives the records that it completes. `last` says that no more comes. */
  push(block: string, last: boolean): CsvRecord[] {
    this.#text += block;
    const text = this.#text;
    if (text === '') return [];
    this.#crOnly ??= endsWithCr(text);
    const records: CsvRecord[] = [];
    let at = this.#dropping ? this.#drop(text) : 0;
    let quote = -1;
    while (at < text.length) {
      const end = this.#lineEnd(text, at);
      if (end < 0 && !last) break;
      const stop = end < 0 ? text.length : end;
      // Without a quote before the line's end, the line is the record.
      if (quote < at) quote = this.#quote === '' ? Infinity : text.indexOf(this.#quote, at);
      if (quote < 0) quote = Infinity;
      if (quote >= stop) {
        if (end >= 0 && this.#mayBeCut(text, end, last)) break;
        const raw = text.slice(at, this.#withoutCr(text, at, stop));
        if (raw !== '') this.#add(records, raw.split(this.#delimiter), undefined, raw, undefined);
        this.#line++;
        at = this.#afterEnd(text, stop);
        continue;
      }
      const record = this.#quotedRecord(text, at, last);
      if (record === undefined) {
        if (text.length - at <= longestRecord) break;
        // Longer than any record may be: its opening quote was never closed.
      }
      if (record === undefined || record.flaw) {
        if (end < 0 && !last) break;
        const flaw = record?.flaw ?? this.#unclosed(text, at);
        this.#add(records, [], undefined, text.slice(at, this.#withoutCr(text, at, stop)), flaw);
        this.#line++;
        at = this.#afterEnd(text, stop);
        continue;
      }
      const raw = text.slice(at, record.stop);
      if (raw !== '') this.#add(records, record.fields, record.quoted, raw, undefined);
      this.#line += 1 + this.#endsInside(raw);
      at = this.#afterEnd(text, record.end);
    }
    this.#text = text.slice(at);
    if (this.#text.length > longestRecord) {
      const reason = `more than ${longestRecord} characters in one record`;
      this.#add(records, [], undefined, this.#text.slice(0, 1000), { code: 'too_long', reason });
      this.#text = '';
      this.#dropping = true;
    }
    return records;
  }

  #drop(text: string): number {
    const end = this.#lineEnd(text, 0);
    if (end < 0) return text.length;
    this.#dropping = false;
    this.#line++;
    return this.#afterEnd(text, end);
  }

  #add(
    records: CsvRecord[],
    fields: string[],
    quoted: boolean[] | undefined,
    raw: string,
    flaw: Flaw | undefined,
  ): void {
    records.push({ line: this.#line, fields, quoted, raw: flaw ? showRaw(raw) : raw, flaw });
  }

  #unclosed(text: string, at: number): Flaw {
    const column = text.indexOf(this.#quote, at) - at + 1;
    return { code: 'unclosed_quote', reason: `a quote is opened and not closed`, column };
  }

  /** Offset of the next line end (the CR in CR files, the LF elsewhere), -1 if there is none. */
  #lineEnd(text: string, from: number): number {
    return text.indexOf(this.#crOnly ? '\r' : '\n', from);
  }

  /** A CR at the end of the block, whose LF may come with the next one. */
  #mayBeCut(text: string, end: number, last: boolean): boolean {
    return !last && text.charCodeAt(end) === 0x0d && end === text.length - 1;
  }

  #afterEnd(text: string, end: number): number {
    return text.charCodeAt(end) === 0x0d && text.charCodeAt(end + 1) === 0x0a ? end + 2 : end + 1;
  }

  #withoutCr(text: string, start: number, stop: number): number {
    return stop > start && text.charCodeAt(stop - 1) === 0x0d ? stop - 1 : stop;
  }

  #endsInside(raw: string): number {
    let count = 0;
    for (let at = this.#lineEnd(raw, 0); at >= 0; at = this.#lineEnd(raw, this.#afterEnd(raw, at))) count++;
    return count;
  }

  /** Reads a record that has a quote in it; undefined if the text ends before it does. */
  #quotedRecord(
    text: string,
    start: number,
    last: boolean,
  ): { fields: string[]; quoted: boolean[]; stop: number; end: number; flaw?: Flaw } | undefined {
    const { length } = this.#delimiter;
    const fields: string[] = [];
    const quoted: boolean[] = [];
    let at = start;
    for (;;) {
      if (text.charAt(at) !== this.#quote) {
        const end = this.#lineEnd(text, at);
        const lineStop = end < 0 ? text.length : end;
        const next = text.indexOf(this.#delimiter, at);
        if (next >= 0 && next < lineStop) {
          fields.push(text.slice(at, next));
          quoted.push(false);
          at = next + length;
          continue;
        }
        if (!last && (end < 0 || this.#mayBeCut(text, end, last))) return undefined;
        const stop = this.#withoutCr(text, at, lineStop);
        fields.push(text.slice(at, stop));
        quoted.push(false);
        return { fields, quoted, stop, end: lineStop };
      }
      const value = this.#quotedField(text, at);
      // What follows the closing quote decides, so at least two units (CR LF) must be there.
      if (value === undefined || (!last && value.after + Math.max(2, length) > text.length)) {
        if (!last) return undefined;
        if (value === undefined) return { fields, quoted, stop: at, end: at, flaw: this.#unclosed(text, at) };
      }
      fields.push(value.text);
      quoted.push(true);
      at = value.after;
      if (text.startsWith(this.#delimiter, at)) {
        at += length;
        continue;
      }
      if (at >= text.length) return { fields, quoted, stop: at, end: at };
      const end = this.#lineEnd(text, at);
      if (end >= 0 && this.#withoutCr(text, at, end) === at) return { fields, quoted, stop: at, end };
      if (end < 0 && last && text.slice(at) === '\r') return { fields, quoted, stop: at, end: text.length };
      const flaw: Flaw = {
        code: 'text_after_quote',
        reason: 'text after a closing quote; a quote inside quotes is written twice',
        column: at - start + 1,
      };
      return { fields, quoted, stop: at, end: at, flaw };
    }
  }

  #quotedField(text: string, start: number): { text: string; after: number } | undefined {
    let value = '';
    let from = start + 1;
    for (;;) {
      const close = text.indexOf(this.#quote, from);
      if (close < 0) return undefined;
      if (text.charAt(close + 1) !== this.#quote)
        return { text: value + text.slice(from, close), after: close + 1 };
      value += text.slice(from, close + 1);
      from = close + 2;
    }
  }
}
