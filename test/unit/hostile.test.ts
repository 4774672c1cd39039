import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson, type JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import exportStep from '../../steps/export/index.ts';
import load from '../../steps/load/index.ts';
import { folderWith, runStep, type StepOutputs, tableInput } from '../run-step.ts';

const hostile = join(import.meta.dirname, '..', 'hostile');

interface Expectation {
  file: string;
  rows?: number;
  lines?: number;
  bad_rows?: number[];
}

/** Runs `load`; a StepError is a value, anything else thrown fails the test. */
async function tryLoad(root: string, path: string, more: JsonObject = {}): Promise<StepOutputs | StepError> {
  try {
    const result = await runStep(load, { root, with: { path, max_rejected: '100%', ...more } });
    const { records, rows, rejected } = result.metrics;
    expect(rows).toBe(result.tables['rows']!.length);
    expect(rejected).toBe(result.tables['rejected']!.length);
    expect(records).toBe(Number(rows) + Number(rejected));
    for (const row of result.tables['rows']!) expect(canonicalJson(row).isWellFormed()).toBe(true);
    for (const row of result.tables['rejected']!) expect(row['reason']).toMatch(/\S/);
    if (rejected !== 0) expect(result.warnings.join()).toContain('rejected');
    return result;
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
}

function loaded(result: StepOutputs | StepError): StepOutputs {
  if (result instanceof StepError) throw new Error(`${result.code}: ${result.message}`);
  return result;
}

describe('crafted files', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'reprise-hostile-'));
    cpSync(join(hostile, 'crafted'), root, { recursive: true });
    const long = JSON.stringify({ id: 2, text: 'word '.repeat(400_000) });
    writeFileSync(join(root, 'long_line_2mb.jsonl'), `{"id":1,"text":"a"}\n${long}\n{"id":3,"text":"b"}\n`);
    writeFileSync(join(root, 'long_token_200k.txt'), `${'x'.repeat(200_000)}\n`);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  /** What INDEX.json leaves open. */
  const refused: Record<string, string> = {
    'trailing_comma.json': 'trailing_comma.json:1:21: not JSON: a comma before }',
    'deep_nesting_10000.json': 'nested 10000 levels deep',
    'yaml_norway.yaml': 'extension .yaml',
  };
  const special: Record<string, { with?: JsonObject; rows?: number; bad?: number[] }> = {
    'concatenated_no_newline.jsonl': { rows: 0, bad: [1] },
    'ragged.csv': { rows: 1, bad: [2, 3, 4] },
    'windows1251.txt': { with: { encoding: 'windows-1251' } },
    'koi8r.txt': { with: { encoding: 'koi8-r' } },
  };
  const index = JSON.parse(readFileSync(join(hostile, 'crafted', 'INDEX.json'), 'utf8')) as Expectation[];

  it.each(index.map((entry) => [entry.file, entry] as const))('%s', async (file, expected) => {
    const result = await tryLoad(root, file, special[file]?.with);
    if (file in refused || file.endsWith('.yaml')) {
      expect(result).toBeInstanceOf(StepError);
      expect((result as StepError).message).toContain(refused[file] ?? 'extension .yaml');
      return;
    }
    const { rows, rejected } = loaded(result).tables;
    expect(rejected!.map((row) => row['record'])).toEqual(special[file]?.bad ?? expected.bad_rows ?? []);
    const records = expected.rows ?? expected.lines;
    if (records !== undefined) expect(rows!.length + rejected!.length).toBe(records);
    if (special[file]?.rows !== undefined) expect(rows!.length).toBe(special[file].rows);
  });

  it('reads what the files hold', async () => {
    const rows = async (path: string, more: JsonObject = {}): Promise<Row[]> =>
      loaded(await tryLoad(root, path, more)).tables['rows']!;
    expect((await rows('bom_utf8.csv', { id: 'id' })).map((row) => row.id)).toEqual(['1', '2']);
    expect((await rows('windows1251.txt', { encoding: 'windows-1251' }))[0]!['text']).toMatch(
      /^[\p{Script=Cyrillic}\p{P}\s]+/u,
    );
    expect((await rows('koi8r.txt', { encoding: 'koi8-r' }))[0]!['text']).toMatch(
      /^[\p{Script=Cyrillic}\p{P}\s]+/u,
    );
    expect(
      (await rows('semicolon_decimal_comma.csv', { id: 'id' })).map((row) => [row['text'], row['score']]),
    ).toEqual([
      ['привет', '0,5'],
      ['a;b', '1,25'],
    ]);
    expect((await rows('tabs.tsv'))[0]!['text']).toBe('a "quote in the middle" b');
    expect((await rows('quoted_newlines.csv', { id: 'id' })).map((row) => row['text'])).toEqual([
      'line one\nline two',
      'he said "hi", then left',
      '  spaces  ',
    ]);
    expect((await rows('duplicate_headers.csv'))[0]).toMatchObject({
      original_id: '1',
      text: 'a',
      text_2: 'b',
      column_4: 'c',
    });
    expect((await rows('nul_bytes.txt'))[0]!['text']).toBe('before\0after');
    expect((await rows('big_numbers.jsonl', { id: 'id' })).map((row) => [row.id, row['v']])).toEqual([
      ['9007199254740993', '1e400'],
      ['-9007199254740993', '1e-400'],
      ['3', 0.1],
      ['4', 0],
    ]);
  });

  it('keeps keys that shadow Object.prototype as data', async () => {
    const { tables } = loaded(await tryLoad(root, 'proto_pollution.jsonl', { id: 'id' }));
    expect(Object.getOwnPropertyNames(tables['rows']![0])).toContain('__proto__');
    expect(({} as JsonObject)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(tables['rows']![0])).toBe(Object.prototype);
    expect(tables['rows']![2]).toMatchObject({ toString: 'not a function', hasOwnProperty: 1 });
  });

  it('rejects repeated ids, and 1 after "1"', async () => {
    const { tables, warnings } = loaded(await tryLoad(root, 'duplicate_ids.jsonl', { id: 'id' }));
    expect(tables['rows']!.map((row) => row.id)).toEqual(['a', 'A', '1']);
    expect(tables['rejected']!.map((row) => [row['line'], row['code']])).toEqual([
      [2, 'repeated_id'],
      [5, 'repeated_id'],
    ]);
    expect(warnings[0]).toContain('2 of 5 records rejected (2 repeated id)');
  });

  it('rejects what has no text or id, if those are asked for', async () => {
    const { tables } = loaded(
      await tryLoad(root, 'missing_and_null_fields.jsonl', { id: 'id', text: 'text' }),
    );
    expect(tables['rows']!.map((row) => [row.id, row['text']])).toEqual([
      ['3', ''],
      ['7', '7'],
    ]);
    expect(tables['rejected']!.map((row) => row['reason'])).toEqual([
      'the field text is missing',
      'the field text is null',
      'text is an array, not a text',
      'text is an object, not a text',
      'the field id is missing',
    ]);
  });

  it('reads a name with spaces and Cyrillic letters', async () => {
    const name = 'имя с пробелами и кириллицей.jsonl';
    cpSync(join(root, 'cyrillic_name.jsonl'), join(root, name));
    expect(loaded(await tryLoad(root, name)).tables['rows']).toHaveLength(1);
  });
});

