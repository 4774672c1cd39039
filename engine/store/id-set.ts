import { randomBytes } from 'node:crypto';

/**
 * Which ids were seen, by 64-bit hashes in one open-addressing table: 16 bytes an id at most, so that a million ids take
 * 16 MB where a `Set` of strings takes 100. Two different ids share a hash with probability n²/2⁶⁵ (3·10⁻⁸ for a
 * million); the caller looks a repeated one up. The seed is random, so that nobody can prepare ids that collide.
 */
export class IdSet {
  #slots = new Uint32Array(2 * 1024);
  #mask = 1023;
  #size = 0;
  readonly #seed1: number;
  readonly #seed2: number;

  constructor() {
    const seed = randomBytes(8);
    this.#seed1 = seed.readUInt32LE(0);
    this.#seed2 = seed.readUInt32LE(4);
  }

  get size(): number {
    return this.#size;
  }

  /** False if the id, or another one with its hash, was added before. */
  add(id: string): boolean {
    if (this.#size * 3 > this.#mask * 2) this.#grow();
    // Two multiply-xor lanes over the UTF-16 units, each ended with the finalizer of MurmurHash3 (Appleby).
    let a = this.#seed1 ^ id.length;
    let b = this.#seed2;
    for (let index = 0; index < id.length; index++) {
      const unit = id.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b ^ unit, 0x5f356495);
      b ^= b >>> 13;
    }
    a = finalize(a ^ Math.imul(b, 0x85ebca77));
    b = finalize(b ^ Math.imul(a, 0xc2b2ae3d));
    // Zero in both marks an empty slot.
    if (a === 0 && b === 0) a = 1;
    return this.#insert(a, b);
  }

  #insert(a: number, b: number): boolean {
    const slots = this.#slots;
    for (let slot = a & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const first = slots[2 * slot]!;
      const second = slots[2 * slot + 1]!;
      if (first === 0 && second === 0) {
        slots[2 * slot] = a;
        slots[2 * slot + 1] = b;
        this.#size++;
        return true;
      }
      if (first === a && second === b) return false;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = 2 * this.#mask + 1;
    this.#slots = new Uint32Array(2 * (this.#mask + 1));
    this.#size = 0;
    for (let slot = 0; slot < old.length; slot += 2)
      if (old[slot] !== 0 || old[slot + 1] !== 0) this.#insert(old[slot]!, old[slot + 1]!);
  }
}

function finalize(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
