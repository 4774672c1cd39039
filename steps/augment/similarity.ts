import { editDistance } from '../../numerics/edit-distance.ts';

export const similarities = ['trigrams', 'edit'] as const;

/**
 * How alike two texts are, 0 to 1, whatever the case.
 * `trigrams`: the Jaccard similarity of their sets of three characters in a row; `edit`: 1 − d / the longer length, with Levenshtein's distance d.
 */
export function similarity(a: string, b: string, measure: (typeof similarities)[number]): number {
  const [left, right] = [plain(a), plain(b)];
  if (left === right) return 1;
  if (measure === 'edit')
    return 1 - editDistance(units(left), units(right)) / Math.max(left.length, right.length);
  const [one, two] = [trigrams(left), trigrams(right)];
  let shared = 0;
  for (const gram of one) if (two.has(gram)) shared++;
  return shared / (one.size + two.size - shared);
}

/** What makes two texts duplicates: the same letters and digits, in their order. */
export function sameKey(text: string): string {
  return (
    plain(text)
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim() || plain(text)
  );
}

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

function trigrams(text: string): Set<string> {
  const characters = [...` ${text} `];
  const found = new Set<string>();
  for (let at = 0; at + 3 <= characters.length; at++) found.add(characters.slice(at, at + 3).join(''));
  if (found.size === 0) found.add(text);
  return found;
}

function units(text: string): Uint16Array {
  return Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}
