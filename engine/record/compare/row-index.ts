import type { Row } from '../../artefacts.ts';
import { canonicalJson, type Json } from '../../json.ts';
import { TextHash } from '../../store/text-hash.ts';

/** Fields whose change is told by name; those beyond share one hash. */
const fieldsTold = 32;

/**
 * The rows of a table by id, as hashes: 64 bits of the id, 32 bits of each field's value. Takes at most 21 bytes a row
 * and 4 for each field (33 at most), whatever stands in the fields: 65 MB for a million rows of ten fields. That a
 * changed value is not seen has a chance of 2⁻³² each.
 */
export class RowIndex {
  readonly #names: readonly string[];
  readonly #fields: ReadonlyMap<string, number>;
  readonly #width: number;
  readonly #hash = new TextHash();
  /** Numbers of rows by the hash of their id: open addressing, 0 is empty, n means row n - 1. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #ids: Uint32Array;
  readonly #values: Uint32Array;
  readonly #scratch: Uint32Array;
  #size = 0;

  /**
   * @param options.rows how many rows will be added, at most
   * @param options.fields names of the fields, of both tables that are compared
   */
  constructor(options: { rows: number; fields: readonly string[] }) {
    this.#names = options.fields.slice(0, fieldsTold);
    this.#fields = new Map(this.#names.map((field, index) => [field, index]));
    this.#width = this.#names.length + 1;
    let slots = 16;
    while (slots < options.rows * 1.5) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#ids = new Uint32Array(2 * options.rows);
    this.#values = new Uint32Array(this.#width * options.rows);
    this.#scratch = new Uint32Array(this.#width);
  }

  /** Adds the next row. Its number is how many were added before. */
  add(row: Row): void {
    const number = this.#size++;
    const { first, second } = this.#hash.of(row.id);
    this.#ids[2 * number] = first;
    this.#ids[2 * number + 1] = second;
    let slot = first & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = number + 1;
    this.#values.set(this.#hashed(row), number * this.#width);
  }

  /** Number of the row with this id; -1 if there is none. */
  find(id: string): number {
    const { first, second } = this.#hash.of(id);
    for (let slot = first & this.#mask; this.#slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const number = this.#slots[slot]! - 1;
      if (this.#ids[2 * number] === first && this.#ids[2 * number + 1] === second) return number;
    }
    return -1;
  }

  /**
   * Calls `changed` with the name of each field that has another value in this row than in the row of that number, and
   * with null for those beyond the 32nd together. Gives how often it called.
   */
  compare(number: number, row: Row, changed: (field: string | null) => void): number {
    const values = this.#hashed(row);
    const start = number * this.#width;
    let count = 0;
    for (let place = 0; place < this.#width; place++) {
      if (this.#values[start + place] === values[place]) continue;
      changed(this.#names[place] ?? null);
      count++;
    }
    return count;
  }

  #hashed(row: Row): Uint32Array {
    const values = this.#scratch.fill(0);
    for (const field in row) {
      if (field === 'id') continue;
      const place = this.#fields.get(field);
      const hash = this.#hash.of(textOf(row[field] as Json)).first;
      if (place !== undefined) values[place] = hash;
      // A sum, since the order of fields does not count.
      else {
        const named = hash ^ this.#hash.of(field).second;
        values[this.#width - 1] = (values[this.#width - 1]! + named) >>> 0;
      }
    }
    return values;
  }
}

/** A text that only equal values have: the order of an object's members does not count. */
function textOf(value: Json): string {
  if (typeof value === 'string') return `"${value}`;
  return typeof value === 'object' && value !== null ? canonicalJson(value) : String(value);
}
