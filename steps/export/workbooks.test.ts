import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { StepInput } from '../../engine/step.ts';
import { runStep, tableInput } from '../../test/run-step.ts';
import exportStep from './index.ts';

const step = (rows: Row[]): StepInput => ({
  step: 'topics',
  use: 'cluster',
  metrics: {},
  output: 'rows',
  outputs: { rows: tableInput(rows) },
});

async function written(tables: Record<string, Row[]>, path: string) {
  const inputs = Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, step(rows)]));
  const [first, again] = [
    await runStep(exportStep, { with: { path }, inputs }),
    await runStep(exportStep, { with: { path }, inputs }),
  ].map((result) => ({ ...result, bytes: Object.values(result.files['file']!)[0]! }));
  expect(again!.bytes.equals(first!.bytes)).toBe(true);
  return first!;
}

/** The files of a ZIP archive by its directory, with their checksums checked. */
function unzipped(bytes: Buffer): Record<string, string> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const files: Record<string, string> = {};
  for (let at = bytes.readUInt32LE(end + 16), left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, start] = [bytes.readUInt16LE(at + 28), bytes.readUInt32LE(at + 42)];
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const from = start + 30 + nameLength;
    const content = inflateRawSync(bytes.subarray(from, from + bytes.readUInt32LE(at + 20)));
    expect(crc32(content)).toBe(bytes.readUInt32LE(at + 16));
    expect(content.length).toBe(bytes.readUInt32LE(at + 24));
    files[name] = content.toString();
    at += 46 + nameLength;
  }
  return files;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', '#13': '\r' };
