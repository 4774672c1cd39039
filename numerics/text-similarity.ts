import { editDistance } from './edit-distance.ts';
import type { PackedTexts } from './packed-texts.ts';
import { Shingler, type Shingling, shingleSet } from './shingles.ts';

/** How alike two texts are, exactly. */
export type Measure = { kind: 'jaccard'; shingling: Shingling } | { kind: 'edit' };

/**
 * Similarity of two texts, 0 to 1; what is below `least` may be given as any number below it.
 *
 * `jaccard`: |A ∩ B| / |A ∪ B| of the sets of shingles, told apart by 53 bits of hash.
 * `edit`: 1 − d / the longer text's length, with Levenshtein's distance d, both in UTF-16 code units; 1 for two empty texts.
 */
export function openSimilarity(
  texts: PackedTexts,
  measure: Measure,
): (a: number, b: number, least: number) => number {
  if (measure.kind === 'edit') {
    const { units, starts } = texts;
    const text = (index: number) => units.subarray(starts[index]!, starts[index + 1]!);
    return (a, b, least) => {
      const left = text(a);
      const right = text(b);
      const longer = Math.max(left.length, right.length);
      if (longer === 0) return 1;
      // Rounding may not cost a pair that lies on the threshold.
      const most = Math.floor((1 - least) * longer + 1e-9);
      if (Math.abs(left.length - right.length) > most) return -1;
      return 1 - editDistance(left, right) / longer;
    };
  }
  const sets = new ShingleSets(texts, measure.shingling);
  return (a, b, least) => jaccard(sets.of(a), sets.of(b), least);
}

/** Jaccard similarity of two ascending lists without repeats; −1 as soon as it is known to be below `least`. */
function jaccard(a: Float64Array, b: Float64Array, least: number): number {
  const total = a.length + b.length;
  // J ≥ t needs |A ∩ B| ≥ t / (1 + t) · (|A| + |B|): so many of either may be missing in the other.
  const needed = (least / (1 + least)) * total - 1e-9;
  let missingInB = a.length - needed;
  let missingInA = b.length - needed;
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i]!;
    const right = b[j]!;
    if (left === right) {
      shared++;
      i++;
      j++;
    } else if (left < right) {
      i++;
      if (--missingInB < 0) return -1;
    } else {
      j++;
      if (--missingInA < 0) return -1;
    }
  }
  return shared / (total - shared);
}

/** Numbers of all sets that are kept at a time: 64 MB. */
const mostKept = 8_000_000;

/** The sets of shingles of texts, made when they are asked for; the latest stay. */
class ShingleSets {
  readonly #texts: PackedTexts;
  readonly #shingler: Shingler;
  #sets = new Map<number, Float64Array>();
  #kept = 0;

  constructor(texts: PackedTexts, shingling: Shingling) {
    this.#texts = texts;
    this.#shingler = new Shingler(shingling);
  }

  of(text: number): Float64Array {
    const known = this.#sets.get(text);
    if (known) return known;
    const set = shingleSet(this.#shingler, this.#texts, text);
    if (this.#kept > mostKept) {
      this.#sets = new Map();
      this.#kept = 0;
    }
    this.#sets.set(text, set);
    this.#kept += set.length;
    return set;
  }
}
