import { randomBytes } from 'node:crypto';

/**
 * 64-bit hashes of texts, as two 32-bit halves that are never both zero. Two different texts of n share one with
 * probability n²/2⁶⁵ (3·10⁻⁸ for a million). The seed is random, so that nobody can prepare texts that collide; hashes
 * of two objects do not compare.
 */
export class TextHash {
  /** Halves of the hash of the text that was given last. */
  first = 0;
  second = 0;
  readonly #seed1: number;
  readonly #seed2: number;

  constructor() {
    const seed = randomBytes(8);
    this.#seed1 = seed.readUInt32LE(0);
    this.#seed2 = seed.readUInt32LE(4);
  }

  /** Hashes a text. The result lies in `first` and `second`: a pair of its own for each would cost more than the hash. */
  of(text: string): this {
    // Two multiply-xor lanes over the UTF-16 units, each ended with the finalizer of MurmurHash3 (Appleby).
    let a = this.#seed1 ^ text.length;
    let b = this.#seed2;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b ^ unit, 0x5f356495);
      b ^= b >>> 13;
    }
    a = finalize(a ^ Math.imul(b, 0x85ebca77));
    b = finalize(b ^ Math.imul(a, 0xc2b2ae3d));
    if (a === 0 && b === 0) a = 1;
    this.first = a;
    this.second = b;
    return this;
  }
}

function finalize(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
