import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoderFor, encodings } from './decode.ts';
import { showRaw } from './found.ts';
import { endsWithCr, type Line, linesOf } from './lines.ts';

function decode(bytes: Uint8Array, encoding = 'auto', cuts: number[] = []): string {
  const { decoder, mark } = decoderFor(bytes, encoding);
  let text = '';
  let at = mark;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= at || cut >= bytes.length) continue;
    text += decoder.decode(bytes.subarray(at, cut));
    at = cut;
  }
  return text + decoder.decode(bytes.subarray(at)) + decoder.end();
}

/** The bytes behind a text in which lone surrogates stand for bytes. */
function encode(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const unit of text) {
    const code = unit.codePointAt(0)!;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(unit));
  }
  return Buffer.concat(parts);
}

const cuts = fc.array(fc.nat(60));
const character = fc
  .array(fc.constantFrom('a', '\0', '\u007f', 'é', '€', '\ufffd', '\uffff', '😀', '\u{10ffff}'), {
    maxLength: 20,
  })
  .map((units) => units.join(''));

describe('UTF-8', () => {
  it('is decoded as TextDecoder does, however it is cut', () => {
    fc.assert(
      fc.property(character, cuts, (text, places) => {
        const bytes = Buffer.from(`abcd${text}`);
        expect(decode(bytes, 'auto', places)).toBe(`abcd${text}`);
      }),
    );
  });

  it('loses no byte that is not UTF-8, however it is cut', () => {
    const near = fc.array(
      fc.oneof(
        fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xc0, 0x61),
        fc.nat(255),
      ),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(near, cuts, (units, places) => {
        const bytes = Buffer.from([0x61, 0x62, 0x63, 0x64, ...units]);
        const text = decode(bytes, 'auto', places);
        expect(encode(text)).toEqual(bytes);
        const valid = !new TextDecoder('utf-8').decode(bytes).includes('\ufffd') || units.length === 0;
        if (valid) expect(text.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('shows such bytes in what was rejected', () => {
    expect(showRaw(decode(Buffer.from([0x61, 0xff, 0x62, 0xe2, 0x82])))).toBe('a\\xffb\\xe2\\x82');
    expect(showRaw(`${'x'.repeat(499)}😀😀`)).toBe(`${'x'.repeat(499)}… (503 characters)`);
  });
});

describe('encodings', () => {
  it('knows marks and UTF-16 without one', () => {
    const text = 'héllo 😀';
    const le = Buffer.from(text, 'utf16le');
    const be = Buffer.from(le).swap16();
    expect(decode(Buffer.concat([Buffer.from([0xff, 0xfe]), le]))).toBe(text);
    expect(decode(Buffer.concat([Buffer.from([0xfe, 0xff]), be]), 'auto', [3, 4, 5, 9])).toBe(text);
    expect(decode(le, 'utf-16le', [1, 2, 3])).toBe(text);
    expect(decode(Buffer.from('{"a"', 'utf16le'))).toBe('{"a"');
    expect(decode(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]), 'koi8-r')).toBe(text);
    expect(decode(Buffer.from('\ufeffa\ufeffb'))).toBe('a\ufeffb');
  });

  it('decodes every encoding that it names, and marks what has no meaning', () => {
    for (const encoding of encodings)
      expect(decode(Buffer.from('ab'), encoding)).toMatch(encoding.startsWith('utf-16') ? /^.$/u : /^ab$/);
    expect(decode(Buffer.from([0xcf, 0xf0, 0xe8]), 'windows-1251')).toBe('При');
    expect(decode(Buffer.from([0x61, 0xff, 0x81]), 'iso-8859-3')).toBeTypeOf('string');
    expect(decode(Buffer.from([0x61, 0xa5]), 'iso-8859-3').isWellFormed()).toBe(false);
  });
});

describe('lines', () => {
  const text = fc
    .array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', ' ', '\u2028'), { maxLength: 30 })
    .map((units) => units.join(''));
  async function lines(whole: string, places: number[] = [], limit = 1000): Promise<Line[]> {
    const blocks: string[] = [];
    let at = 0;
    for (const cut of [...places].sort((a, b) => a - b)) {
      if (cut <= at || cut >= whole.length) continue;
      blocks.push(whole.slice(at, cut));
      at = cut;
    }
    blocks.push(whole.slice(at));
    return (await Array.fromAsync(linesOf(iterate(blocks), limit))).flat();
  }
  async function* iterate(blocks: string[]): AsyncGenerator<string> {
    yield* blocks;
  }

  it('are split at LF and CR LF, however the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, async (body, places) => {
        const whole = `first\n${body}`;
        const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''));
        if (expected.at(-1) === '' && /(^|\n)\r?$/.test(whole)) expected.pop();
        const found = await lines(
          whole,
          places.map((place) => place + 6),
        );
        expect(found.map((line) => line.text)).toEqual(expected);
        expect(found.map((line) => line.number)).toEqual(expected.map((_, index) => index + 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('are split at CR in a file without LF', async () => {
    expect(endsWithCr('a\rb')).toBe(true);
    expect((await lines('a\rb\r\rc\r')).map((line) => line.text)).toEqual(['a', 'b', '', 'c']);
  });

  it('above the limit keep their beginning and length, and cost no more memory', async () => {
    const found = await lines(`ok\n${'x'.repeat(2500)}\nok`, [500, 1200, 1800, 2300], 1000);
    expect(found.map((line) => [line.number, line.text.length, line.tooLong])).toEqual([
      [1, 2, undefined],
      [2, 1000, 2500],
      [3, 2, undefined],
    ]);
  });
});
