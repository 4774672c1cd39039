import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnNames, sniffDelimiter } from './csv-dialect.ts';
import { CsvParser, type CsvRecord } from './csv-parser.ts';

function parse(text: string, cuts: number[] = [], delimiter = ','): CsvRecord[] {
  const parser = new CsvParser({ delimiter, quote: '"' });
  const records: CsvRecord[] = [];
  let at = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b).filter((place) => place < text.length)) {
    records.push(...parser.push(text.slice(at, cut), false));
    at = cut;
  }
  return [...records, ...parser.push(text.slice(at), false), ...parser.push('', true)];
}

const fields = (text: string): string[][] => parse(text).map((record) => record.fields);
const flaws = (text: string): (string | undefined)[] => parse(text).map((record) => record.flaw?.code);

describe('CsvParser', () => {
  const cell = fc.array(fc.constantFrom('a', 'ü', '"', ',', ';', '\n', '\r\n', '\r', ' ', '😀', "'"), {
    maxLength: 6,
  });
  const table = fc.integer({ min: 2, max: 4 }).chain((width) =>
    fc.array(
      fc.array(
        cell.map((units) => units.join('')),
        { minLength: width, maxLength: width },
      ),
      { minLength: 1, maxLength: 8 },
    ),
  );

  it('reads any table that was written, cut anywhere', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.array(fc.nat(200)),
        (rows, end, ended, cuts) => {
          const write = (value: string): string =>
            /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
          // A line end settles that CR alone is text.
          const text = `x,y${end}${rows.map((row) => row.map(write).join(',')).join(end)}${ended ? end : ''}`;
          const records = parse(text, [...cuts.map((cut) => cut + 4), text.length]);
          expect(records.slice(1).map((record) => record.fields)).toEqual(rows);
          expect(records.every((record) => record.flaw === undefined)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives the same for any text however it is cut', () => {
    const text = fc
      .array(fc.constantFrom('a', '"', ',', '\n', '\r'), { maxLength: 40 })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (body, cuts) => {
        const whole = `h\n${body}`;
        expect(
          parse(
            whole,
            cuts.map((cut) => cut + 2),
          ),
        ).toEqual(parse(whole));
      }),
      { numRuns: 2000 },
    );
  });

  it('loses no line: every line is in a record, blank, or a line of a quoted field', () => {
    const text = fc
      .array(fc.constantFrom('a', '"', ',', '\n'), { maxLength: 30 })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(text, (body) => {
        const covered = new Set<number>();
        for (const record of parse(body)) {
          const lines = record.flaw ? 1 : record.raw.split('\n').length;
          for (let line = record.line; line < record.line + lines; line++) {
            expect(covered.has(line)).toBe(false);
            covered.add(line);
          }
        }
        body.split('\n').forEach((line, index) => {
          if (line !== '') expect(covered.has(index + 1)).toBe(true);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('turns away the line of a wrong quote, and goes on', () => {
    expect(fields('a,b\n1,"x\n2,y\n3,z\n')).toEqual([['a', 'b'], [], ['2', 'y'], ['3', 'z']]);
    expect(flaws('a,b\n1,"x\n2,y\n')).toEqual([undefined, 'unclosed_quote', undefined]);
    expect(flaws('a,b\n"1"x,2\n3,4\n')).toEqual([undefined, 'text_after_quote', undefined]);
    expect(parse('a,b\n"1"x,2\n')[1]!.flaw).toMatchObject({ column: 4 });
  });

  it('knows CR as a line end where there is no LF', () => {
    expect(fields('a,b\r1,"x\ry"\r\r2,z')).toEqual([
      ['a', 'b'],
      ['1', 'x\ry'],
      ['2', 'z'],
    ]);
    expect(parse('a\rb\rc').map((record) => record.line)).toEqual([1, 2, 3]);
  });

  it('tells quoted from empty, and counts lines', () => {
    const records = parse('a,b\n"",\n"x\n\ny",z\nlast,1\n');
    expect(records[1]!.quoted).toEqual([true, false]);
    expect(records.map((record) => record.line)).toEqual([1, 2, 3, 6]);
  });

  it('gives up on a quote that is never closed without reading everything again', () => {
    const parser = new CsvParser({ delimiter: ',', quote: '"' });
    parser.push('a,b\n"open,1\n', false);
    const block = `${'x'.repeat(99)}\n`.repeat(2600);
    let count = 0;
    for (let round = 0; round < 40; round++) count += parser.push(block, false).length;
    count += parser.push('', true).length;
    expect(count).toBe(1 + 40 * 2600);
  });
});

describe('dialect', () => {
  it.each([
    ['a,b,c\n1,2,3\n', ','],
    ['a;b\n1,5;2\n', ';'],
    ['a\tb\n1,5,6\t2\n', '\t'],
    ['a|b|c\n', '|'],
    ['just text\nmore, text\n', ','],
    ['"a;b";c\n1;2\n', ';'],
    ['name;text, and more\nx;y\nz;w\n', ';'],
    ['', ','],
  ])('%j is separated by %j', (text, delimiter) => {
    expect(sniffDelimiter(text, '"')).toBe(delimiter);
  });

  it('makes names of any header unique', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('', ' ', 'a', 'a_2', 'a_3', 'column_1', '__proto__')),
        (header) => {
          const { names } = columnNames(header);
          expect(new Set(names).size).toBe(header.length);
          expect(names.every((name) => name.trim() !== '')).toBe(true);
        },
      ),
    );
    expect(columnNames(['id', 'text', 'text', '']).names).toEqual(['id', 'text', 'text_2', 'column_4']);
  });
});
