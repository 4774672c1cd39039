import { TextHash } from './text-hash.ts';

/**
 * Which ids were seen, by 64-bit hashes in one open-addressing table: 16 bytes an id at most, so that a million ids take
 * 16 MB where a `Set` of strings takes 100. Two different ids may share a hash (see `TextHash`): the caller looks a
 * repeated one up.
 */
export class IdSet {
  // Zero in both halves marks an empty slot.
  #slots = new Uint32Array(2 * 1024);
  #mask = 1023;
  #size = 0;
  readonly #hash = new TextHash();

  get size(): number {
    return this.#size;
  }

  /** False if the id, or another one with its hash, was added before. */
  add(id: string): boolean {
    if (this.#size * 3 > this.#mask * 2) this.#grow();
    const { first, second } = this.#hash.of(id);
    return this.#insert(first, second);
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
