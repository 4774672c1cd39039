import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { npyHeader } from '../../engine/store/npy.ts';
import { NpyError, parseNpy } from './npy.ts';

function npy(descr: string, shape: string, values: Buffer, fortran = false, version = 1): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }\n`;
  const start = Buffer.from(`\x93NUMPY${String.fromCharCode(version, 0)}`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([start, length, Buffer.from(text, 'latin1'), values]);
}

describe('parseNpy', () => {
  it('reads what the store writes', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), (rows, columns) => {
        const data = Float32Array.from({ length: rows * columns }, (_, index) => index / 3);
        const file = Buffer.concat([npyHeader(rows, columns), Buffer.from(data.buffer)]);
        expect(parseNpy(file)).toEqual({ data, rows, columns });
      }),
    );
  });

  it('reads other numbers, orders and versions', () => {
    const doubles = Buffer.from(new Float64Array([1.5, -2, 3, 4]).buffer);
    expect(parseNpy(npy('<f8', '2, 2', doubles))).toEqual({
      data: new Float32Array([1.5, -2, 3, 4]),
      rows: 2,
      columns: 2,
    });
    expect([...parseNpy(npy('<f8', '2, 2', doubles, true)).data]).toEqual([1.5, 3, -2, 4]);
    expect(parseNpy(npy('<f8', '4,', doubles, false, 2))).toMatchObject({ rows: 4, columns: 1 });
    expect([...parseNpy(npy('>i2', '1, 2', Buffer.from([0x01, 0x00, 0xff, 0xff]))).data]).toEqual([256, -1]);
    expect([...parseNpy(npy('|b1', '2, 1', Buffer.from([1, 0]))).data]).toEqual([1, 0]);
    expect([...parseNpy(npy('<i8', '1, 1', Buffer.from(new BigInt64Array([-5n]).buffer))).data]).toEqual([
      -5,
    ]);
    const halves = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7bff, 0x0000]);
    expect([...parseNpy(npy('<f2', '1, 5', Buffer.from(halves.buffer))).data]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      0,
    ]);
  });

  it.each([
    [Buffer.from('PK'), 'not in NumPy'],
    [npy('<U5', '1, 1', Buffer.alloc(20)), 'type U5'],
    [npy('<f4', '1, 1, 1', Buffer.alloc(4)), '3 dimensions'],
    [npy('<f4', '2, 2', Buffer.alloc(4)), 'bytes of values'],
  ])('refuses file %#', (file, message) => {
    expect(() => parseNpy(file)).toThrow(NpyError);
    expect(() => parseNpy(file)).toThrow(message);
  });
});
