import snowball from 'snowball-stemmers';

const english = snowball.newStemmer('english');
const russian = snowball.newStemmer('russian');
const known = new Map<string, string>();
const mostKnown = 100_000;

/**
 * Stem of a word in lower case (Snowball; Porter 2001): Russian for Cyrillic letters, English for all others, whose
 * own forms mostly stay apart then, which does no harm where stems only tell which forms are counted together.
 */
export function stem(word: string): string {
  let found = known.get(word);
  if (found === undefined) {
    const plain = word.replace(/['’]\p{L}*$/u, '');
    found = (/\p{sc=Cyrillic}/u.test(plain) ? russian : english).stem(plain);
    if (known.size === mostKnown) known.clear();
    known.set(word, found);
  }
  return found;
}
