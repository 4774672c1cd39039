import { profaneWords } from './profane-words.ts';

const languages: Partial<Record<string, string>> = profaneWords;
/** Scripts that write words without spaces in between. */
const unspaced = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{sc=Thai}]/u;
const word = /[\p{L}\p{N}\p{M}]+/gu;
/** Words and phrases that the pattern above finds as they are; others have marks in them. */
const plain = /^[\p{L}\p{N}\p{M}]+(?:\s+[\p{L}\p{N}\p{M}]+)*$/u;
/** The list has Russian in Latin letters only. These are the stems of what is obscene in Cyrillic, with their endings. */
const russian =
  /^(?:(?:на|по|о|ни|до|за|от|вы|при|рас|с|у|а)?ху[йяеёю]\p{L}*|(?:о|за|на|с|рас|вы|от|до|при|пере|под|у|по)?пизд\p{L}*|(?:за|на|вы|от|отъ|до|при|разъ|подъ|объ|съ|у|по|долбо|уё?)?[её]б(?:а|л[аоиы]|у|н|и|ыв|ёт|ет)\p{L}*|бля(?:[тд]\p{L}*)?|муда[кч]\p{L}*|говн\p{L}*|залуп\p{L}*|дроч\p{L}*|ссук\p{L}*|сук(?:а|и|у|е|ой|ам|ами))$/u;

/** The words of languages, and of a file with a word or phrase on each line, without those that are allowed. */
export function profaneList(
  names: readonly string[],
  own: string | null,
  allow: readonly string[],
): string[] {
  const allowed = new Set(allow.map((one) => one.toLowerCase()));
  const words = names.flatMap((name) => languages[name]?.split('|') ?? []);
  const more = (own ?? '').split(/\r?\n/).map((line) => line.trim().toLowerCase());
  return [...new Set([...words, ...more])].filter((one) => one !== '' && !allowed.has(one));
}

/**
 * Counts the words of a list in a text: whole words, whatever their case. `cyrillic`: obscene Russian words too, but for those that
 * are allowed. Time is that of reading the words of the text, however long the list.
 */
export function openProfanity(
  list: readonly string[],
  { cyrillic, allow }: { cyrillic: boolean; allow: readonly string[] },
): (text: string) => number {
  const allowed = new Set(allow.map((one) => one.toLowerCase()));
  /** By the first word, the words after it. */
  const phrases = new Map<string, string[][]>();
  const marked: string[] = [];
  for (const one of list) {
    if (unspaced.test(one) || !plain.test(one)) {
      marked.push(one);
      continue;
    }
    const [first = '', ...rest] = one.split(/\s+/);
    phrases.set(first, [...(phrases.get(first) ?? []), rest]);
  }
  const pattern = marked.length > 0 ? new RegExp(marked.map(escaped).join('|'), 'gu') : undefined;
  return (text) => {
    const lower = text.toLowerCase();
    const words = lower.match(word) ?? [];
    let count = pattern ? (lower.match(pattern)?.length ?? 0) : 0;
    for (const [at, first] of words.entries()) {
      const found = phrases
        .get(first)
        ?.some((rest) => rest.every((next, step) => words[at + 1 + step] === next));
      if (found || (cyrillic && russian.test(first) && !allowed.has(first))) count++;
    }
    return count;
  };
}

function escaped(one: string): string {
  const pattern = one.split(/\s+/).map(RegExp.escape).join('\\s+');
  return unspaced.test(one) ? pattern : `(?<![\\p{L}\\p{N}\\p{M}])${pattern}(?![\\p{L}\\p{N}\\p{M}])`;
}
