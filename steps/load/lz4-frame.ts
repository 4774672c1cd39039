import { StepError } from '../../engine/problems.ts';

type Unpack = (input: Uint8Array, outputLength: number) => Uint8Array;
let unpackBlock: Unpack | undefined;

/** Loads the decoder of LZ4's blocks. */
export async function loadLz4(): Promise<void> {
  if (unpackBlock) return;
  const { compressors } = await import('hyparquet-compressors');
  unpackBlock = compressors.LZ4_RAW as Unpack;
}

/**
 * Unpacks an LZ4 frame (LZ4 Frame Format 1.6), of blocks that do not need each other, as Arrow writes them. Checksums are
 * passed over. `loadLz4` comes first.
 */
export function unpackLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== 0x184d2204 || unpackBlock === undefined) throw new Error('no LZ4 frame');
  const flags = frame[4]!;
  const hasSize = (flags & 0x08) !== 0;
  const independent = (flags & 0x20) !== 0;
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
  const blockMaximum = 2 ** (8 + 2 * ((frame[5]! >> 4) & 7));
  const size = hasSize ? Number(view.getBigUint64(6, true)) : undefined;
  let at = 7 + (hasSize ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const length = word & 0x7fffffff;
    const block = frame.subarray(at, at + length);
    at += length + blockChecksum;
    const isPlain = word >>> 31 === 1;
    if (!isPlain && !independent && parts.length > 0)
      throw new StepError(
        'damaged-file',
        'the file is packed by LZ4 with blocks that need each other, which are not read',
        'Write it again with compression: zstd.',
      );
    const part = isPlain
      ? block
      : blockOf(block, size === undefined ? blockMaximum : Math.min(blockMaximum, size - done));
    parts.push(part);
    done += part.length;
  }
  // A copy of its own begins where numbers of 8 bytes may.
  const whole = new Uint8Array(done);
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

function blockOf(block: Uint8Array, most: number): Uint8Array {
  return unpackBlock!(block, lengthOf(block, most));
}

/** Bytes that a block unpacks to: the decoder wants to know. */
function lengthOf(block: Uint8Array, most: number): number {
  let length = 0;
  for (let at = 0; at < block.length; ) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === 15) for (let more = 255; more === 255; literals += more) more = block[at++]!;
    at += literals;
    length += literals;
    if (at >= block.length) break;
    at += 2;
    let match = token & 15;
    if (match === 15) for (let more = 255; more === 255; match += more) more = block[at++]!;
    length += match + 4;
  }
  if (length > most) throw new Error('a block of LZ4 is longer than its frame says');
  return length;
}
