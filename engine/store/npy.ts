import type { Matrix } from '../step.ts';

/** `.npy` version 1.0: magic, version, header length, a Python dict padded to 64 bytes, then the values in C order. */
const magic = Buffer.from('\x93NUMPY\x01\x00', 'latin1');

/** The header of a little-endian float32 matrix. Format: numpy.lib.format. */
export function npyHeader(rows: number, columns: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const length = Math.ceil((magic.length + 2 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, 0x20);
  magic.copy(header);
  header.writeUInt16LE(length - magic.length - 2, magic.length);
  header.write(text, magic.length + 2, 'latin1');
  header[length - 1] = 0x0a;
  return header;
}

/** The matrix in a `.npy` file as written by `npyHeader`; its values lie on the given memory if that is aligned. */
export function parseNpy(file: Buffer): Matrix {
  const length = magic.length + 2 + file.readUInt16LE(magic.length);
  const match = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \}/.exec(
    file.toString('latin1', magic.length + 2, length),
  );
  if (!file.subarray(0, magic.length).equals(magic) || !match)
    throw new Error('not a float32 matrix in .npy format 1.0');
  const rows = Number(match[1]);
  const columns = Number(match[2]);
  if (file.length !== length + rows * columns * 4) throw new Error('the .npy file does not fit its shape');
  const values = file.byteOffset % 4 === 0 ? file.subarray(length) : Buffer.from(file.subarray(length));
  return {
    data: new Float32Array(values.buffer, values.byteOffset, rows * columns),
    rows,
    columns,
  };
}

/** Bytes of a block of rows of `npyBlocks`. */
const blockBytes = 16 * 2 ** 20;

/** The rows of a `.npy` file as written by `npyHeader`, block by block, from its bytes in any pieces. */
export async function* npyBlocks(
  pieces: AsyncIterable<Uint8Array>,
  { rows, columns }: { rows: number; columns: number },
): AsyncGenerator<Matrix, void> {
  const rowBytes = columns * Float32Array.BYTES_PER_ELEMENT;
  const blockRows = Math.max(1, Math.floor(blockBytes / Math.max(1, rowBytes)));
  let skip = npyHeader(rows, columns).length;
  let left = rows;
  const next = () => new Uint8Array(Math.min(left, blockRows) * rowBytes);
  let block = next();
  let filled = 0;
  for await (const piece of pieces) {
    let at = Math.min(skip, piece.length);
    skip -= at;
    while (at < piece.length && left > 0) {
      const count = Math.min(piece.length - at, block.length - filled);
      block.set(piece.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < block.length) continue;
      const own = block.length / rowBytes;
      left -= own;
      yield { data: new Float32Array(block.buffer), rows: own, columns };
      block = next();
      filled = 0;
    }
  }
  if (left > 0 && rowBytes > 0) throw new Error('the .npy file does not fit its shape');
}

/** All rows of a `.npy` file as written by `npyHeader`, in memory that threads share: no copy for each that works on them. */
export async function sharedNpy(
  pieces: AsyncIterable<Uint8Array>,
  shape: { rows: number; columns: number },
): Promise<Matrix> {
  const bytes = shape.rows * shape.columns * Float32Array.BYTES_PER_ELEMENT;
  const data = new Float32Array(new SharedArrayBuffer(bytes));
  let at = 0;
  for await (const block of npyBlocks(pieces, shape)) {
    data.set(block.data, at);
    at += block.data.length;
  }
  return { ...shape, data };
}
