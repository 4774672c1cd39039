import { describe, expect, it } from 'vitest';
import { readFastText } from './fasttext.ts';
import { openLanguageIdentifier } from './language-identifier.ts';

describe('openLanguageIdentifier', () => {
  const identify = openLanguageIdentifier({ minConfidence: 0, minLetters: 0 });

  // What fastText's own program says (fasttext-predict 0.9.2.4).
  it.each([
    ['How do I locate my card?', 'en', 0.92699],
    ['Девушка укладывает волосы.', 'ru', 0.96738],
    ['Der schnelle braune Fuchs springt über den faulen Hund', 'de', 0.97395],
    ['El zorro marrón salta sobre el perro perezoso', 'es', 0.92237],
    ['今日は天気がいいです', 'ja', 0.99851],
    ['今天天气很好', 'zh', 0.85091],
    ['ok', 'en', 0.62977],
    ['12345', 'en', 0.1245],
    ['', 'en', 0.1245],
    ['Это mixed текст with English words', 'ru', 0.85],
  ])('gives what fastText gives for %o', (text, language, confidence) => {
    const found = identify(text);
    expect(found.language).toBe(language);
    expect(found.confidence).toBeCloseTo(confidence, 4);
  });

  it('says und for what is too short or unclear', () => {
    const careful = openLanguageIdentifier({ minConfidence: 0.65, minLetters: 3 });
    for (const text of ['ok', '', '12345', '?!', 'ja', 'no']) expect(careful(text).language).toBe('und');
    expect(careful('What is the weather like today?').language).toBe('en');
  });

  it('takes line breaks, long texts and broken characters', () => {
    expect(identify('Wie geht es\nIhnen heute?').language).toBe('de');
    expect(identify('Девушка укладывает волосы. '.repeat(4000)).language).toBe('ru');
    expect(identify('x'.repeat(100_000)).confidence).toBeGreaterThan(0);
    expect(identify('\ud800\u0000').confidence).toBeGreaterThan(0);
  });
});

describe('readFastText', () => {
  it('says what it does not read', () => {
    expect(() => readFastText(new Uint8Array(64))).toThrow('no fastText model');
  });
});
