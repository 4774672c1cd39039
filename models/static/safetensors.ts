import { closeSync, openSync, readSync } from 'node:fs';
import { EncoderError } from '../encoder-folder.ts';

/** Element types of the format that are read here. */
const bytesOf = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I8: 1, U8: 1 } as const;
type ElementType = keyof typeof bytesOf;

/** A tensor as numbers, row-major. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The header must be no longer than the format allows: a broken file may claim anything. */
const mostHeaderBytes = 100_000_000;

/**
 * Tensors of a safetensors file (https://github.com/huggingface/safetensors: eight bytes with the length of a JSON
 * header, the header, the data, little-endian) whose names are asked for and are there, as float32. Integers of 64 bits
 * lose what float32 cannot hold: indices are exact up to 2^24. Throws an `EncoderError` for a file that is none.
 */
export function readTensors(path: string, names: readonly string[]): Map<string, FloatTensor> {
  const broken = (why: string) =>
    new EncoderError(`${path} is no safetensors file: ${why}`, 'copy or save the model again');
  const file = openSync(path, 'r');
  try {
    const length = Buffer.alloc(8);
    if (readSync(file, length, 0, 8, 0) < 8) throw broken('it ends before its header');
    const headerBytes = Number(length.readBigUInt64LE());
    if (headerBytes > mostHeaderBytes) throw broken('its header is too long');
    const text = Buffer.alloc(headerBytes);
    if (readSync(file, text, 0, headerBytes, 8) < headerBytes) throw broken('it ends within its header');
    let header: Record<string, Entry>;
    try {
      header = JSON.parse(text.toString('utf8')) as Record<string, Entry>;
    } catch (error) {
      throw broken((error as Error).message);
    }
    const found = new Map<string, FloatTensor>();
    for (const name of names) {
      const entry = Object.hasOwn(header, name) ? header[name] : undefined;
      if (entry === undefined) continue;
      const { dtype, shape, data_offsets: offsets } = entry;
      if (!(dtype in bytesOf)) throw broken(`the numbers of ${name} are ${dtype}, which is not known`);
      const [from, to] = offsets;
      const count = shape.reduce((product, size) => product * size, 1);
      if (to - from !== count * bytesOf[dtype as ElementType])
        throw broken(`${name} does not have the size that its shape says`);
      const bytes = Buffer.alloc(to - from);
      if (readAll(file, bytes, 8 + headerBytes + from) < bytes.length) throw broken(`it ends within ${name}`);
      found.set(name, { shape, data: toFloats(bytes, dtype as ElementType) });
    }
    return found;
  } finally {
    closeSync(file);
  }
}

function readAll(file: number, into: Buffer, position: number): number {
  let read = 0;
  while (read < into.length) {
    const count = readSync(file, into, read, into.length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return read;
}

function toFloats(bytes: Buffer, type: ElementType): Float32Array {
  const { buffer, byteOffset, length } = bytes;
  const count = length / bytesOf[type];
  switch (type) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, count);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case 'I32':
      return Float32Array.from(new Int32Array(buffer, byteOffset, count));
    case 'I8':
      return Float32Array.from(new Int8Array(buffer, byteOffset, count));
    case 'U8':
      return Float32Array.from(bytes);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToFloat);
    case 'BF16': {
      const words = Uint32Array.from(new Uint16Array(buffer, byteOffset, count), (half) => half << 16);
      return new Float32Array(words.buffer);
    }
  }
}

/** IEEE 754 half precision to a number. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const halfView = new DataView(new ArrayBuffer(4));

/** A number as IEEE 754 half precision, rounded to the nearest, of two as near to the even one. */
export function floatToHalf(value: number): number {
  halfView.setFloat32(0, value);
  const bits = halfView.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(halfView.getFloat32(0));
  if (Number.isNaN(magnitude)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below the least normal number steps are of one size.
  if (magnitude < 2 ** -14) return sign | roundHalfToEven(magnitude * 2 ** 24);
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = roundHalfToEven((magnitude / 2 ** exponent - 1) * 1024);
  return sign | (((exponent + 15) << 10) + fraction);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A tensor to write: what its bytes are is for the caller to say. */
export interface RawTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes of a safetensors file. */
export function safetensors(tensors: Readonly<Record<string, RawTensor>>): Uint8Array {
  let offset = 0;
  const header: Record<string, Entry> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = JSON.stringify(header);
  // Data begin at a multiple of eight bytes.
  const padded = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / 8) * 8), 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}
