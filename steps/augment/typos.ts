import type { Random } from '../../engine/step.ts';

/** Keys side by side on the usual keyboards for Latin and Cyrillic letters. */
const rows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'];
const below: readonly (readonly [string, string])[] = [
  ['qwertyuiop', 'asdfghjkl'],
  ['asdfghjkl', 'zxcvbnm'],
  ['йцукенгшщзхъ', 'фывапролджэ'],
  ['фывапролджэ', 'ячсмитьбю'],
];
const neighbours = new Map<string, string[]>();
const link = (a: string | undefined, b: string | undefined) => {
  if (a === undefined || b === undefined) return;
  neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
  neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
};
for (const row of rows) [...row].forEach((key, index) => void link(key, row[index + 1]));
for (const [upper, lower] of below)
  [...lower].forEach((key, index) => {
    link(key, upper[index]);
    link(key, upper[index + 1]);
  });

/** A whole number whose mean over many draws is the share of `n`. */
export function drawnCount(share: number, n: number, random: Random): number {
  const exact = share * n;
  const whole = Math.floor(exact + 1e-9);
  return whole + (random.next() < exact - whole ? 1 : 0);
}

/** `count` different indices below `n`, ascending. */
export function drawnIndices(count: number, n: number, random: Random): number[] {
  const all = Array.from({ length: n }, (_, index) => index);
  for (let at = 0; at < Math.min(count, n); at++) {
    const other = at + random.int(n - at);
    [all[at], all[other]] = [all[other]!, all[at]!];
  }
  return all.slice(0, count).sort((a, b) => a - b);
}

/**
 * Mistypes a share of the letters: a neighbouring key instead of the letter, or besides it; the letter left out, or changed with the
 * next one. Gives the text and the number of mistakes.
 */
export function withTypos(text: string, share: number, random: Random): { text: string; edits: number } {
  const characters = [...text];
  const letters = characters.flatMap((character, index) => (/\p{L}/u.test(character) ? [index] : []));
  const count = Math.min(letters.length, drawnCount(share, letters.length, random));
  const chosen = new Set(drawnIndices(count, letters.length, random).map((at) => letters[at]!));
  let out = '';
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!;
    if (!chosen.has(index)) {
      out += character;
      continue;
    }
    const near = neighbours.get(character.toLowerCase());
    const next = characters[index + 1];
    const canSwap = next !== undefined && /\p{L}/u.test(next) && next !== character && !chosen.has(index + 1);
    const kinds = ['omit', ...(near ? ['replace', 'insert'] : []), ...(canSwap ? ['swap'] : [])];
    const kind = kinds[random.int(kinds.length)]!;
    if (kind === 'swap') {
      out += next! + character;
      index++;
    } else if (kind !== 'omit') {
      const key = near![random.int(near!.length)]!;
      const typed = character === character.toLowerCase() ? key : key.toUpperCase();
      out += kind === 'insert' ? character + typed : typed;
    }
  }
  return { text: out, edits: chosen.size };
}

/** Leaves out a share of the words (runs between white space), at least one of which stays. */
export function withoutWords(text: string, share: number, random: Random): { text: string; edits: number } {
  const parts = text.split(/(\s+)/);
  const words = parts.flatMap((part, index) => (part !== '' && !/^\s/.test(part) ? [index] : []));
  const count = Math.max(0, Math.min(words.length - 1, drawnCount(share, words.length, random)));
  const gone = new Set(drawnIndices(count, words.length, random).map((at) => words[at]!));
  const kept = parts.filter((_, index) => !gone.has(index) && !(index > 0 && gone.has(index - 1)));
  return { text: kept.join('').trim(), edits: gone.size };
}
