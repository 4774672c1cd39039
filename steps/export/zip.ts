import { once } from 'node:events';
import { crc32, createDeflateRaw } from 'node:zlib';

export interface ZipEntry {
  name: string;
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** 1980-01-01, the first day of the format: no time in the bytes. */
const date = (1 << 5) | 1;
/** Sizes and checksum follow the data (bit 3); names are UTF-8 (bit 11). */
const flags = 0x0808;

/** A ZIP archive (APPNOTE 6.3), written as it comes: entries of up to 4 GB, without ZIP64. */
export async function* writeZip(
  entries: AsyncIterable<ZipEntry> | Iterable<ZipEntry>,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  const directory: Buffer[] = [];
  for await (const { name, content } of entries) {
    const start = offset;
    const bytes = Buffer.from(name);
    const common = fields([20, 2], [flags, 2], [8, 2], [0, 2], [date, 2]);
    const head = Buffer.concat([
      fields([0x04034b50, 4]),
      common,
      fields([0, 4], [0, 4], [0, 4], [bytes.length, 2], [0, 2]),
      bytes,
    ]);
    offset += head.length;
    yield head;
    const sums = { crc: 0, packed: 0, size: 0 };
    for await (const part of deflated(content, sums)) {
      offset += part.length;
      yield part;
    }
    if (Math.max(sums.size, offset) > 0xffffffff)
      throw new RangeError('an archive of more than 4 GB needs ZIP64, which is not written here');
    const tail = fields([sums.crc, 4], [sums.packed, 4], [sums.size, 4]);
    offset += tail.length + 4;
    yield Buffer.concat([fields([0x08074b50, 4]), tail]);
    directory.push(
      fields([0x02014b50, 4], [20, 2]),
      common,
      tail,
      fields([bytes.length, 2], [0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [start, 4]),
      bytes,
    );
  }
  const central = Buffer.concat(directory);
  const count = directory.length / 5;
  yield central;
  yield fields(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [central.length, 4],
    [offset, 4],
    [0, 2],
  );
}

async function* deflated(
  content: ZipEntry['content'],
  sums: { crc: number; packed: number; size: number },
): AsyncGenerator<Buffer> {
  const packer = createDeflateRaw();
  const feeding = (async () => {
    for await (const part of content) {
      sums.crc = crc32(part, sums.crc);
      sums.size += part.length;
      if (!packer.write(part)) await once(packer, 'drain');
    }
    packer.end();
  })();
  feeding.catch((error: unknown) => void packer.destroy(error as Error));
  for await (const part of packer as AsyncIterable<Buffer>) {
    sums.packed += part.length;
    yield part;
  }
  await feeding;
}

/** Little-endian numbers of so many bytes each. */
function fields(...values: readonly (readonly [value: number, bytes: 2 | 4])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of values) at = buffer.writeUIntLE(value >>> 0, at, bytes);
  return buffer;
}