/** A text as Excel reads it: XML first, then the escapes of ST_Xstring. */
const textOf = (xml: string) =>
  xml
    .replace(/&(amp|lt|gt|#13);/g, (_, name: string) => entities[name]!)
    .replace(/_x([0-9A-F]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

function cells(sheet: string): unknown[][] {
  return [...sheet.matchAll(/<row r="\d+">(.*?)<\/row>/gs)].map(([, row]) =>
    [...row!.matchAll(/<c r="([A-Z]+)\d+"( s="1")?( t="(\w+)")?>(.*?)<\/c>/gs)].map((match) => {
      const [, , , , type, content] = match;
      const [, value] = /<(?:v|t xml:space="preserve")>(.*)<\/(?:v|t)>/s.exec(content!)!;
      return type === 'inlineStr' ? textOf(value!) : type === 'b' ? value === '1' : Number(value);
    }),
  );
}

it('xlsx: cells have the types of values, and no text is a formula', async () => {
  const rows: Row[] = [
    { id: 'a', text: '=1+1', n: -2.5, ok: true, list: ['x', null] },
    { id: 'b', text: ' <&> \r\n _x0041_ \u0000😀\ud800 ', n: 2 ** 40, ok: false, list: [] },
    { id: 'c', text: null, n: null, ok: null, list: null },
  ];
  const { bytes, warnings, metrics } = await written({ topics: rows }, 'x.xlsx');
  expect(warnings).toEqual([]);
  expect(metrics).toEqual({ rows: 3, bytes: bytes.length });
  const files = unzipped(bytes);
  const sheet = files['xl/worksheets/sheet1.xml']!;
  expect(cells(sheet)).toEqual([
    ['id', 'text', 'n', 'ok', 'list'],
    ['a', '=1+1', -2.5, true, '["x",null]'],
    ['b', ' <&> \r\n _x0041_ \u0000😀\ufffd ', 2 ** 40, false, '[]'],
    ['c'],
  ]);
  expect(sheet).toContain('state="frozen"');
  expect(sheet).toContain('<autoFilter ref="A1:E4"/>');
  expect(sheet).not.toContain('<f>');
  expect(files['xl/workbook.xml']).toContain('<sheet name="topics" sheetId="1"');
});

it('xlsx: a sheet for each input, also without rows; a text too long for a cell is cut, and that is said', async () => {
  const long = [{ id: 'a', text: 'x'.repeat(40_000) }];
  const { bytes, warnings, metrics } = await written({ 'a/b': long, empty: [] }, 'x.xlsx');
  const files = unzipped(bytes);
  expect(files['xl/workbook.xml']).toMatch(/name="a b".*name="empty"/);
  const cell = cells(files['xl/worksheets/sheet1.xml']!)[1]![1] as string;
  expect([cell.length, cell.at(-1)]).toEqual([32_767, '…']);
  expect(cells(files['xl/worksheets/sheet2.xml']!)).toEqual([['id']]);
  expect(warnings[0]).toContain('1 text was too long for a cell of Excel');
  expect(metrics).toMatchObject({ rows: 1 });
  const several = { with: { path: 'x.csv' }, inputs: { a: step(long), b: step(long) } };
  await expect(runStep(exportStep, several)).rejects.toMatchObject({ code: 'export-inputs' });
});

it('xlsx: any text is read back', async () => {
  const any = fc.array(
    fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed()),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(any, async (texts) => {
      const rows = texts.map((text, index) => ({ id: `${index}`, text }));
      const { bytes } = await written({ rows }, 'x.xlsx');
      const [, ...read] = cells(unzipped(bytes)['xl/worksheets/sheet1.xml']!);
      expect(read.map(([, text]) => text)).toEqual(texts);
    }),
    { numRuns: 30 },
  );
});

it('sqlite: a table for each input', async () => {
  const rows: Row[] = [
    { id: 'b', text: "it's \u0000 'x'", n: 1, x: 0.5, ok: true, list: ['x'], mixed: 1 },
    { id: 'a', text: '', n: 2 ** 40, x: 2, ok: false, list: null, mixed: 'text' },
  ];
  const { bytes } = await written({ topics: rows, 'odd "name"': [{ id: '1', 'a b': null }] }, 'x.sqlite');
  const path = join(mkdtempSync(join(tmpdir(), 'reprise-test-')), 'x.db');
  writeFileSync(path, bytes);
  using database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare('SELECT * FROM topics ORDER BY id DESC').all()).toEqual([
    { id: 'b', text: "it's \u0000 'x'", n: 1, x: 0.5, ok: 1, list: '["x"]', mixed: '1' },
    { id: 'a', text: '', n: 2 ** 40, x: 2, ok: 0, list: null, mixed: '"text"' },
  ]);
  expect(database.prepare('SELECT * FROM "odd ""name"""').all()).toEqual([{ id: '1', 'a b': null }]);
  await expect(written({ t: [{ id: '1', A: 1, a: 2 }] }, 'x.db')).rejects.toMatchObject({
    code: 'column-names',
  });
});

it('refuses what SQLite has no name or no room for, and keeps apart what it does', async () => {
  const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`c${index}`, index]));
  await expect(written({ t: [{ id: '1', ...wide }] }, 'a.db')).rejects.toMatchObject({
    code: 'too-big-for-format',
    message: 'a table of SQLite holds 2000 columns, and t has 2001',
  });
  const rows = [{ id: '1' }];
  await expect(written({ A: rows, a: rows }, 'a.db')).rejects.toMatchObject({ code: 'export-inputs' });
  await expect(written({ SQLite_rows: rows }, 'a.db')).rejects.toMatchObject({ code: 'export-inputs' });
  await expect(written({ t: [{ id: '1', 'a\0b': 1 }] }, 'a.db')).rejects.toMatchObject({
    code: 'column-names',
  });
  const { bytes } = await written({ Ä: [{ id: '1', Ü: 1, ü: 2 }], ä: rows }, 'a.db');
  const path = join(mkdtempSync(join(tmpdir(), 'reprise-')), 'a.db');
  writeFileSync(path, bytes);
  using database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare('SELECT * FROM "Ä"').all()).toEqual([{ id: '1', Ü: 1, ü: 2 }]);
});
