import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes pieces one after another; the next is asked for when the reader has taken what was written before. */
export async function writeAll(stream: Writable, pieces: AsyncIterable<Uint8Array | string>): Promise<void> {
  for await (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain');
}
