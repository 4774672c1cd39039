import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { StepInput } from '../../engine/step.ts';
import { folderWith, matrixInput, runStep, type StepOutputs, tableInput } from '../../test/run-step.ts';
import load from '../load/index.ts';
import { writeTable } from './formats.ts';
import exportStep from './index.ts';

function step(rows: Row[]): StepInput {
  return { step: 'topics', use: 'cluster', metrics: {}, output: 'rows', outputs: { rows: tableInput(rows) } };
}

async function exported(rows: Row[], parameters: JsonObject): Promise<{ bytes: Buffer } & StepOutputs> {
  const result = await runStep(exportStep, { with: parameters, inputs: { topics: step(rows) } });
  const [bytes] = Object.values(result.files['file']!);
  return { ...result, bytes: bytes! };
}

async function roundTrip(
  rows: Row[],
  parameters: JsonObject & { path: string },
  loading: JsonObject = {},
): Promise<Row[]> {
  const first = await exported(rows, parameters);
  const again = await exported(rows, parameters);
  expect(again.bytes.equals(first.bytes)).toBe(true);
  const root = folderWith({ [parameters.path]: first.bytes });
  const { tables } = await runStep(load, { root, with: { path: parameters.path, id: 'id', ...loading } });
  rmSync(root, { recursive: true });
  expect(tables['rejected']).toEqual([]);
  return tables['rows']!;
}

