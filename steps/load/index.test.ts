import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function project(files: Record<string, string | Uint8Array>): string {
  const root = folderWith(files);
  folders.push(root);
  return root;
}

function loadFiles(files: Record<string, string | Uint8Array>, parameters: JsonObject): Promise<StepOutputs> {
  return runStep(load, { root: project(files), with: parameters });
}

async function failure(
  files: Record<string, string | Uint8Array>,
  parameters: JsonObject,
): Promise<StepError> {
  const error = await loadFiles(files, parameters).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StepError);
  return error as StepError;
}

const jsonl = (...rows: JsonObject[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('ids and texts', () => {
  it('takes ids and texts from the fields named', async () => {
    const { tables } = await loadFiles(
      { 'a.jsonl': jsonl({ key: 7, question: 'why?', text: 'not this', id: 'nor this', label: 'x' }) },
      { path: 'a.jsonl', id: 'key', text: 'question' },
    );
    expect(tables['rows']).toEqual([
      { id: '7', text: 'why?', original_text: 'not this', original_id: 'nor this', label: 'x' },
    ]);
  });

  it('makes ids of the text, the same on every run and with a count for repeats', async () => {
    const rows: JsonObject[] = [{ text: 'a', n: 1 }, { text: 'b' }, { text: 'a', n: 2 }, { text: 'a' }];
    const { tables, metrics } = await loadFiles({ 'a.jsonl': jsonl(...rows) }, { path: 'a.jsonl' });
    const ids = tables['rows']!.map((row) => row.id);
    // The first 16 hex digits of printf a | sha256sum
    expect(ids).toEqual(['ca978112ca1bbdca', '3e23e8160039594a', 'ca978112ca1bbdca-2', 'ca978112ca1bbdca-3']);
    expect(metrics['repeated_texts']).toBe(2);
  });

  it('makes ids of the whole record where there is no text', async () => {
    const files = { 'a.jsonl': jsonl({ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 2 }) };
    const { tables } = await loadFiles(files, { path: 'a.jsonl' });
    const ids = tables['rows']!.map((row) => row.id);
    expect(ids[1]).toBe(`${ids[0]}-2`);
    expect(new Set(ids).size).toBe(3);
  });

  it('joins several texts', async () => {
    const { tables } = await loadFiles(
      { 'a.jsonl': jsonl({ title: 'T', body: 'B' }) },
      { path: 'a.jsonl', text: ['title', 'body'] },
    );
    expect(tables['rows']![0]).toMatchObject({ text: 'T\n\nB', title: 'T', body: 'B' });
  });

  it('rejects ids that are none', async () => {
    const { tables } = await loadFiles(
      { 'a.jsonl': jsonl({ id: '' }, { id: null }, { id: [1] }, { id: 'a\nb' }, { id: 0 }) },
      { path: 'a.jsonl', id: 'id' },
    );
    expect(tables['rejected']!.map((row) => row['code'])).toEqual([
      'missing_id',
      'missing_id',
      'invalid_id',
      'invalid_id',
    ]);
    expect(tables['rows']!.map((row) => row.id)).toEqual(['0']);
  });

  it('fails early where no record has the field', async () => {
    const packed = gzipSync(jsonl(...Array.from({ length: 12_000 }, (_, n) => ({ n, text: `${n ** 5}` }))));
    const error = await failure({ 'a.jsonl.gz': packed.subarray(0, -20) }, { path: 'a.jsonl.gz', id: 'id' });
    expect(error.code).toBe('unknown-field');
  });

  it('fails where no record has the field, with the name that was meant', async () => {
    const files = { 'a.jsonl': jsonl({ question: 'why?', key: 1 }) };
    expect(await failure(files, { path: 'a.jsonl', text: 'qestion' })).toMatchObject({
      code: 'unknown-field',
      message: 'no record of a.jsonl has the field qestion',
      hint: 'did you mean "question"?',
    });
    const { warnings } = await loadFiles(files, { path: 'a.jsonl', columns: ['key', 'lable'] });
    expect(warnings).toEqual(['no record has the field lable; the fields are: question, key']);
  });
});

describe('fields', () => {
  it('keeps, renames and casts', async () => {
    const { tables } = await loadFiles(
      { 'a.csv': 'id,text,score,ok,tags,left\n1,a,0.5,TRUE,"[1,2]",x\n2,b,,no,,y\n3,c,high,1,[],z\n' },
      {
        path: 'a.csv',
        id: 'id',
        columns: ['text', 'score', 'ok', 'tags'],
        rename: { score: 'points' },
        cast: { score: 'number', ok: 'boolean', tags: 'json' },
      },
    );
    expect(tables['rows']).toEqual([
      { id: '1', text: 'a', points: 0.5, ok: true, tags: [1, 2] },
      { id: '2', text: 'b', points: null, ok: false, tags: null },
    ]);
    expect(tables['rejected']![0]).toMatchObject({
      line: 4,
      record: 3,
      field: 'score',
      code: 'invalid_cast',
      reason: 'score is no number: high',
      raw: '3,c,high,1,[],z',
    });
  });

  it('casts times, of ISO 8601 or as datetime_format says', async () => {
    const { tables } = await loadFiles(
      {
        'a.csv':
          'at,day\n2026-11-21 09:15,31/12/69 7:05 +0100\n1767225600,1/2/26 0:00 +00:00\nsoon,1/2/26 0:00 Z\n,31/2/26 0:00 Z\n',
      },
      {
        path: 'a.csv',
        cast: { at: 'datetime', day: 'datetime' },
        datetime_format: { day: '%d/%m/%y %H:%M %z' },
      },
    );
    expect(tables['rows']!.map((row) => [row['at'], row['day']])).toEqual([
      ['2026-11-21T09:15:00.000Z', '1969-12-31T06:05:00.000Z'],
      ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
    ]);
    expect(tables['rejected']!.map((row) => row['reason'])).toEqual([
      'at is no datetime: soon',
      'day is no datetime: 31/2/26 0:00 Z',
    ]);
  });

  it('gives a name that is wanted to the field that was renamed', async () => {
    const { tables } = await loadFiles(
      { 'a.jsonl': jsonl({ a: 1, b: 2 }) },
      { path: 'a.jsonl', rename: { a: 'b' } },
    );
    expect(tables['rows']![0]).toMatchObject({ b: 1, original_b: 2 });
  });

  it('keeps what a double does not hold as digits, and says so', async () => {
    const { tables, warnings, metrics } = await loadFiles(
      { 'a.jsonl': '{"n":12345678901234567890,"m":{"deep":[1e999]},"ok":9007199254740991,"f":1e22}\n' },
      { path: 'a.jsonl' },
    );
    expect(tables['rows']![0]).toMatchObject({
      n: '12345678901234567890',
      m: { deep: ['1e999'] },
      ok: 9007199254740991,
      f: 1e22,
    });
    expect(metrics['exact_numbers']).toBe(2);
    expect(warnings[0]).toContain('2 numbers that a double does not hold');
  });
});

describe('selection', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({ id: index, text: `t${index}` }));
  const files = { 'a.jsonl': jsonl(...rows) };
  const ids = async (parameters: JsonObject, seed = 1): Promise<number[]> => {
    const root = project(files);
    const result = await runStep(load, { root, seed, with: { path: 'a.jsonl', id: 'id', ...parameters } });
    const { records, rows, rejected, left_out } = result.metrics;
    expect(records).toBe(Number(rows) + Number(rejected) + Number(left_out));
    return result.tables['rows']!.map((row) => Number(row.id));
  };

  it('skips and limits', async () => {
    expect(await ids({ skip: 10, limit: 3 })).toEqual([10, 11, 12]);
    expect(await ids({ limit: 0 })).toEqual([]);
    expect(await ids({ skip: 998 })).toEqual([998, 999]);
  });

  it('samples: the same rows for the same seed, in their order', async () => {
    const sample = await ids({ sample: 50 });
    expect(sample).toHaveLength(50);
    expect(sample).toEqual([...sample].sort((a, b) => a - b));
    expect(await ids({ sample: 50 })).toEqual(sample);
    expect(await ids({ sample: 50 }, 2)).not.toEqual(sample);
    expect(await ids({ sample: 5000 })).toHaveLength(1000);
    const tenth = await ids({ sample: 0.1 });
    expect(tenth.length).toBeGreaterThan(60);
    expect(tenth.length).toBeLessThan(140);
  });

  it('samples evenly', async () => {
    let second = 0;
    for (let seed = 0; seed < 60; seed++) second += (await ids({ limit: 2, sample: 1 }, seed))[0]!;
    expect(Math.abs(second - 30)).toBeLessThan(20);
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 40; seed++)
      for (const id of await ids({ limit: 100, sample: 10 }, seed)) counts[Math.floor(id / 10)]!++;
    // 40 draws of 10 in 10 bins: 40 each, standard deviation about 5.7
    for (const count of counts) expect(Math.abs(count - 40)).toBeLessThan(23);
  });
});

