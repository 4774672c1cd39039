import { readFileSync } from 'node:fs';
import type { MatrixView } from '../numerics/matrix-product.ts';

/** A float32 matrix in C order from a `.npy` file. */
export function readNpy(path: string): MatrixView {
  const file = readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const [, rows, columns] = /'<f4'.*\((\d+), (\d+)\)/.exec(file.toString('latin1', 10, start)) ?? [];
  if (rows === undefined) throw new Error(`${path} is no float32 matrix`);
  const bytes = file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length);
  return { data: new Float32Array(bytes), rows: Number(rows), columns: Number(columns) };
}