describe('JSONTestSuite', () => {
  const folder = join(hostile, 'json-test-suite');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const refusedAsJson = (result: StepOutputs | StepError): boolean =>
    result instanceof StepError ||
    result.tables['rejected']!.some((row) => row['code'] === 'invalid_encoding');

  it.each(['y_', 'n_', 'i_'])('%s', async (kind) => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => name.startsWith(kind))) {
      const result = await tryLoad(folder, file);
      // An empty or blank file is no JSON, and no records either: zero rows.
      const nothing = !(result instanceof StepError) && result.metrics['records'] === 0;
      if (kind === 'y_' && refusedAsJson(result)) wrong.push(`${file}: ${(result as StepError).message}`);
      if (kind === 'n_' && !refusedAsJson(result))
        wrong.push(`${file}: ${nothing ? 'no records' : 'accepted'}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(['y_', 'n_'])('%s, as JSON Lines', async (kind) => {
    const lines: Buffer[] = [];
    for (const file of files.filter((name) => name.startsWith(kind))) {
      const bytes = readFileSync(join(folder, file));
      if (!bytes.includes(10) && bytes.toString('utf8').trim() !== '') lines.push(bytes, Buffer.from('\n'));
    }
    const root = folderWith({ 'x.jsonl': Buffer.concat([Buffer.from('{}\n'), ...lines]) });
    const { tables, metrics } = loaded(await tryLoad(root, 'x.jsonl'));
    expect(metrics['records']).toBe(lines.length / 2 + 1);
    const codes = tables['rejected']!.map((row) => row['code']);
    if (kind === 'y_') expect(codes).not.toContain('invalid_json');
    else expect(tables['rows']).toHaveLength(1);
    rmSync(root, { recursive: true });
  });
});

describe('csv-spectrum', () => {
  const folder = join(hostile, 'csv-spectrum');
  it.each(readdirSync(join(folder, 'csvs')))('%s', async (file) => {
    let text = readFileSync(join(folder, 'csvs', file), 'utf8');
    // The files with CR LF were stored with LF.
    if (file.includes('_crlf')) text = text.replaceAll('\n', '\r\n');
    const root = folderWith({ [file]: text });
    const expected = JSON.parse(
      readFileSync(join(folder, 'json', `${basename(file, '.csv')}.json`), 'utf8'),
    ) as JsonObject[];
    const { tables } = loaded(await tryLoad(root, file));
    expect(tables['rows']!.map(({ id: _, ...fields }) => fields)).toEqual(expected);
    rmSync(root, { recursive: true });
  });
});

describe('naughty strings', () => {
  const strings = JSON.parse(readFileSync(join(hostile, 'naughty-strings', 'blns.json'), 'utf8')) as string[];
  const rows: Row[] = strings.map((text, index) => ({ id: String(index), text }));
  const table = {
    step: 'x',
    use: 'load',
    metrics: {},
    output: 'rows',
    outputs: { rows: tableInput(rows) },
  };

  it.each(['jsonl', 'csv', 'tsv', 'parquet'])('survive %s', async (format) => {
    const { files } = await runStep(exportStep, { with: { path: `x.${format}` }, inputs: { x: table } });
    const root = folderWith({ [`x.${format}`]: files['file']![`x.${format}`]! });
    const { tables } = loaded(await tryLoad(root, `x.${format}`, { id: 'id' }));
    expect(tables['rows']).toEqual(rows);
    rmSync(root, { recursive: true });
  });

  it('are lines of a text file', async () => {
    const { tables } = loaded(await tryLoad(join(hostile, 'naughty-strings'), 'blns.txt'));
    const lines = readFileSync(join(hostile, 'naughty-strings', 'blns.txt'), 'utf8').split('\n');
    expect(tables['rows']!.map((row) => row['text'])).toEqual(
      lines.filter((line) => !/^[ \t\r]*$/.test(line)),
    );
  });

  it('are what people say to a model, and paragraphs of Markdown and HTML', async () => {
    const chats = strings.map((text) =>
      JSON.stringify({ messages: [{ role: 'user', content: `${text}.` }] }),
    );
    const escaped = strings.map((text) => `<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}`);
    const root = folderWith({
      'chats.jsonl': `${chats.join('\n')}\n`,
      'a.md': strings.join('\n\n'),
      'a.html': escaped.join('\n'),
    });
    const chat = loaded(await tryLoad(root, 'chats.jsonl', { shape: 'auto', turns: 'first_user' }));
    expect(chat.tables['rows']!.map((row) => row['text'])).toEqual(strings.map((text) => `${text}.`));
    for (const path of ['a.md', 'a.html']) {
      const { rows } = loaded(await tryLoad(root, path, { sample_by: 'paragraph', max_chars: 60 })).tables;
      expect(rows!.length).toBeGreaterThan(400);
      for (const row of rows!) expect([...String(row['text'])].length).toBeLessThanOrEqual(60);
    }
    rmSync(root, { recursive: true });
  });
});
