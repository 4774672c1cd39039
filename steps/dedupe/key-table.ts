import { hash } from 'node:crypto';

/**
 * Numbers keys by first appearance: equal keys get equal numbers, 0, 1, 2, …. It holds 128 bits of each key's SHA-256
 * in flat arrays, about 40 bytes a key whatever its length, where a Map of texts would hold them all.
 */
export class KeyTable {
  /** Number of distinct keys. */
  size = 0;
  /** Four words of each key's hash, by number. */
  #words = new Uint32Array(4 * 1024);
  /** Open addressing with linear probing: 0 is free, else number + 1. Its length is a power of two. */
  #slots = new Uint32Array(2048);

  /** The key's number; that of a new key is the `size` from before the call. */
  number(key: string): number {
    // A text of bytes, since a Buffer for each key costs twice as much as the hash itself.
    const digest = hash('sha256', key, 'binary');
    const a = word(digest, 0);
    const b = word(digest, 4);
    const c = word(digest, 8);
    const d = word(digest, 12);
    const mask = this.#slots.length - 1;
    const words = this.#words;
    let slot = a & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      const at = 4 * number;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return number;
    }
    const number = this.size++;
    this.#slots[slot] = number + 1;
    if (4 * number === words.length) {
      this.#words = new Uint32Array(words.length * 2);
      this.#words.set(words);
    }
    this.#words.set([a, b, c, d], 4 * number);
    if (2 * this.size > this.#slots.length) this.#grow();
    return number;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = this.#words[4 * number]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

function word(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) |
      (bytes.charCodeAt(at + 1) << 8) |
      (bytes.charCodeAt(at + 2) << 16) |
      (bytes.charCodeAt(at + 3) << 24)) >>>
    0
  );
}
