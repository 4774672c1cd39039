import { expect, it } from 'vitest';
import { type AnalysedLanguage, analysedLanguages, analyserOf } from './analyser.ts';

it.each([
  ['auto', 'cards', 'card'],
  ['auto', 'карты', 'карту'],
  ['de', 'karten', 'karte'],
  ['fr', "l'eau", 'eau'],
  ['fr', 'd’argent', 'argents'],
  ['it', "dell'acqua", 'acqua'],
  ['es', 'tarjetas', 'tarjeta'],
  ['pt', 'cartões', 'cartões'],
  ['nl', 'kaarten', 'kaart'],
  ['tr', 'kartlar', 'kart'],
] as [AnalysedLanguage, string, string][])('%s: %s and %s have one stem', (language, one, other) => {
  const { stem } = analyserOf(language);
  expect(stem(one)).toBe(stem(other));
});

it('knows the words without a topic of the common languages', () => {
  const words = {
    en: 'the',
    ru: 'как',
    de: 'nicht',
    fr: "qu'elle",
    es: 'dónde',
    it: 'perché',
    pt: 'não',
    nl: 'waarom',
  };
  for (const [language, word] of Object.entries(words))
    expect(analyserOf(language as AnalysedLanguage).isStopWord(word), word).toBe(true);
  expect(analyserOf('de').isStopWord('karte')).toBe(false);
  // "die" is an article in German only.
  expect(['de', 'en'].map((language) => analyserOf(language as AnalysedLanguage).isStopWord('die'))).toEqual([
    true,
    false,
  ]);
});

it('takes any word in every language', () => {
  for (const language of analysedLanguages) {
    const { stem, isStopWord } = analyserOf(language);
    for (const word of ['', 'a', '日本', '😀', "'", 'x'.repeat(10_000), 'كتاب', 'नमस्ते']) {
      expect(typeof stem(word)).toBe('string');
      expect(typeof isStopWord(word)).toBe('boolean');
    }
  }
});
