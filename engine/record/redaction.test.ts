import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { Redaction } from './redaction.ts';

describe('redaction', () => {
  it('takes a secret out of texts, keys and lists, as it is and as JSON and URLs write it', () => {
    const redaction = new Redaction(['pass"word', 'a b&c=d']);
    expect(redaction.text('is pass"word, {"x":"pass\\"word"}')).toBe('is [secret], {"x":"[secret]"}');
    expect(redaction.text('https://x/?k=a%20b%26c%3Dd')).toBe('https://x/?k=[secret]');
    expect(redaction.json({ 'pass"word': ['xpass"wordx', 1, null, { a: true }] })).toEqual({
      '[secret]': ['x[secret]x', 1, null, { a: true }],
    });
  });

  it.each(['hunter2-and-more', 'päß wörd?>~', 'sk-0123456789'])(
    'takes out %j in base64 and in forms',
    (secret) => {
      const redaction = new Redaction([secret]);
      for (const user of ['', 'a', 'me', 'you', 'user'])
        for (const encoding of ['base64', 'base64url'] as const) {
          const coded = Buffer.from(`${user}:${secret}:x`).toString(encoding);
          const clean = redaction.text(`Authorization: Basic ${coded}`);
          expect(clean).toContain('[secret]');
          // At most the bits that it shares with its neighbours are left.
          expect(clean.replace('[secret]', '').length).toBeLessThanOrEqual(
            `Authorization: Basic ${coded}`.length - Math.floor((Buffer.byteLength(secret) * 8) / 6) + 1,
          );
        }
      const url = encodeURIComponent(secret);
      for (const form of [
        url,
        url.replaceAll(/%../g, (code) => code.toLowerCase()),
        url.replaceAll('%20', '+'),
      ])
        expect(redaction.text(`k=${form}&x=1`)).toBe('k=[secret]&x=1');
    },
  );

  it('takes the whole of a secret that contains another', () => {
    expect(new Redaction(['abcd', 'abcdefgh']).text('abcdefgh abcd')).toBe('[secret] [secret]');
  });

  it('takes out the lines of a secret, but for those that could be anything', () => {
    const key = ['{', '  "type": "account",', '  "key": "MIIEvQIB",', '}'].join('\n');
    const redaction = new Redaction([key]);
    expect(redaction.text(key)).toBe('[secret]');
    expect(key.split('\n').map((line) => redaction.text(line))).toEqual([
      '{',
      '  [secret]',
      '  [secret]',
      '}',
    ]);
    // However the program that prints it shifts or ends its lines.
    expect(redaction.text('> "key": "MIIEvQIB",\r')).toBe('> [secret]\r');
  });

  it('takes a short secret as a word only', () => {
    expect(new Redaction(['ab']).text('ab cab abc "ab"')).toBe('[secret] cab abc "[secret]"');
  });

  it('leaves digests whole', () => {
    const digest = digestOf('x');
    expect(new Redaction([digest.slice(10, 20)]).json([digest])).toEqual([digest]);
  });

  it('without secrets gives the very same', () => {
    const [value, bytes] = [{ a: 1 }, Buffer.from('x')];
    for (const redaction of [new Redaction(), new Redaction(['', ' '])]) {
      expect(redaction.none).toBe(true);
      expect(redaction.json(value)).toBe(value);
      expect(redaction.bytes(bytes)).toBe(bytes);
    }
  });

  it('finds a secret in bytes that come in pieces, wherever they are cut', async () => {
    const redaction = new Redaction(['hunter2']);
    async function* cut(text: string, size: number) {
      for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
    }
    for (let size = 1; size < 20; size++) {
      expect(await redaction.isIn(cut('the word is hunter2, they say', size))).toBe(true);
      expect(await redaction.isIn(cut('the word is hunter1, they say', size))).toBe(false);
    }
    expect(await new Redaction().isIn(cut('hunter2', 3))).toBe(false);
    for (let size = 1; size < 20; size++) {
      const text = 'hunter2: the word is hunter2, hunter2hunter';
      const clean = await Array.fromAsync(redaction.pieces(cut(text, size)));
      expect(Buffer.concat(clean).toString()).toBe(redaction.text(text));
    }
  });

  it('leaves no secret of four characters or more in any bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, unit: 'binary' }),
        fc.uint8Array(),
        fc.uint8Array(),
        (secret, a, b) => {
          fc.pre(secret.trim() !== '' && secret.isWellFormed() && !'[secret]'.includes(secret));
          const bytes = Buffer.concat([a, Buffer.from(secret), b]);
          const clean = new Redaction([secret]).bytes(bytes);
          expect(Buffer.from(clean).includes(Buffer.from(secret))).toBe(false);
        },
      ),
    );
  });
});
