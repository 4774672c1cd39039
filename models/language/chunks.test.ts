import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf } from './chunks.ts';

/** A token for each word, and one for each four letters of it. */
const count = (text: string): number =>
  (text.match(/\S+/g) ?? []).reduce((sum, word) => sum + Math.ceil(word.length / 4), 0);

describe('chunks of a text', () => {
  it('are cut at headings where that is enough', () => {
    const text = '# One\na b c\n\nd e f\n## Two\ng h\n# Three\ni j k\n';
    expect(chunksOf(text, 9, count)).toEqual([
      '# One\na b c\n\nd e f\n',
      '## Two\ng h\n',
      '# Three\ni j k\n',
    ]);
    expect(chunksOf(text, 14, count)).toEqual(['# One\na b c\n\nd e f\n## Two\ng h\n', '# Three\ni j k\n']);
  });

  it('are cut at paragraphs, then lines, then sentences, then words', () => {
    expect(chunksOf('a b c\n\nd e f\n\ng', 4, count)).toEqual(['a b c\n\n', 'd e f\n\ng']);
    expect(chunksOf('a b c\nd e f\ng', 4, count)).toEqual(['a b c\n', 'd e f\ng']);
    expect(chunksOf('Is it so? It is so. Yes.', 4, count)).toEqual(['Is it so? ', 'It is so. Yes.']);
    expect(chunksOf('a b c d e f g', 3, count).map((chunk) => count(chunk))).toEqual([3, 3, 1]);
    expect(chunksOf('x'.repeat(40), 5, count)).toEqual(['x'.repeat(20), 'x'.repeat(20)]);
  });

  it('are none of no text, one of a short one, and a character each where no more fits', () => {
    expect(chunksOf('', 5, count)).toEqual([]);
    expect(chunksOf('short', 5, count)).toEqual(['short']);
    expect(chunksOf('😀é', 1, () => 9)).toEqual(['😀', 'é']);
    expect(() => chunksOf('x', 0, count)).toThrow(RangeError);
  });

  it('are the text again, and fit', () => {
    const word = fc.stringMatching(/^[a-zа-я中😀]{1,12}$/u);
    const between = fc.constantFrom(' ', '\n', '\n\n', '. ', '\n# ', '\r\n\r\n', '\t', '\u00a0');
    const text = fc
      .array(fc.tuple(word, between), { maxLength: 60 })
      .map((parts) => parts.map(([a, b]) => a + b).join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 3, max: 30 }), (whole, most) => {
        const chunks = chunksOf(whole, most, count);
        expect(chunks.join('')).toBe(whole);
        for (const chunk of chunks) expect(count(chunk)).toBeLessThanOrEqual(most);
      }),
    );
  });
});