/** A struct of Arrow has all members of its column: one that an object lacks is null there. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

const rows: Row[] = [
  {
    id: 'a',
    text: 'plain',
    n: 1,
    big: 2 ** 40,
    x: 0.5,
    ok: true,
    none: null,
    list: [1, 'two', null],
    mixed: 1,
  },
  { id: 'b', text: '', n: -2, big: 0, x: 1e300, ok: false, none: null, list: [], mixed: '1' },
  {
    id: 'c',
    text: 'line one\nline "two", \r\nthree; \t',
    n: 2 ** 31 - 1,
    big: -(2 ** 53) + 1,
    x: 3,
    ok: true,
    none: null,
    list: { deep: [{ a: 'b' }] },
    mixed: { k: false },
  },
  {
    id: 'd',
    text: '\ufeffПривет, 世界 😀\u2028',
    n: null,
    big: null,
    x: null,
    ok: null,
    none: null,
    list: null,
    mixed: null,
  },
  { id: 'e', text: '=1+1', n: 0, big: 7, x: -0.25, ok: true, none: null, list: 'text', mixed: true },
];

describe('what is exported is loaded as it was', () => {
  it.each(['jsonl', 'jsonl.gz', 'jsonl.zst', 'parquet', 'arrow', 'feather'])('%s', async (extension) => {
    expect(await roundTrip(rows, { path: `x.${extension}` })).toEqual(rows);
  });

  it.each(['snappy', 'zstd', 'gzip', 'none'])('parquet packed by %s', async (compression) => {
    expect(await roundTrip(rows, { path: 'x.parquet', compression })).toEqual(rows);
  });

  it.each(['csv', 'tsv', 'csv.gz'])('%s, with types said', async (extension) => {
    const cast = { n: 'integer', big: 'integer', x: 'number', ok: 'boolean', list: 'json' };
    const plain = rows.map(({ mixed: _, ...row }) => ({
      ...row,
      list: typeof row['list'] === 'string' ? null : row['list']!,
    }));
    expect(await roundTrip(plain, { path: `x.${extension}` }, { null_values: [''], cast })).toEqual(plain);
  });

  const field = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'ü "x", y', '1');
  const scalar = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('', '"', '\n', ',', 'null'),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: scalar },
    fc.jsonValue({ maxDepth: 2 }),
  ) as fc.Arbitrary<Json>;
  const table = fc
    .array(fc.dictionary(field, value, { maxKeys: 4 }), { maxLength: 6 })
    .map((records) =>
      records.map((record, index) => JSON.parse(JSON.stringify({ ...record, id: `r${index}` })) as Row),
    );

  it('any rows, as JSON Lines', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(table, async (any) => {
        expect(await roundTrip(any, { path: 'x.jsonl' })).toEqual(any);
      }),
      { numRuns: 40 },
    );
  });

  it('no rows, as Arrow', async () => {
    expect(await roundTrip([], { path: 'x.arrow' })).toEqual([]);
  });

  it.each(['x.parquet', 'x.arrow'])(
    'any rows, as %s, where a missing field becomes null',
    { timeout: 60_000 },
    async (path) => {
      await fc.assert(
        fc.asyncProperty(table, async (any) => {
          const names = new Set(any.flatMap((row) => Object.keys(row)));
          const filled = any.map((row) => {
            const full = Object.fromEntries(
              [...names].map((name) => [name, Object.hasOwn(row, name) ? row[name]! : null]),
            );
            return full as Row;
          });
          const read = await roundTrip(any, { path });
          expect(path === 'x.arrow' ? read.map(withoutNulls) : read).toEqual(
            path === 'x.arrow' ? filled.map(withoutNulls) : filled,
          );
        }),
        { numRuns: 60 },
      );
    },
  );

  it('a member __proto__ of a value, as Parquet', async () => {
    const value = JSON.parse('{"__proto__":[1],"b":[{"__proto__":2}]}') as Json;
    const rows = [{ id: 'r0', a: value, list: [value] }];
    expect(JSON.stringify(await roundTrip(rows, { path: 'x.parquet' }))).toBe(JSON.stringify(rows));
  });

  it('any texts, as CSV', { timeout: 60_000 }, async () => {
    const texts = fc.array(
      fc.record({
        a: fc.option(fc.string({ unit: 'grapheme' })),
        b: fc.constantFrom('', null, '"', ' ', '\r', '\n', "'=x"),
      }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(texts, async (records) => {
        const any = records.map((record, index) => ({ id: `r${index}`, ...record }));
        if (any.length === 0) return;
        expect(await roundTrip(any, { path: 'x.csv' }, { null_values: [''] })).toEqual(any);
      }),
      { numRuns: 60 },
    );
  });

  it('many row groups', async () => {
    const many = Array.from({ length: 20_003 }, (_, n) => ({ id: `${n}`, n: n % 7 === 0 ? null : n }));
    const table = { fields: ['id', 'n'], blocks: () => Readable.from([many]) };
    const parts = await Array.fromAsync(writeTable(table, 'parquet'));
    expect(parts.length).toBe(5);
    const root = folderWith({ 'x.parquet': Buffer.concat(parts) });
    const { tables } = await runStep(load, { root, with: { path: 'x.parquet', id: 'id', skip: 19_998 } });
    expect(tables['rows']).toEqual(many.slice(19_998));
    rmSync(root, { recursive: true });
  });
});

describe('CSV', () => {
  it('has a header, quotes where it must, and tells null from empty', async () => {
    const { bytes, warnings, metrics } = await exported(rows.slice(0, 2), {
      path: 'x.csv',
      columns: ['text', 'id', 'none', 'list'],
    });
    expect(bytes.toString()).toBe('text,id,none,list\nplain,a,,"[1,""two"",null]"\n"",b,,[]\n');
    expect(warnings).toEqual([]);
    expect(metrics).toEqual({ rows: 2, bytes: bytes.length });
  });

  it('warns of formulas, and takes their force on demand', async () => {
    const cells = ['=1+1', '+x', '-2', '+1,5', '@SUM(A1)', '-x', 'plain', '\t=x'];
    const table = cells.map((text, index) => ({ id: String(index), text }));
    const plain = await exported(table, { path: 'x.csv', columns: ['text'] });
    expect(plain.warnings[0]).toContain('5 texts begin with = + - or @');
    expect(plain.bytes.toString().split('\n').slice(1, -1)).toEqual(
      cells.map((cell) => (cell.includes(',') ? `"${cell}"` : cell)),
    );
    const escaped = await exported(table, { path: 'x.csv', columns: ['text'], escape_formulas: true });
    expect(escaped.warnings).toEqual([]);
    expect(escaped.bytes.toString().split('\n').slice(1, -1)).toEqual([
      "'=1+1",
      "'+x",
      '-2',
      '"+1,5"',
      "'@SUM(A1)",
      "'-x",
      'plain',
      "'\t=x",
    ]);
  });

  it('writes what Excel wants', async () => {
    const { bytes } = await exported([{ id: 'a', text: 'x;y' }], {
      path: 'x.csv',
      bom: true,
      delimiter: ';',
    });
    expect(bytes.toString()).toBe('\ufeffid;text\na;"x;y"\n');
  });

  it('has no record without a field: a lone null is an empty text', async () => {
    const { bytes } = await exported([{ id: 'a', text: null }], { path: 'x.csv', columns: ['text'] });
    expect(bytes.toString()).toBe('text\n""\n');
  });
});

describe('JSON Lines', () => {
  it('has id first, then the fields as they first occur, and packs by name', async () => {
    const table = [
      { b: 1, id: 'x' },
      { a: 2, b: 3, id: 'y' },
    ] as Row[];
    const lines = '{"id":"x","b":1}\n{"id":"y","b":3,"a":2}\n';
    expect((await exported(table, { path: 'out/x.jsonl' })).bytes.toString()).toBe(lines);
    expect(gunzipSync((await exported(table, { path: 'x.ndjson.gz' })).bytes).toString()).toBe(lines);
    expect(zstdDecompressSync((await exported(table, { path: 'x.jsonl.zst' })).bytes).toString()).toBe(lines);
    expect(Object.keys((await exported(table, { format: 'jsonl' })).files['file']!)).toEqual([
      'topics.jsonl',
    ]);
  });

  it('of no rows is an empty file', async () => {
    expect((await exported([], { path: 'x.jsonl' })).bytes.length).toBe(0);
    expect((await exported([], { path: 'x.csv' })).bytes.toString()).toBe('id\n');
    expect(await roundTrip([], { path: 'x.parquet' })).toEqual([]);
  });
});

describe('other outputs', () => {
  const matrix = { data: new Float32Array([1, 2.5, -3, 0, 5, 6]), rows: 2, columns: 3 };
  const vectors: StepInput = {
    step: 'vectors',
    use: 'embed',
    metrics: {},
    output: 'vectors',
    outputs: { vectors: matrixInput(matrix, ['a', 'b']) },
  };

  it('writes a matrix as npy', async () => {
    const { files } = await runStep(exportStep, { with: { path: 'v.npy' }, inputs: { vectors } });
    const file = files['file']!['v.npy']!;
    expect(file.toString('latin1', 0, 6)).toBe('\x93NUMPY');
    expect(file.toString('latin1', 10, 128)).toContain(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
    );
    expect([...new Float32Array(new Uint8Array(file.subarray(-24)).buffer)]).toEqual([...matrix.data]);
  });

  it('refuses what does not fit, and says what does', async () => {
    const run = (parameters: JsonObject, inputs: Record<string, StepInput>) =>
      runStep(exportStep, { with: parameters, inputs });
    await expect(run({ path: 'v.csv' }, { vectors })).rejects.toMatchObject({
      code: 'unknown-format',
      message: 'a matrix cannot be written as csv',
      hint: 'Use npy',
    });
    await expect(run({ path: 'v.npy' }, { topics: step(rows) })).rejects.toMatchObject({
      hint: 'Use jsonl, csv, tsv, parquet, arrow, xlsx, sqlite',
    });
    await expect(run({ path: 'v.doc' }, { topics: step(rows) })).rejects.toMatchObject({
      code: 'unknown-format',
    });
    await expect(run({ path: 'v.csv' }, { topics: step(rows), vectors })).rejects.toMatchObject({
      code: 'export-inputs',
    });
    await expect(run({ path: 'v.csv', columns: ['txt'] }, { topics: step(rows) })).rejects.toMatchObject({
      code: 'missing-field',
      hint: 'did you mean "text"?',
    });
  });

  it('copies the page of another step', async () => {
    const page = Buffer.from('<html>');
    const outputs = {
      page: {
        kind: 'files',
        digest: 'sha256:0',
        names: ['report.html'],
        read: async () => page,
        path: () => '',
        copy: async () => {},
      },
    } as StepInput['outputs'];
    const { files } = await runStep(exportStep, {
      with: { path: 'out/topics.html' },
      inputs: { page: { step: 'page', use: 'report', metrics: {}, output: 'page', outputs } },
    });
    expect(files['file']!['topics.html']).toEqual(page);
  });
});
