import { isUtf8 } from 'node:buffer';

/** What `encoding` may say. */
export const encodings: readonly string[] = [
  'auto',
  'utf-8',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'latin1',
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'windows-1253',
  'windows-1254',
  'windows-1255',
  'windows-1256',
  'windows-1257',
  'windows-1258',
  'iso-8859-2',
  'iso-8859-3',
  'iso-8859-4',
  'iso-8859-5',
  'iso-8859-6',
  'iso-8859-7',
  'iso-8859-8',
  'iso-8859-10',
  'iso-8859-13',
  'iso-8859-14',
  'iso-8859-15',
  'iso-8859-16',
  'koi8-r',
  'koi8-u',
  'ibm866',
  'macintosh',
  'gbk',
  'gb18030',
  'big5',
  'euc-jp',
  'shift_jis',
  'euc-kr',
];

/**
 * Turns bytes into text, chunk by chunk. A byte that is no text in the encoding becomes the lone surrogate
 * U+DC00 + byte (Python's `surrogateescape`, PEP 383), so that it is neither lost nor mistaken for text:
 * `isWellFormed()` on a line or a record tells whether it was clean.
 */
export interface Decoder {
  readonly encoding: string;
  decode(chunk: Uint8Array): string;
  /** The rest, at the end of the file. */
  end(): string;
}

/**
 * The decoder for a file that begins with `head` (its first bytes, at least 4 if it has as many), and the length of
 * the byte order mark to leave out. A mark wins over `asked`; without either it is UTF-8, unless the first four bytes can
 * only be UTF-16.
 */
export function decoderFor(head: Uint8Array, asked: string): { decoder: Decoder; mark: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { decoder: utf8(), mark: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { decoder: utf16(true), mark: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { decoder: utf16(false), mark: 2 };
  if (asked === 'auto') {
    const zeros = [0, 1, 2, 3]
      .map((index) => (index < head.length ? (head[index] === 0 ? '0' : 'x') : '-'))
      .join('');
    if (zeros === 'x0x0') return { decoder: utf16(true), mark: 0 };
    if (zeros === '0x0x') return { decoder: utf16(false), mark: 0 };
    return { decoder: utf8(), mark: 0 };
  }
  if (asked === 'utf-8') return { decoder: utf8(), mark: 0 };
  if (asked === 'utf-16' || asked === 'utf-16le') return { decoder: utf16(true), mark: 0 };
  if (asked === 'utf-16be') return { decoder: utf16(false), mark: 0 };
  return { decoder: legacy(asked), mark: 0 };
}

function utf8(): Decoder {
  let rest = Buffer.alloc(0);
  const text = (bytes: Buffer): string => (isUtf8(bytes) ? bytes.toString('utf8') : decodeWithEscapes(bytes));
  return {
    encoding: 'utf-8',
    decode(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : asBuffer(chunk);
      const whole = wholeUtf8(bytes);
      rest = Buffer.from(bytes.subarray(whole));
      return text(bytes.subarray(0, whole));
    },
    end() {
      const last = text(rest);
      rest = Buffer.alloc(0);
      return last;
    },
  };
}

/** UTF-8 bytes as text; invalid ones become lone surrogates, as in `Decoder`. A byte order mark is text. */
export function utf8Text(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  return isUtf8(buffer) ? buffer.toString('utf8') : decodeWithEscapes(buffer);
}

/** Length of the part of `bytes` that does not end in the middle of a character. */
function wholeUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** UTF-8 with invalid bytes as lone surrogates. Slow, and only for blocks that hold such bytes. */
function decodeWithEscapes(bytes: Buffer): string {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > start) parts.push(bytes.toString('utf8', start, at));
    parts.push(String.fromCharCode(0xdc00 + bytes[at]!));
    at++;
    start = at;
  }
  if (at > start) parts.push(bytes.toString('utf8', start, at));
  return parts.join('');
}

/** Length of the well-formed sequence at `at` (The Unicode Standard, table 3-7), 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return isContinuation(second) ? 2 : 0;
  const third = bytes[at + 2] ?? 0;
  if (first >= 0xe0 && first <= 0xef) {
    const lowest = first === 0xe0 ? 0xa0 : 0x80;
    const highest = first === 0xed ? 0x9f : 0xbf;
    return second >= lowest && second <= highest && isContinuation(third) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const lowest = first === 0xf0 ? 0x90 : 0x80;
    const highest = first === 0xf4 ? 0x8f : 0xbf;
    const inside = second >= lowest && second <= highest;
    return inside && isContinuation(third) && isContinuation(bytes[at + 3] ?? 0) ? 4 : 0;
  }
  return 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function utf16(littleEndian: boolean): Decoder {
  let rest = Buffer.alloc(0);
  return {
    encoding: littleEndian ? 'utf-16le' : 'utf-16be',
    decode(chunk) {
      const bytes = Buffer.concat([rest, chunk]);
      const whole = bytes.length - (bytes.length % 2);
      rest = Buffer.from(bytes.subarray(whole));
      const units = bytes.subarray(0, whole);
      // `bytes` is a copy of our own, so swapping it in place is safe.
      return (littleEndian ? units : units.swap16()).toString('utf16le');
    },
    end() {
      const odd = rest[0];
      rest = Buffer.alloc(0);
      return odd === undefined ? '' : String.fromCharCode(0xdc00 + Math.max(odd, 0x80));
    },
  };
}

function legacy(label: string): Decoder {
  const decoder = new TextDecoder(label === 'latin1' ? 'windows-1252' : label, { ignoreBOM: true });
  // The decoders do not say which byte had no meaning: U+DCFF stands for any.
  const mark = (text: string): string =>
    text.includes('\ufffd') ? text.replaceAll('\ufffd', '\udcff') : text;
  return {
    encoding: label,
    decode: (chunk) => mark(decoder.decode(chunk, { stream: true })),
    end: () => mark(decoder.decode()),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
