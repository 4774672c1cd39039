import type { Bands } from './lsh-bands.ts';
import type { PackedTexts } from './packed-texts.ts';
import { uniform } from './random.ts';
import { mix, Shingler, type Shingling } from './shingles.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface MinHashOptions extends Bands {
  texts: PackedTexts;
  shingling: Shingling;
  seed: number;
}

/**
 * MinHash signatures (Broder 1997) of the texts `from` to `to`, a hash for each band of them: [bands, texts], as
 * `bandHashes[band * (to - from) + text - from]`. A signature's value is the least of the shingles' hashes under one
 * permutation of the 32-bit numbers, h → a·h + b with an odd a; two texts have equal values with the probability of
 * their Jaccard similarity. Time is shingles × values; only the bands' hashes are kept.
 */
export function bandHashes({
  texts,
  shingling,
  seed,
  bands,
  rows,
  from,
  to,
}: MinHashOptions & { from: number; to: number }): Int32Array {
  const values = bands * rows;
  // Four permutations at a time share the reading of a hash.
  const padded = Math.ceil(values / 4) * 4;
  const next = uniform(seed);
  const factors = Int32Array.from({ length: padded }, () => Math.floor(next() * 4_294_967_296) | 1);
  const offsets = Int32Array.from({ length: padded }, () => Math.floor(next() * 4_294_967_296) | 0);
  const signature = new Int32Array(padded);
  const found = new Int32Array(bands * (to - from));
  const shingler = new Shingler(shingling);
  for (let text = from; text < to; text++) {
    shingler.fill(texts, text, 1);
    const { hashes, count } = shingler;
    for (let at = 0; at < padded; at += 4) {
      const a0 = factors[at]!;
      const a1 = factors[at + 1]!;
      const a2 = factors[at + 2]!;
      const a3 = factors[at + 3]!;
      const b0 = offsets[at]!;
      const b1 = offsets[at + 1]!;
      const b2 = offsets[at + 2]!;
      const b3 = offsets[at + 3]!;
      let least0 = 0x7fffffff;
      let least1 = 0x7fffffff;
      let least2 = 0x7fffffff;
      let least3 = 0x7fffffff;
      for (let i = 0; i < count; i++) {
        const hash = hashes[i]!;
        const value0 = (Math.imul(a0, hash) + b0) | 0;
        const value1 = (Math.imul(a1, hash) + b1) | 0;
        const value2 = (Math.imul(a2, hash) + b2) | 0;
        const value3 = (Math.imul(a3, hash) + b3) | 0;
        if (value0 < least0) least0 = value0;
        if (value1 < least1) least1 = value1;
        if (value2 < least2) least2 = value2;
        if (value3 < least3) least3 = value3;
      }
      signature[at] = least0;
      signature[at + 1] = least1;
      signature[at + 2] = least2;
      signature[at + 3] = least3;
    }
    for (let band = 0; band < bands; band++) {
      let hash = band;
      for (let i = band * rows; i < (band + 1) * rows; i++)
        hash = mix(Math.imul(hash, 0x2c1b3c6d) + signature[i]!);
      found[band * (to - from) + text - from] = hash;
    }
  }
  return found;
}
