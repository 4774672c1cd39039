import type { Matrix } from '../../engine/step.ts';

type Reader = (view: DataView, offset: number, little: boolean) => number;

/** Element types that are read, by NumPy's code without the byte order, with their size in bytes. */
const readers: Record<string, [size: number, read: Reader]> = {
  f2: [2, (view, at, little) => fromHalf(view.getUint16(at, little))],
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  i1: [1, (view, at) => view.getInt8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  u1: [1, (view, at) => view.getUint8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  b1: [1, (view, at) => view.getUint8(at)],
};

/** A file that is no `.npy`, or one that is not read; the message says why. */
export class NpyError extends Error {}

/**
 * Reads a `.npy` file of any version, of numbers of any size and byte order, in C or Fortran order, with one or two
 * dimensions (one: a column), as float32. Format: numpy.lib.format.
 */
export function parseNpy(file: Uint8Array): Matrix {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw new NpyError('it is not in NumPy’s .npy format');
  const start = bytes[6]! === 1 ? 10 : 12;
  const headerEnd = start + (start === 10 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString('latin1', start, headerEnd);
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z]\d+)'/.exec(header);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header);
  if (!descr || !shape) throw new NpyError(`its header is not understood: ${header.trim().slice(0, 200)}`);
  const [size, read] = readers[descr[2]!] ?? [];
  if (!size || !read) throw new NpyError(`its values are of the type ${descr[2]}, not numbers`);
  const dimensions = shape[1]!
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  if (dimensions.length < 1 || dimensions.length > 2)
    throw new NpyError(`it has ${dimensions.length} dimensions; a matrix has rows and columns`);
  const [rows, columns = 1] = dimensions as [number, number?];
  if (bytes.length - headerEnd !== rows * columns * size)
    throw new NpyError(
      `it has ${bytes.length - headerEnd} bytes of values where its shape wants ${rows * columns * size}`,
    );

  const little = descr[1] !== '>';
  const fortran = /'fortran_order':\s*True/.test(header);
  if (descr[2] === 'f4' && little && !fortran) {
    const values = bytes.subarray(headerEnd);
    const aligned = values.byteOffset % 4 === 0 ? values : Buffer.from(values);
    return { data: new Float32Array(aligned.buffer, aligned.byteOffset, rows * columns), rows, columns };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + headerEnd);
  const data = new Float32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++)
      data[at] = read(view, (fortran ? column * rows + row : at) * size, little);
  return { data, rows, columns };
}

/** IEEE 754 binary16 from its bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
