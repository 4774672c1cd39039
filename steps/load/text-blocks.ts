import { bytesOf } from './bytes.ts';
import { decoderFor } from './decode.ts';
import type { Notes } from './found.ts';
import type { SourceFile } from './source-files.ts';

/** What readers are given besides the file: how to decode it, whom to tell. */
export interface Reading {
  encoding: string;
  signal: AbortSignal;
  notes: Notes;
  onRead(bytes: number): void;
}

/** A file's text in blocks of any length, without a byte order mark. Bad bytes are lone surrogates; see `Decoder`. */
export async function* textBlocks(file: SourceFile, reading: Reading): AsyncGenerator<string> {
  let head: Uint8Array = new Uint8Array(0);
  let decoder: ReturnType<typeof decoderFor>['decoder'] | undefined;
  for await (const chunk of bytesOf(file, reading.onRead)) {
    reading.signal.throwIfAborted();
    if (decoder) {
      yield decoder.decode(chunk);
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < 4) continue;
    const start = decoderFor(head, reading.encoding);
    decoder = start.decoder;
    yield decoder.decode(head.subarray(start.mark));
  }
  if (!decoder) {
    const start = decoderFor(head, reading.encoding);
    decoder = start.decoder;
    yield decoder.decode(head.subarray(start.mark));
  }
  const last = decoder.end();
  if (last !== '') yield last;
}

/** A file's whole text, or undefined if it has more than `limit` UTF-16 code units. */
export async function wholeText(
  file: SourceFile,
  reading: Reading,
  limit: number,
): Promise<string | undefined> {
  const blocks: string[] = [];
  let length = 0;
  for await (const block of textBlocks(file, reading)) {
    length += block.length;
    if (length > limit) return undefined;
    blocks.push(block);
  }
  return blocks.join('');
}
