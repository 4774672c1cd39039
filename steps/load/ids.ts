import { hash } from 'node:crypto';
import { KeyTable } from '../dedupe/key-table.ts';

/** Which ids a table has: by 128-bit hashes, so that a million of them take some 40 MB whatever their length. */
export class IdSet {
  readonly #table = new KeyTable();

  /** Adds an id; false if it is there already. */
  add(id: string): boolean {
    const { size } = this.#table;
    return this.#table.number(id) === size;
  }
}

/** Names texts by content: 64 bits of SHA-256 in hex, then `-2`, `-3`, … for the same text again. */
export class ContentIds {
  /** How many texts were there before. */
  repeats = 0;
  readonly #ids = new IdSet();
  /** Counts of the ids that came more than once. */
  readonly #counts = new Map<string, number>();

  next(content: string): string {
    const id = hash('sha256', content, 'hex').slice(0, 16);
    if (this.#ids.add(id)) return id;
    this.repeats++;
    const count = (this.#counts.get(id) ?? 1) + 1;
    this.#counts.set(id, count);
    return `${id}-${count}`;
  }
}
