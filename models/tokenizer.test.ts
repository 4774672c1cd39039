import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWithin, openTokenizer, type Tokenizer, type TokenizerJson } from './tokenizer.ts';

const fixtures = resolve(import.meta.dirname, '../test/fixtures/encoders');
const reference = JSON.parse(readFileSync(join(fixtures, 'texts.json'), 'utf8')) as {
  texts: string[];
  ids: Record<string, number[][]>;
};

describe.each(Object.keys(reference.ids))('tokenizer of %s', (name) => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    const folder = join(import.meta.dirname, name);
    const config = name.startsWith('all') ? join(folder, 'tokenizer_config.json') : undefined;
    tokenizer = await openTokenizer(join(folder, 'tokenizer.json'), config);
  });

  it('gives the ids of the Rust library', () => {
    reference.texts.forEach((text, index) => {
      expect(encodeWithin(tokenizer, text, 256).ids, JSON.stringify(text.slice(0, 60))).toEqual(
        reference.ids[name]![index],
      );
    });
  });

  it('cuts at the limit and keeps the special tokens at both ends', () => {
    const full = encodeWithin(tokenizer, 'where is my card now', 256);
    expect(full.truncated).toBe(false);
    expect(full.ids.length).toBeLessThan(20);
    const cut = encodeWithin(tokenizer, 'where is my card now', 5);
    expect(cut.truncated).toBe(true);
    expect(cut.ids).toEqual([...full.ids.slice(0, 4), full.ids.at(-1)]);
    expect(encodeWithin(tokenizer, 'where is my card now', full.ids.length).truncated).toBe(false);
    expect(() => encodeWithin(tokenizer, 'card', 2)).toThrow('leaves no room');
  });

  it('gives a long text what its whole would give, without reading it all', () => {
    const words = fc.array(
      fc.constantFrom('card', 'überweisung', 'карта', '银行', '👩‍👧', '…', '\ud83d', 'a'.repeat(130)),
      {
        minLength: 20,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(words, (list) => {
        const text = list.join(' ').repeat(20);
        const whole = tokenizer.encode(text.toWellFormed());
        const room = 8;
        expect(encodeWithin(tokenizer, text, room + 2).ids.slice(1, -1)).toEqual(whole.slice(0, room));
      }),
      { numRuns: 30 },
    );
    const started = performance.now();
    expect(encodeWithin(tokenizer, 'a card, '.repeat(2_000_000), 256).ids).toHaveLength(256);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('gives the ids of the library, text by text', async () => {
    const json = JSON.parse(
      readFileSync(join(import.meta.dirname, name, 'tokenizer.json'), 'utf8'),
    ) as TokenizerJson;
    if (json.model.type !== 'WordPiece') return;
    const library = new Library(json, {});
    const space = fc.constantFrom(' ', '\n', '\t', '\r', '\u00a0', '\u2028', '\0', '\u0301', '');
    const word = fc.oneof(
      fc.constantFrom(
        'card',
        'Ünïcode',
        'can’t',
        '[MASK]',
        'x[SEP]y',
        '银行',
        'в банке',
        '👩‍👧',
        '##s',
        '--',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(word, space), { maxLength: 12 }), (parts) => {
        const text = parts.flat().join('').toWellFormed();
        // Rare ideographs the library does not set apart.
        if (/[\u{20000}-\u{2fa1f}]/u.test(text)) return;
        expect(tokenizer.encode(text)).toEqual(library.encode(text, { add_special_tokens: false }).ids);
      }),
      { numRuns: 300 },
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const { ids } = encodeWithin(tokenizer, text, 64);
        expect(ids.length).toBeGreaterThanOrEqual(2);
        expect(ids.every(Number.isInteger)).toBe(true);
      }),
    );
  });
});
