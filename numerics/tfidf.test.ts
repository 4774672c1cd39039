import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitVocabulary, inverseDocumentFrequency, ngramsOf, Tfidf } from './tfidf.ts';

const plain = {
  analyzer: 'word',
  ngramRange: [1, 1],
  minDf: 1,
  maxDf: 1,
  maxFeatures: null,
  sublinearTf: false,
} as const;
const documents = ['the cat sat on the mat', 'the dog sat', 'cats and dogs', 'a mat for the dog'];

describe('terms', () => {
  it('are the words of two or more letters, alone and in runs', () => {
    expect(ngramsOf('I don’t know_it: 42 ½ Ünïcode', { analyzer: 'word', ngramRange: [1, 1] })).toEqual([
      'don',
      'know_it',
      '42',
      'ünïcode',
    ]);
    expect(ngramsOf('one two three', { analyzer: 'word', ngramRange: [2, 3] })).toEqual([
      'one two',
      'two three',
      'one two three',
    ]);
    expect(ngramsOf('one', { analyzer: 'word', ngramRange: [2, 3] })).toEqual([]);
  });

  it('are characters within words, as scikit-learn cuts them', () => {
    expect(ngramsOf('Ab  c', { analyzer: 'char_wb', ngramRange: [2, 3] })).toEqual([
      ' a',
      'ab',
      'b ',
      ' ab',
      'ab ',
      ' c',
      'c ',
      ' c ',
    ]);
    // A word shorter than the n-gram counts once.
    expect(ngramsOf('a', { analyzer: 'char_wb', ngramRange: [4, 6] })).toEqual([' a ']);
    expect(ngramsOf('😀', { analyzer: 'char_wb', ngramRange: [2, 2] })).toEqual([' 😀', '😀 ']);
    expect(ngramsOf(' \n\t\u0085 ', { analyzer: 'char_wb', ngramRange: [2, 2] })).toEqual([]);
  });
});

describe('Tfidf', () => {
  it('gives what scikit-learn 1.9 gives', () => {
    const vocabulary = fitVocabulary(documents, plain);
    expect(vocabulary.terms).toEqual(['and', 'cat', 'cats', 'dog', 'dogs', 'for', 'mat', 'on', 'sat', 'the']);
    const [once, twice, thrice] = [1.916290731874155, 1.5108256237659907, 1.2231435513142097];
    const idf = [once, once, once, twice, once, once, twice, once, twice, thrice];
    inverseDocumentFrequency(vocabulary).forEach(
      (value, column) => void expect(value).toBeCloseTo(idf[column]!, 14),
    );
    const { starts, indices, values } = new Tfidf(vocabulary, plain).transform(documents);
    expect([...starts]).toEqual([0, 5, 8, 11, 15]);
    expect([...indices]).toEqual([1, 6, 7, 8, 9, 3, 8, 9, 0, 2, 4, 3, 5, 6, 9]);
    const expected = [
      0.4530117997395951, 0.35715970626521537, 0.4530117997395951, 0.35715970626521537, 0.5783031272909357,
      0.6136667440107333, 0.6136667440107333, 0.4968161174826459, 0.5773502691896257, 0.5773502691896257,
      0.5773502691896257, 0.48426290003607125, 0.6142260844216119, 0.48426290003607125, 0.3920525532545391,
    ];
    values.forEach((value, entry) => void expect(value).toBeCloseTo(expected[entry]!, 14));
  });

  it('leaves out rare and frequent terms, and keeps the most used', () => {
    const terms = (options: object) => fitVocabulary(documents, { ...plain, ...options }).terms;
    expect(terms({ minDf: 2 })).toEqual(['dog', 'mat', 'sat', 'the']);
    expect(terms({ minDf: 0.5, maxDf: 0.6 })).toEqual(['dog', 'mat', 'sat']);
    expect(terms({ maxDf: 2 })).not.toContain('the');
    expect(terms({ maxFeatures: 3 })).toEqual(['dog', 'mat', 'the']);
  });

  it('gives rows of length 1, or of zeros where no term is known', () => {
    const tfidf = new Tfidf(fitVocabulary(documents, plain), { ...plain, sublinearTf: true });
    const words = fc.array(fc.constantFrom('cat', 'dog', 'the', 'unknown', '猫', ''), { maxLength: 20 });
    fc.assert(
      fc.property(words, (list) => {
        const { starts, indices, values } = tfidf.transform([list.join(' ')]);
        const known = new Set(list.filter((word) => ['cat', 'dog', 'the'].includes(word)));
        expect(starts[1]).toBe(known.size);
        expect([...indices]).toEqual([...indices].sort((a, b) => a - b));
        if (known.size > 0) expect(Math.hypot(...values)).toBeCloseTo(1, 12);
      }),
    );
  });
});
