/** Compressed bytes that are not zstd frames, or end within one. */
export class ZstdFrameError extends Error {}

const magic = 0xfd2fb528;

/**
 * Cuts a stream of concatenated zstd frames into whole frames, by their block headers (RFC 8878, section 3.1), so that
 * each can be decompressed by itself: Node's decompressors stop after the first frame (24.21). Skippable frames are
 * dropped.
 */
export class ZstdFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this piece. They may lie on its memory. */
  push(piece: Buffer): Buffer[] {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece;
    const frames: Buffer[] = [];
    for (;;) {
      const length = frameLength(data);
      if (length === undefined || length > data.length) break;
      if (isFrame(data)) frames.push(data.subarray(0, length));
      data = data.subarray(length);
    }
    // A copy, since the piece's memory is used again.
    this.#rest = Buffer.from(data);
    return frames;
  }

  end(): void {
    if (this.#rest.length > 0) throw new ZstdFrameError('the last zstd frame is cut off');
  }
}

function isFrame(data: Buffer): boolean {
  return data.readUInt32LE(0) === magic;
}

/** Bytes of the frame that `data` starts with; undefined if too little of it is there to know. */
function frameLength(data: Buffer): number | undefined {
  if (data.length < 8) return undefined;
  const start = data.readUInt32LE(0);
  if ((start & 0xfffffff0) >>> 0 === 0x184d2a50) return 8 + data.readUInt32LE(4);
  if (start !== magic) throw new ZstdFrameError('this is not a zstd frame');
  const descriptor = data[4]!;
  const single = (descriptor >> 5) & 1;
  const contentSize = [single, 2, 4, 8][descriptor >> 6]!;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  let position = 5 + (1 - single) + dictionary + contentSize;
  for (;;) {
    if (position + 3 > data.length) return undefined;
    const header = data.readUIntLE(position, 3);
    // Type 1 is a run: one byte stands for the whole block.
    position += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    if (header & 1) break;
  }
  return position + ((descriptor >> 2) & 1 ? 4 : 0);
}
