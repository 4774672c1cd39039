/** Whole numbers from 0 below 2⁵³ with the count of each, side by side, in no order. */
export interface Counted {
  keys: Float64Array;
  counts: Float64Array;
}

const free = -1;

/**
 * How often whole numbers from 0 below 2⁵³ occur: open addressing with linear probing in two flat arrays, 16 bytes a place and
 * half of them free at least, without the limit of a Map to 2²⁴ keys. `slots` can be shared by threads that only read.
 */
export class CountTable {
  /** Number of distinct keys. */
  size = 0;
  #slots: Counted;

  constructor(slots: Counted = emptySlots(64)) {
    this.#slots = slots;
  }

  get(key: number): number {
    const { keys, counts } = this.#slots;
    const place = placeOf(keys, key);
    return keys[place] === free ? 0 : counts[place]!;
  }

  add(key: number, count = 1): void {
    const { keys, counts } = this.#slots;
    const place = placeOf(keys, key);
    counts[place]! += count;
    if (keys[place] !== free) return;
    keys[place] = key;
    if (2 * ++this.size > keys.length) this.#grow();
  }

  addAll({ keys, counts }: Counted): void {
    for (let at = 0; at < keys.length; at++) this.add(keys[at]!, counts[at]!);
  }

  /** The keys with a count of `least` or more, without the free places. */
  counted(least = 1): Counted {
    const { keys, counts } = this.#slots;
    const holds = (_: number, place: number) => keys[place] !== free && counts[place]! >= least;
    return { keys: keys.filter(holds), counts: counts.filter(holds) };
  }

  /** Its places in memory that threads share, for `new CountTable` there. It must not be added to. */
  shared(): Counted {
    const { keys, counts } = this.#slots;
    return { keys: inSharedMemory(keys), counts: inSharedMemory(counts) };
  }

  clear(): void {
    this.#slots.keys.fill(free);
    this.#slots.counts.fill(0);
    this.size = 0;
  }

  #grow(): void {
    const { keys, counts } = this.#slots;
    this.#slots = emptySlots(2 * keys.length);
    this.size = 0;
    for (let place = 0; place < keys.length; place++)
      if (keys[place] !== free) this.add(keys[place]!, counts[place]!);
  }
}

function emptySlots(length: number): Counted {
  return { keys: new Float64Array(length).fill(free), counts: new Float64Array(length) };
}

/** Where a key is, or the free place where it belongs. The number of places is a power of two. */
function placeOf(keys: Float64Array, key: number): number {
  const mask = keys.length - 1;
  const mixed = Math.imul((key >>> 0) ^ Math.imul((key / 4_294_967_296) >>> 0, 0x85eb_ca6b), 0x9e37_79b1);
  let place = (mixed ^ (mixed >>> 15)) & mask;
  while (keys[place] !== key && keys[place] !== free) place = (place + 1) & mask;
  return place;
}

function inSharedMemory(values: Float64Array): Float64Array {
  const shared = new Float64Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