describe('files', () => {
  it('reads globs sorted, with the source', async () => {
    const { tables, metrics } = await loadFiles(
      {
        'd/b.jsonl': jsonl({ text: 'b', source: 'own' }),
        'd/a.jsonl': jsonl({ text: 'a' }),
        'd/c.csv': 'text\nc\n',
      },
      { path: ['d/*.jsonl', 'd/c.csv'] },
    );
    expect(tables['rows']!.map(({ id: _, ...row }) => row)).toEqual([
      { text: 'a', source: 'd/a.jsonl' },
      { text: 'b', source: 'd/b.jsonl', original_source: 'own' },
      { text: 'c', source: 'd/c.csv' },
    ]);
    expect(metrics['files']).toBe(3);
  });

  it('reads a file once that is named twice', async () => {
    const files = { 'd/a.jsonl': jsonl({ n: 1 }), 'd/b.jsonl': jsonl({ n: 2 }) };
    const { tables } = await loadFiles(files, { path: ['d/b.jsonl', 'd/*.jsonl'], source: false });
    expect(tables['rows']!.map(({ id: _, ...row }) => row)).toEqual([{ n: 2 }, { n: 1 }]);
  });

  it('unpacks gzip and zstd, told by their bytes, also of many parts', async () => {
    const parts = [jsonl({ n: 1 }), jsonl({ n: 2 }, { n: 3 })];
    const { tables } = await loadFiles(
      {
        'a.jsonl.gz': Buffer.concat(parts.map((part) => gzipSync(part))),
        'b.jsonl.zst': Buffer.concat(parts.map((part) => zstdCompressSync(part))),
        'c.jsonl': zstdCompressSync(parts[0]!),
      },
      { path: '*.jsonl*' },
    );
    expect(tables['rows']!.map((row) => row['n'])).toEqual([1, 2, 3, 1, 2, 3, 1]);
  });

  it('says what is there instead of a file that is not', async () => {
    const files = { 'data/queries.jsonl': jsonl({ a: 1 }), 'data/other.csv': 'a\n' };
    expect(await failure(files, { path: 'data/querys.jsonl' })).toMatchObject({
      code: 'no-file',
      message: 'there is no file data/querys.jsonl',
      hint: 'Did you mean data/queries.jsonl?',
    });
    expect(await failure(files, { path: 'datta/*.jsonl' })).toMatchObject({
      hint: 'Did you mean data/*.jsonl?',
    });
    expect(await failure(files, { path: 'data/*.txt' })).toMatchObject({
      code: 'no-file',
      message: 'no file matches data/*.txt',
      hint: 'data holds other.csv, queries.jsonl.',
    });
    expect(await failure(files, { path: 'nowhere/x/y.csv' })).toMatchObject({ code: 'no-file' });
    expect(await failure(files, { path: 'data' })).toMatchObject({
      message: 'data holds files of several formats: 1 csv, 1 jsonl',
      hint: 'Say which, as in format: csv',
    });
  });

  it('passes links over that lead nowhere, unless they are named', async () => {
    const root = folderWith({ 'd/a.csv': 'x\n1\n' });
    symlinkSync('loop.csv', join(root, 'd/loop.csv'));
    symlinkSync('gone.csv', join(root, 'd/dangling.csv'));
    symlinkSync('..', join(root, 'd/up'));
    for (const path of ['d', 'd/*.csv'])
      expect((await runStep(load, { root, with: { path } })).tables['rows']).toHaveLength(1);
    await expect(runStep(load, { root, with: { path: 'd/loop.csv' } })).rejects.toMatchObject({
      code: 'unreadable-file',
      message: 'd/loop.csv cannot be read: it is a link that leads to itself',
    });
    rmSync(root, { recursive: true });
  });

  it('says what it cannot read', async () => {
    expect(await failure({ 'a.xlsx': 'PK\u0003\u0004rest' }, { path: 'a.xlsx' })).toMatchObject({
      code: 'unknown-format',
      message: 'a.xlsx is packed as zip (or an Office document), which load does not read',
    });
    expect(await failure({ 'a.dat': 'x' }, { path: 'a.dat' })).toMatchObject({
      code: 'unknown-format',
      hint: 'Add format: jsonl | json | csv | tsv | parquet | arrow | txt | md | html | pdf | code',
    });
    const cut = gzipSync(jsonl({ a: 1 })).subarray(0, 20);
    expect(await failure({ 'a.jsonl.gz': cut }, { path: 'a.jsonl.gz' })).toMatchObject({
      code: 'damaged-file',
    });
    expect(await failure({ 'a.parquet': 'PAR1 is not enough' }, { path: 'a.parquet' })).toMatchObject({
      code: 'damaged-file',
    });
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'says why a file is unreadable',
    async () => {
      const root = project({ 'a.jsonl': '{}' });
      chmodSync(join(root, 'a.jsonl'), 0);
      await expect(runStep(load, { root, with: { path: 'a.jsonl' } })).rejects.toMatchObject({
        code: 'unreadable-file',
        message: 'a.jsonl cannot be read: permission denied',
      });
    },
  );

  it('passes folders by that a glob matches', async () => {
    const root = project({ 'd/x.jsonl': jsonl({ a: 1 }) });
    mkdirSync(join(root, 'd', 'folder.jsonl'));
    const { tables } = await runStep(load, { root, with: { path: 'd/*.jsonl' } });
    expect(tables['rows']).toHaveLength(1);
  });

  it('puts broken files into rejected, if told to', async () => {
    const good = jsonl(...Array.from({ length: 5000 }, (_, n) => ({ n, text: `row ${n} ${n ** 3}` })));
    const cut = gzipSync(good).subarray(0, 20_000);
    const { tables, metrics, warnings } = await loadFiles(
      { 'a.json': '[{"a":1},]', 'b.json': '[{"a":2}]', 'c.jsonl.gz': cut },
      { path: ['*.json', 'c.jsonl.gz'], on_bad_file: 'reject' },
    );
    const codes = tables['rejected']!.map((row) => row['code']);
    expect(codes.filter((code) => code === 'unreadable_file')).toHaveLength(2);
    expect(tables['rows']!.length).toBeGreaterThan(1);
    expect(metrics['records']).toBe(Number(metrics['rows']) + Number(metrics['rejected']));
    expect(warnings.join()).toContain('2 unreadable file');
  });

  it('says when there is nothing', async () => {
    const { tables, warnings } = await loadFiles({ 'a.jsonl': '\n\n' }, { path: 'a.jsonl', id: 'id' });
    expect(tables['rows']).toEqual([]);
    expect(warnings).toEqual(['no rows: there are no records in a.jsonl']);
  });
});

describe('the check of parameters', () => {
  const messages = (parameters: JsonObject): string[] => {
    const filled = compileSchema(load.parameters).parse({ path: 'x', ...parameters });
    return load.check!(filled).map(({ parameter, message }) => `${parameter}: ${message}`);
  };

  it('finds what a schema cannot say', () => {
    expect(messages({})).toEqual([]);
    expect(messages({ encoding: 'windows1251' })).toEqual([
      'encoding: there is no encoding windows1251; did you mean "windows-1251"?',
    ]);
    expect(messages({ sample: 1.5 })).toEqual([
      'sample: sample is a number of rows or a chance below 1, not 1.5',
    ]);
    expect(messages({ rename: { a: 'id', b: 'x', c: 'x' } })).toEqual([
      'rename: say id: a instead of renaming a to id',
      'rename: two fields are renamed to x',
      'rename: two fields are renamed to x',
    ]);
    expect(messages({ cast: { a: 'datetime' }, datetime_format: { a: '%d.%b', b: '%Y' } })).toEqual([
      'datetime_format: datetime_format of a: %b is not known; there are %Y, %y, %m, %d, %H, %M, %S, %f, %z',
      'datetime_format: datetime_format of b: say cast: { b: datetime } as well',
    ]);
    expect(messages({ delimiter: '"' })).toHaveLength(1);
  });
});

describe('rejected records', () => {
  const csv = 'id,n\n1,one\n2,two\n3,3\n';
  const cast = { n: 'integer' };

  it('fails where nothing is left, or more than max_rejected', async () => {
    const two = { 'a.csv': csv.replace('3,3\n', '') };
    expect(await failure(two, { path: 'a.csv', cast })).toMatchObject({
      code: 'records-rejected',
      message: 'no rows: 2 of 2 records rejected (2 wrong type); the first is a.csv:2: n is no integer: one',
      hint: 'mend them, or say otherwise how they are read; max_rejected: 2 lets them go',
    });
    const lets = async (limit: string | number) =>
      (await loadFiles({ 'a.csv': csv }, { path: 'a.csv', cast, max_rejected: limit })).metrics['rows'];
    expect(await lets(2)).toBe(1);
    expect(await lets('67%')).toBe(1);
    for (const limit of [1, 0, '66%'])
      expect(await failure({ 'a.csv': csv }, { path: 'a.csv', cast, max_rejected: limit })).toMatchObject({
        code: 'records-rejected',
      });
    expect((await loadFiles(two, { path: 'a.csv', cast, max_rejected: '100%' })).metrics['rows']).toBe(0);
  });

  it('suggests an encoding that has such bytes', async () => {
    const western = Buffer.from('id;text\n1;Sch\xf6n gr\xfc\xdfe\n', 'latin1');
    expect((await failure({ 'a.csv': western }, { path: 'a.csv' })).hint).toContain('encoding: windows-1252');
    const cyrillic = Buffer.from('id;text\n1;\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0\n', 'latin1');
    expect((await failure({ 'a.csv': cyrillic }, { path: 'a.csv' })).hint).toContain(
      'encoding: windows-1251',
    );
  });
});

describe('JSON', () => {
  it('reads an array, an object with an array, or one object', async () => {
    const numbers = async (text: string, more: JsonObject = {}): Promise<unknown[]> =>
      (await loadFiles({ 'a.json': text }, { path: 'a.json', ...more })).tables['rows']!.map(
        (row) => row['n'],
      );
    expect(await numbers('[{"n":1},{"n":2}]')).toEqual([1, 2]);
    expect(await numbers('{"total":2,"tags":["x"],"rows":[{"n":1},{"n":2}]}')).toEqual([1, 2]);
    expect(await numbers('{"n":3,"tags":["x"]}')).toEqual([3]);
    expect(await numbers('{"a":[{"n":1}],"b":[{"n":2}]}', { field: 'b' })).toEqual([2]);
    expect(await numbers('[]')).toEqual([]);
  });

  it('says which array, where there are several', async () => {
    const text = '{"a":[{"n":1}],"b":[{"n":2}]}';
    expect(await failure({ 'a.json': text }, { path: 'a.json' })).toMatchObject({
      message: 'a.json holds several arrays of objects: a, b',
      hint: 'Say which one has the rows: field: a',
    });
    expect(await failure({ 'a.json': text }, { path: 'a.json', field: 'rows' })).toMatchObject({
      hint: expect.stringContaining('it has: a, b'),
    });
  });

  it('names line and column of a mistake', async () => {
    expect(await failure({ 'a.json': '[\n  {"n": 1},\n  {"n": NaN}\n]' }, { path: 'a.json' })).toMatchObject({
      code: 'invalid-json',
      message: 'a.json:3:9: not JSON: NaN is not JSON; write null, in: {"n": NaN}',
    });
    expect(await failure({ 'a.json': '{"n":1}\n{"n":2}\n' }, { path: 'a.json' })).toMatchObject({
      hint: 'If it holds an object a line, it is JSON Lines: add format: jsonl',
    });
  });

  it('names the lines of elements that are no objects', async () => {
    const { tables } = await loadFiles(
      {
        'a.json':
          '{"x":[1],"rows":[1],"rows":[\n  {"n":"[,]"},\n  7, {"m":[1,2]},\n  "\\ud800",\n  {"n":"\\ud800"}]}',
      },
      { path: 'a.json', field: 'rows' },
    );
    expect(tables['rejected']!.map((row) => [row['record'], row['line'], row['code']])).toEqual([
      [2, 3, 'not_an_object'],
      [4, 4, 'not_an_object'],
      [5, 5, 'lone_surrogate'],
    ]);
  });
});

describe('text', () => {
  const text = 'one\n \ntwo\nthree\r\n\n\nfour';
  const texts = async (by: string): Promise<unknown[]> =>
    (await loadFiles({ 'a.txt': text }, { path: 'a.txt', sample_by: by })).tables['rows']!.map(
      (row) => row['text'],
    );

  it('is read by line, paragraph or document', async () => {
    expect(await texts('line')).toEqual(['one', 'two', 'three', 'four']);
    expect(await texts('paragraph')).toEqual(['one', 'two\nthree', 'four']);
    expect(await texts('document')).toEqual([text]);
  });

  it('is read with front matter and title, and stripped, from Markdown', async () => {
    const markdown = `---
tags: [a, b]
date: 2024-01-02
__proto__: 1
---
# The *title* #

A [link](http://x) and **bold**, \`code\` ![img](y.png)

\`\`\`\`md
\`\`\`ts
gone
\`\`\`
\`\`\`\`
> - item <b>one</b>
`;
    const { tables } = await loadFiles({ 'd/a.md': markdown }, { path: 'd/*.md', strip: true, id: 'source' });
    expect(tables['rows']).toEqual([
      expect.objectContaining({
        id: 'd/a.md',
        title: 'The *title*',
        tags: ['a', 'b'],
        date: '2024-01-02',
        text: 'The *title*\n\nA link and bold, code img\n\nitem one'.replace('*title*', 'title'),
      }),
    ]);
    expect(Object.getOwnPropertyNames(tables['rows']![0])).toContain('__proto__');
  });

  it('leaves front matter alone that is not YAML', async () => {
    const { tables, warnings } = await loadFiles({ 'a.md': '---\na: [\n---\ntext\n' }, { path: 'a.md' });
    expect(tables['rows']![0]!['text']).toBe('---\na: [\n---\ntext\n');
    expect(warnings[0]).toContain('a.md: its front matter is left in the text');
  });
});

describe('anything', () => {
  const formats = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'txt', 'md', 'html', 'pdf', 'code'];
  const pieces = fc.constantFrom(
    '"',
    '{',
    '}',
    '[',
    ',',
    '\n',
    '\r',
    '\\',
    'a',
    '1',
    ':',
    '---\n',
    '```',
    '\ufeff',
    'PAR1',
    '#',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.array(pieces, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
  );

  it('is read or refused, never more than that', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...formats),
        bytes,
        fc.constantFrom('auto', 'utf-16', 'windows-1251'),
        async (format, content, encoding) => {
          try {
            const { metrics } = await loadFiles({ 'a.bin': content }, { path: 'a.bin', format, encoding });
            expect(metrics['records']).toBe(Number(metrics['rows']) + Number(metrics['rejected']));
          } catch (error) {
            if (!(error instanceof StepError)) throw error;
          }
        },
      ),
      { numRuns: 250 },
    );
  });
});
