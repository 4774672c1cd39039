import type { PackedTexts } from './packed-texts.ts';

/** What a text is taken for the set of: runs of `size` characters (code points) or of words between white space. */
export interface Shingling {
  unit: 'char' | 'word';
  size: number;
}

/** Multiplies the hashes of a run's elements; odd, so that it has an inverse modulo 2³². */
const base = 0x2c1b3c6d;

/**
 * Hashes of a text's shingles, 32 bits each, with repeats, in buffers that are used again for the next text. A text of
 * fewer elements than a shingle has is one shingle. Different seeds give unrelated hashes.
 */
export class Shingler {
  /** The hashes; `count` of them are of the last text. */
  hashes = new Int32Array(1024);
  count = 0;
  #elements = new Int32Array(1024);
  readonly #size: number;
  readonly #words: boolean;
  /** base^size modulo 2³². */
  readonly #leaving: number;

  constructor({ unit, size }: Shingling) {
    this.#words = unit === 'word';
    this.#size = size;
    let power = 1;
    for (let i = 0; i < size; i++) power = Math.imul(power, base);
    this.#leaving = power;
  }

  fill({ units, starts }: PackedTexts, text: number, seed: number): void {
    const from = starts[text]!;
    const to = starts[text + 1]!;
    if (this.#elements.length < to - from + 1) {
      this.#elements = new Int32Array(2 * (to - from + 1));
      this.hashes = new Int32Array(2 * (to - from + 1));
    }
    const length = this.#words
      ? this.#wordHashes(units, from, to, seed)
      : this.#characterHashes(units, from, to, seed);
    const { hashes } = this;
    const elements = this.#elements;
    const size = Math.min(this.#size, length);
    // A run's hash is the sum of its elements' times powers of the base: one step for each place it moves by.
    let rolling = 0;
    for (let i = 0; i < size; i++) rolling = (Math.imul(rolling, base) + elements[i]!) | 0;
    hashes[0] = mix(rolling);
    const leaving = this.#leaving;
    for (let i = size; i < length; i++) {
      rolling = (Math.imul(rolling, base) - Math.imul(elements[i - size]!, leaving) + elements[i]!) | 0;
      hashes[i - size + 1] = mix(rolling);
    }
    this.count = length - size + 1;
  }

  #characterHashes(units: Uint16Array, from: number, to: number, seed: number): number {
    let length = 0;
    for (let at = from; at < to; at++) {
      let point = units[at]!;
      // A high surrogate with the low one that belongs to it; a lone one stands for itself.
      if (point >= 0xd800 && point < 0xdc00 && at + 1 < to) {
        const low = units[at + 1]!;
        if (low >= 0xdc00 && low < 0xe000) {
          point = (point - 0xd800) * 0x400 + low - 0xdc00 + 0x10000;
          at++;
        }
      }
      this.#elements[length++] = mix(point ^ seed);
    }
    return length;
  }

  #wordHashes(units: Uint16Array, from: number, to: number, seed: number): number {
    let length = 0;
    for (let at = from; at < to; ) {
      while (at < to && isSpace(units[at]!)) at++;
      if (at === to) break;
      let word = seed;
      for (; at < to && !isSpace(units[at]!); at++) word = mix(Math.imul(word, base) + units[at]!);
      this.#elements[length++] = word;
    }
    return length;
  }
}

/** The set of a text's shingles: ascending numbers of 53 bits, without repeats. */
export function shingleSet(shingler: Shingler, texts: PackedTexts, text: number): Float64Array {
  shingler.fill(texts, text, 1);
  const low = shingler.hashes.slice(0, shingler.count);
  shingler.fill(texts, text, 2);
  const high = shingler.hashes;
  const keys = new Float64Array(low.length);
  for (let i = 0; i < keys.length; i++) keys[i] = (high[i]! >>> 11) * 4_294_967_296 + (low[i]! >>> 0);
  return ascendingSet(keys);
}

/** Sorts numbers in place and gives each once. */
export function ascendingSet(keys: Float64Array): Float64Array {
  keys.sort();
  let size = 0;
  for (const key of keys) if (size === 0 || key !== keys[size - 1]) keys[size++] = key;
  return keys.slice(0, size);
}

/** MurmurHash3's finalizer (Appleby): every bit of the input changes every bit of the result half of the time. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 9 && unit <= 13) || (unit >= 0x1c && unit <= 0x1f);
  if (unit < 0x85) return false;
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}
