/**
 * Unpacks an LZ4 frame (LZ4 Frame Format 1.6). Its blocks may need what those before them hold, as Arrow writes them in C++.
 * Checksums are passed over. An Error says what is wrong with the bytes.
 */
export function unpackLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== 0x184d2204) throw new Error('no LZ4 frame');
  const flags = frame[4]!;
  const hasSize = (flags & 0x08) !== 0;
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
  const blockMaximum = 2 ** (8 + 2 * ((frame[5]! >> 4) & 7));
  const blocks: { bytes: Uint8Array; isPlain: boolean; most: number }[] = [];
  for (let at = 7 + (hasSize ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0); ; ) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const length = word & 0x7fffffff;
    if (at + length > frame.length) throw new Error('a frame of LZ4 ends within a block');
    const isPlain = word >>> 31 === 1;
    // A byte of a block stands for at most 255.
    const most = isPlain ? length : Math.min(blockMaximum, 255 * length);
    blocks.push({ bytes: frame.subarray(at, at + length), isPlain, most });
    at += length + blockChecksum;
  }
  const most = blocks.reduce((sum, block) => sum + block.most, 0);
  const whole = new Uint8Array(hasSize ? Math.min(most, Number(view.getBigUint64(6, true))) : most);
  let done = 0;
  for (const { bytes, isPlain, most: longest } of blocks) {
    const end = Math.min(whole.length, done + longest);
    if (!isPlain) done = unpackBlock(bytes, whole, done, end);
    else if (done + bytes.length > end) throw tooLong();
    else {
      whole.set(bytes, done);
      done += bytes.length;
    }
  }
  return done === whole.length ? whole : whole.slice(0, done);
}

/** Unpacks a block (LZ4 Block Format) behind what there is already, up to `end`; gives where it ends. */
function unpackBlock(block: Uint8Array, output: Uint8Array, start: number, end: number): number {
  let to = start;
  for (let at = 0; at < block.length; ) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === 15) for (let more = 255; more === 255; literals += more) more = block[at++] ?? 0;
    if (to + literals > end) throw tooLong();
    if (at + literals > block.length) throw new Error('a block of LZ4 ends within a literal');
    // Short ones are the rule, and a call for each takes longer than they do.
    if (literals > 32) output.set(block.subarray(at, at + literals), to);
    else for (let index = 0; index < literals; index++) output[to + index] = block[at + index]!;
    at += literals;
    to += literals;
    if (at >= block.length) break;
    if (at + 2 > block.length) throw new Error('a block of LZ4 ends within a match');
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    if (back === 0 || back > to) throw new Error('a match of LZ4 begins before its frame');
    let match = token & 15;
    if (match === 15) for (let more = 255; more === 255; match += more) more = block[at++] ?? 0;
    match += 4;
    if (to + match > end) throw tooLong();
    // Byte by byte: a match may hold bytes that it makes itself.
    if (back >= match && match > 32) output.copyWithin(to, to - back, to - back + match);
    else for (let index = 0; index < match; index++) output[to + index] = output[to - back + index]!;
    to += match;
  }
  return to;
}

function tooLong(): Error {
  return new Error('a block of LZ4 is longer than its frame says');
}
