import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { allColumns, columnsOf, type TableSource } from './columns.ts';
import { pieceLength } from './jsonl.ts';
import { writeZip, type ZipEntry } from './zip.ts';

/** A table of a workbook, under the name of its sheet. */
export interface Sheet {
  name: string;
  table: TableSource;
  columns?: readonly string[] | undefined;
}

/** What a sheet of Excel holds at most ("Excel specifications and limits"). */
const mostRows = 1_048_576;
const mostColumns = 16_384;
const mostUnits = 32_767;

/**
 * An Office Open XML workbook (ECMA-376), a sheet a table: header in bold and frozen, with a filter. Numbers, booleans and
 * texts are cells of their own type, so that no text is a formula; objects and lists are JSON; null is no cell.
 *
 * @param onCut hears how many texts were too long for a cell and were cut, at the end
 */
export async function* writeXlsx(
  sheets: readonly Sheet[],
  onCut?: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  const cut = { count: 0 };
  const names = sheetNames(sheets.map(({ name }) => name));
  async function* entries(): AsyncGenerator<ZipEntry> {
    yield file('[Content_Types].xml', contentTypes(sheets.length));
    yield file('_rels/.rels', packageRelations);
    yield file('xl/workbook.xml', workbook(names));
    yield file('xl/_rels/workbook.xml.rels', workbookRelations(sheets.length));
    yield file('xl/styles.xml', styles);
    for (const [index, { table, columns }] of sheets.entries()) {
      const all = await allColumns(table, columnsOf(table, columns));
      if (all.length > mostColumns) throw tooMany(`${all.length} columns`, `${mostColumns}`);
      yield { name: `xl/worksheets/sheet${index + 1}.xml`, content: sheetXml(table, all, cut) };
    }
  }
  yield* writeZip(entries());
  if (cut.count > 0) onCut?.(cut.count);
}

async function* sheetXml(
  table: TableSource,
  columns: readonly string[],
  cut: { count: number },
): AsyncGenerator<Uint8Array> {
  const letters = columns.map((_, index) => columnLetters(index));
  const lengths = columns.map((name) => name.length);
  const cells = (values: readonly (Json | undefined)[], row: number, style: string): string =>
    values.map((value, index) => cell(value, `${letters[index]}${row}`, style, cut)).join('');
  let text = '';
  let rows = 1;
  for await (const block of withOneAtLeast(table.blocks())) {
    if (rows === 1) {
      for (const row of block.slice(0, 100))
        for (const [index, name] of columns.entries())
          lengths[index] = Math.max(lengths[index]!, shownLength(own(row, name)));
      text = `${sheetHead(lengths)}<row r="1">${cells(columns, 1, ' s="1"')}</row>`;
    }
    for (const row of block) {
      if (++rows > mostRows) throw tooMany('more rows', `${mostRows - 1} with a header`);
      text += `<row r="${rows}">${cells(
        columns.map((name) => own(row, name)),
        rows,
        '',
      )}</row>`;
      if (text.length < pieceLength) continue;
      yield Buffer.from(text);
      text = '';
    }
  }
  const range = columns.length > 0 ? `<autoFilter ref="A1:${letters.at(-1)}${rows}"/>` : '';
  yield Buffer.from(`${text}</sheetData>${range}</worksheet>`);
}

async function* withOneAtLeast(blocks: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  let some = false;
  for await (const block of blocks) {
    some = true;
    yield block;
  }
  if (!some) yield [];
}

function cell(value: Json | undefined, at: string, style: string, cut: { count: number }): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return `<c r="${at}"${style}><v>${value}</v></c>`;
  if (typeof value === 'boolean') return `<c r="${at}"${style} t="b"><v>${value ? 1 : 0}</v></c>`;
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length > mostUnits) {
    cut.count++;
    text = `${text.slice(0, mostUnits - 1).replace(/[\ud800-\udbff]$/, '')}…`;
  }
  return `<c r="${at}"${style} t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const unholdable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** XML's own characters, and those that XML cannot hold as `_xHHHH_` (ECMA-376, ST_Xstring). */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
      .replace(unholdable, (char) => `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // A bare one would be read as a line feed.
      .replaceAll('\r', '&#13;')
  );
}

function own(row: Row, name: string): Json | undefined {
  return Object.hasOwn(row, name) ? row[name] : undefined;
}

function shownLength(value: Json | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'string' ? (value.split('\n', 1)[0]?.length ?? 0) : JSON.stringify(value).length;
}

/** A, …, Z, AA, …: bijective base 26. */
function columnLetters(index: number): string {
  let letters = '';
  for (let left = index + 1; left > 0; left = Math.floor((left - 1) / 26))
    letters = String.fromCharCode(65 + ((left - 1) % 26)) + letters;
  return letters;
}

/** What Excel takes as names of sheets: up to 31 characters, none of `[]:*?/\`, different beyond their case. */
function sheetNames(wanted: readonly string[]): string[] {
  const seen = new Set<string>();
  return wanted.map((name) => {
    const clean =
      name
        .replace(/[[\]:*?/\\]/g, ' ')
        .replace(/^'+|'+$/g, '')
        .slice(0, 31)
        .trim() || 'rows';
    let free = clean;
    for (let count = 2; seen.has(free.toLowerCase()); count++)
      free = `${clean.slice(0, 30 - `${count}`.length)} ${count}`;
    seen.add(free.toLowerCase());
    return free;
  });
}

function tooMany(what: string, most: string): StepError {
  return new StepError(
    'too-big-for-format',
    `a sheet of Excel holds ${most}, and the table has ${what}`,
    'Write .csv or .parquet, or fewer of them: columns: [id, text], or a step sample before.',
  );
}

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packageRelationNames = 'http://schemas.openxmlformats.org/package/2006/relationships';

function file(name: string, text: string): ZipEntry {
  return { name, content: [Buffer.from(declaration + text)] };
}

function contentTypes(sheets: number): string {
  const kind = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  const parts = Array.from(
    { length: sheets },
    (_, index) =>
      `<Override PartName="/xl/worksheets/sheet${index + 1}.xml" ContentType="${kind}.worksheet+xml"/>`,
  );
  return `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${kind}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${kind}.styles+xml"/>${parts.join('')}</Types>`;
}

const packageRelations = `<Relationships xmlns="${packageRelationNames}"><Relationship Id="rId1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`;

function workbook(names: readonly string[]): string {
  const sheets = names.map(
    (name, index) =>
      `<sheet name="${escaped(name).replaceAll('"', '&quot;')}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
  );
  return `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${sheets.join('')}</sheets></workbook>`;
}

function workbookRelations(sheets: number): string {
  const parts = Array.from(
    { length: sheets },
    (_, index) =>
      `<Relationship Id="rId${index + 1}" Type="${relations}/worksheet" Target="worksheets/sheet${index + 1}.xml"/>`,
  );
  return `<Relationships xmlns="${packageRelationNames}">${parts.join('')}<Relationship Id="rId${sheets + 1}" Type="${relations}/styles" Target="styles.xml"/></Relationships>`;
}

/** Two formats of cells: plain, and bold for the header. */
const styles = `<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

/** The header row is frozen; widths are in characters, by what the first rows hold. */
function sheetHead(lengths: readonly number[]): string {
  const widths = lengths.map((length, index) => {
    const width = Math.min(60, Math.max(8, length + 2));
    return `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`;
  });
  const columns = widths.length > 0 ? `<cols>${widths.join('')}</cols>` : '';
  return `${declaration}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>${columns}<sheetData>`;
}
