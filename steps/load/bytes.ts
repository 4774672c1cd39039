import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { StepError } from '../../engine/problems.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/**
 * Bytes read or unpacked at once: small enough that the event loop gets its turn every few milliseconds, and that the
 * texts made of them are short-lived to the garbage collector (above 128 KiB a string is old at once).
 */
const chunkSize = 64 * 1024;

/** How a file that begins with these bytes is packed; undefined for one that `load` cannot unpack, with its name. */
export function compressionOf(head: Uint8Array): { kind: Compression } | { kind: undefined; name: string } {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return { kind: 'gzip' };
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return { kind: 'zstd' };
  if (starts(0x42, 0x5a, 0x68)) return { kind: undefined, name: 'bzip2' };
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return { kind: undefined, name: 'xz' };
  if (starts(0x50, 0x4b, 0x03, 0x04)) return { kind: undefined, name: 'zip (or an Office document)' };
  return { kind: 'none' };
}

/**
 * Streams a file's bytes, unpacked. `onRead` hears how many bytes of the file itself were read.
 * A damaged archive is a StepError `damaged-file`; what came before the damage has been yielded by then.
 */
export async function* bytesOf(
  file: { path: string; name: string; compression: Compression; part?: { start: number; end: number } },
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const { part } = file;
  if (part && part.end <= part.start) return;
  const range = part && { start: part.start, end: part.end - 1 };
  const raw = createReadStream(file.path, { highWaterMark: chunkSize, ...range });
  const counted = (async function* () {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      onRead(chunk.length);
      yield chunk;
    }
  })();
  try {
    if (file.compression === 'none') yield* counted;
    else if (file.compression === 'gzip') yield* gunzip(counted);
    else yield* unzstd(counted);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') || code?.startsWith('ZSTD_')) {
      throw new StepError(
        'damaged-file',
        `${file.name} is a damaged ${file.compression} file: ${message}`,
        'Fetch or pack it again.',
      );
    }
    throw error;
  } finally {
    raw.destroy();
  }
}

async function* gunzip(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize });
  pipeline(packed, stream, () => {}); // its error reaches the loop below
  yield* stream as AsyncIterable<Buffer>;
}

/**
 * Node's decoder ends with the first zstd frame that ends inside a chunk, and drops what follows; files are often
 * made of many frames (pzstd, appended parts). So a new decoder takes the rest.
 */
async function* unzstd(packed: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer | undefined;
  for (let more = true; more; ) {
    const decoder = createZstdDecompress({ chunkSize });
    const feeding = feed(decoder, rest, packed);
    feeding.catch(() => {}); // the decoder's own error ends the loop below
    yield* decoder as AsyncIterable<Buffer>;
    rest = await feeding;
    more = rest !== undefined;
  }
}

/** Feeds a decoder to the end of the input, or of a frame inside a chunk: then gives the bytes after it. */
async function feed(
  decoder: ZstdDecompress,
  first: Buffer | undefined,
  packed: AsyncGenerator<Buffer>,
): Promise<Buffer | undefined> {
  let written = 0;
  let chunk = first;
  for (;;) {
    if (chunk === undefined) {
      const next = await packed.next();
      if (next.done) {
        decoder.end();
        return undefined;
      }
      chunk = next.value;
    }
    const bytes = chunk;
    await new Promise<void>((resolve, reject) => {
      decoder.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    written += bytes.length;
    const left = written - decoder.bytesWritten;
    if (left > 0) return bytes.subarray(bytes.length - left);
    chunk = undefined;
  }
}
