import snowball from 'snowball-stemmers';
import { europeanStopWords } from './european-stop-words.ts';
import { stem } from './stem.ts';
import { isStopWord } from './stop-words.ts';

/** Snowball's names of languages, by ISO 639-1. */
const algorithms = {
  ar: 'arabic',
  ca: 'catalan',
  cs: 'czech',
  da: 'danish',
  de: 'german',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  hu: 'hungarian',
  hy: 'armenian',
  it: 'italian',
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
} as const;

export type AnalysedLanguage = 'auto' | keyof typeof algorithms;

/** Languages whose words can be compared by their stems; `auto` is Russian for Cyrillic letters and English for all others. */
export const analysedLanguages = ['auto', ...Object.keys(algorithms)] as readonly AnalysedLanguage[];

/** What is made of the words (in lower case) of a language before they are compared. */
export interface Analyser {
  /** Stem by Snowball (Porter 2001), without elided articles: `l'eau` is `eau`. */
  stem(word: string): string;
  /** Whether a word says nothing about a topic. Known for en, ru, de, fr, es, it, pt and nl. */
  isStopWord(word: string): boolean;
}

const elision = /^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|all|d?ell|nell|sull|un|quest)['’](?=\p{L})/u;
const elided: readonly AnalysedLanguage[] = ['fr', 'it', 'ca'];
const mostKnown = 100_000;

/** Opens the stemmer and stop words of a language; stems that were asked for are kept, 100,000 at most. */
export function analyserOf(language: AnalysedLanguage): Analyser {
  if (language === 'auto' || language === 'en' || language === 'ru') return { stem, isStopWord };
  const snowballStemmer = snowball.newStemmer(algorithms[language]);
  const stopWords = new Set(europeanStopWords[language]?.split(/\s+/));
  const bare = (word: string) => (elided.includes(language) ? word.replace(elision, '') : word);
  const known = new Map<string, string>();
  return {
    stem(word) {
      let found = known.get(word);
      if (found === undefined) {
        found = snowballStemmer.stem(bare(word));
        if (known.size === mostKnown) known.clear();
        known.set(word, found);
      }
      return found;
    },
    isStopWord: (word) => stopWords.has(word) || stopWords.has(bare(word)),
  };
}
