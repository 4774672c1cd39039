import { rmSync } from 'node:fs';
import { type ColumnSource, parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { folderWith, runStep, type StepOutputs } from '../../test/run-step.ts';
import load from './index.ts';

async function loadBytes(bytes: Uint8Array, parameters: JsonObject = {}): Promise<StepOutputs> {
  const root = folderWith({ 'x.parquet': bytes });
  try {
    return await runStep(load, { root, with: { path: 'x.parquet', ...parameters } });
  } finally {
    rmSync(root, { recursive: true });
  }
}

const write = (columnData: ColumnSource[], rowGroupSize = 2): Uint8Array =>
  new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));

describe('Parquet', () => {
  it('becomes JSON: times as ISO 8601, bytes as base64, big integers as digits', async () => {
    const { tables, warnings } = await loadBytes(
      write([
        { name: 'time', data: [new Date(0), null, new Date(1e12)], type: 'TIMESTAMP' },
        {
          name: 'bytes',
          data: [new Uint8Array([0xff, 0]), new Uint8Array([]), new Uint8Array([0x61])],
          type: 'BYTE_ARRAY',
        },
        { name: 'long', data: [2n ** 60n, -5n, null], type: 'INT64' },
        { name: 'real', data: [Number.NaN, 1.5, -0], type: 'DOUBLE' },
        { name: 'json', data: [{ a: [1] }, null, 'x'], type: 'JSON' },
        { name: 'text', data: ['\ufeffa', '', 'ü'], type: 'STRING' },
      ]),
    );
    expect(tables['rows']!.map(({ id: _, ...row }) => row)).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        bytes: '/wA=',
        long: '1152921504606846976',
        real: null,
        json: { a: [1] },
        text: '\ufeffa',
      },
      { time: null, bytes: '', long: -5, real: 1.5, json: null, text: '' },
      { time: '2001-09-09T01:46:40.000Z', bytes: 'a', long: null, real: 0, json: 'x', text: 'ü' },
    ]);
    expect(warnings).toEqual([
      'column bytes holds bytes that are no text: they are read as base64',
      '1 number that a double does not hold: kept as its digits in a string',
      '1 value NaN read as null',
    ]);
  });

  it('keeps dates as dates, and times to the nanosecond', async () => {
    const column = (name: string, data: unknown[], more: object): [ColumnSource, SchemaElement] => [
      { name, data } as ColumnSource,
      { name, repetition_type: 'OPTIONAL', ...more } as SchemaElement,
    ];
    const time = (unit: string): object => ({ type: 'INT64', logical_type: { type: 'TIMESTAMP', unit } });
    const columns = [
      column('day', [new Date('2024-01-02'), new Date('1969-12-31')], {
        type: 'INT32',
        converted_type: 'DATE',
      }),
      column('micros', [1_500_000n, -1n], time('MICROS')),
      column('nanos', [1_000_000_001n, null], time('NANOS')),
    ];
    const schema = [{ name: 'root', num_children: 3 }, ...columns.map(([, element]) => element)];
    const bytes = parquetWriteBuffer({ columnData: columns.map(([data]) => data), schema });
    const { tables } = await loadBytes(new Uint8Array(bytes));
    expect(tables['rows']!.map(({ id: _, ...row }) => row)).toEqual([
      { day: '2024-01-02', micros: '1970-01-01T00:00:01.500Z', nanos: '1970-01-01T00:00:01.000000001Z' },
      { day: '1969-12-31', micros: '1969-12-31T23:59:59.999999Z', nanos: null },
    ]);
  });

  it('rejects rows with infinite numbers and texts that are not UTF-8', async () => {
    const { tables } = await loadBytes(
      write([
        { name: 'n', data: [1, Number.POSITIVE_INFINITY, 3, 4], type: 'DOUBLE' },
        {
          name: 'text',
          data: ['a', 'b', new Uint8Array([0x63, 0xff]), 'd'].map((text) =>
            typeof text === 'string' ? new TextEncoder().encode(text) : text,
          ),
          type: 'STRING',
        },
      ]),
    );
    expect(tables['rows']!.map((row) => row['n'])).toEqual([1, 4]);
    expect(tables['rejected']!.map((row) => [row['record'], row['line'], row['field'], row['code']])).toEqual(
      [
        [2, null, 'n', 'non_finite_number'],
        [3, null, null, 'invalid_encoding'],
      ],
    );
  });

  it('reads only the columns that are asked for, over all row groups', async () => {
    const n = Array.from({ length: 5001 }, (_, index) => index);
    const bytes = write(
      [
        { name: 'n', data: n, type: 'INT32' },
        { name: 'key', data: n.map((value) => `k${value}`), type: 'STRING' },
        { name: 'left', data: n, type: 'INT32' },
      ],
      2000,
    );
    const { tables } = await loadBytes(bytes, { id: 'key', columns: ['n'], skip: 1999, limit: 2 });
    expect(tables['rows']).toEqual([
      { id: 'k1999', n: 1999 },
      { id: 'k2000', n: 2000 },
    ]);
  });

  it('reads columns of many pages', async () => {
    const n = Array.from({ length: 3000 }, (_, index) => index);
    const text = n.map((value) => (value % 3 === 0 ? null : `text ${value}`));
    const columnData: ColumnSource[] = [
      { name: 'n', data: n, type: 'INT32', encoding: 'PLAIN' },
      { name: 'text', data: text, type: 'STRING', encoding: 'PLAIN' },
    ];
    const bytes = parquetWriteBuffer({ columnData, pageSize: 500, rowGroupSize: 1700 });
    const { tables } = await loadBytes(new Uint8Array(bytes));
    expect(tables['rows']!.map((row) => row['n'])).toEqual(n);
    expect(tables['rows']!.map((row) => row['text'])).toEqual(text);
  });

  it('that is cut or changed is a damaged file, not a defect', async () => {
    const bytes = write(
      [{ name: 'n', data: Array.from({ length: 500 }, (_, index) => `text ${index}`), type: 'STRING' }],
      100,
    );
    await expect(loadBytes(bytes.subarray(0, bytes.length - 100))).rejects.toMatchObject({
      code: 'damaged-file',
    });
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0x5a;
      await loadBytes(changed).catch((error: { code?: string }) => expect(error.code).toBe('damaged-file'));
    }
  });
});
