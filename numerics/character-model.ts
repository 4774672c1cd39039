import { type Counted, CountTable } from './count-table.ts';

/** Weight of the shorter context in counts: the prior of a hierarchical Dirichlet model (MacKay & Peto 1995). */
const prior = 5;
/** Characters of a text that count. */
const mostCharacters = 2000;
/** UTF-16 units: a run of three is a whole number below 2⁴⁸. */
const units = 65_536;

const runs = ['one', 'two', 'three', 'beforeOne', 'beforeTwo'] as const;

/** What is known of texts' characters: how often runs of one, two and three occur, and those of one and two that another follows. */
export type CharacterCounts = Record<(typeof runs)[number], Counted> & { total: number };

class Counts {
  readonly one: CountTable;
  readonly two: CountTable;
  readonly three: CountTable;
  readonly beforeOne: CountTable;
  readonly beforeTwo: CountTable;
  total: number;

  constructor(slots?: CharacterCounts) {
    this.one = new CountTable(slots?.one);
    this.two = new CountTable(slots?.two);
    this.three = new CountTable(slots?.three);
    this.beforeOne = new CountTable(slots?.beforeOne);
    this.beforeTwo = new CountTable(slots?.beforeTwo);
    this.total = slots?.total ?? 0;
  }

  clear(): void {
    for (const run of runs) this[run].clear();
    this.total = 0;
  }

  add(text: string): void {
    let a = text.charCodeAt(0);
    let b = text.charCodeAt(1);
    for (let at = 2; at < text.length; at++) {
      const c = text.charCodeAt(at);
      this.one.add(c);
      this.two.add(b * units + c);
      this.three.add((a * units + b) * units + c);
      this.beforeOne.add(b);
      this.beforeTwo.add(a * units + b);
      this.total++;
      a = b;
      b = c;
    }
  }
}

/** A model as `new CharacterModel` takes it in another thread. */
export type SharedCharacterModel = CharacterCounts & { characters: number };

/**
 * A model of the characters of a table's texts by the two characters before them, interpolated with shorter contexts. It tells how
 * likely a text is that is itself part of the table: its own counts are left out. Characters are UTF-16 units in lower case,
 * with runs of white space as one space; of a text the first 2,000.
 */
export class CharacterModel {
  readonly #all: Counts;
  /** Those of the text that is asked about. */
  readonly #left = new Counts();
  /** Different characters. */
  readonly #characters: number | undefined;

  /** `shared`: a model in memory that threads share; it is not added to. */
  constructor(shared?: SharedCharacterModel) {
    this.#all = new Counts(shared);
    this.#characters = shared?.characters;
  }

  add(text: string): void {
    this.#all.add(prepared(text));
  }

  /** Adds the texts of another model. */
  addAll(counts: CharacterCounts): void {
    for (const run of runs) this.#all[run].addAll(counts[run]);
    this.#all.total += counts.total;
  }

  counts(): CharacterCounts {
    return { ...tablesOf((run) => this.#all[run].counted()), total: this.#all.total };
  }

  shared(): SharedCharacterModel {
    const { total, one } = this.#all;
    return { ...tablesOf((run) => this.#all[run].shared()), total, characters: one.size };
  }

  /**
   * Bits that a character of a text that was added needs on average over those that it would need if all characters of the table
   * were equally frequent and without order: about 0.5 for running text, above 1 for one that is not like the others; NaN for
   * an empty text.
   */
  surprise(text: string): number {
    const own = prepared(text);
    const length = own.length - 2;
    if (length < 1) return Number.NaN;
    const all = this.#all;
    const left = this.#left;
    left.clear();
    left.add(own);
    const alphabet = (this.#characters ?? all.one.size) + 1;
    const rest = (counts: (typeof runs)[number], key: number) => all[counts].get(key) - left[counts].get(key);
    let bits = 0;
    let a = own.charCodeAt(0);
    let b = own.charCodeAt(1);
    for (let at = 2; at < own.length; at++) {
      const c = own.charCodeAt(at);
      const first = (rest('one', c) + 1) / (all.total - left.total + alphabet);
      const second = (rest('two', b * units + c) + prior * first) / (rest('beforeOne', b) + prior);
      const third =
        (rest('three', (a * units + b) * units + c) + prior * second) /
        (rest('beforeTwo', a * units + b) + prior);
      bits -= Math.log2(third);
      a = b;
      b = c;
    }
    return bits / length / Math.log2(Math.max(2, alphabet));
  }
}

/** Two spaces stand before a text, so that its first characters have a context too. */
function prepared(text: string): string {
  return `  ${text.slice(0, mostCharacters).toLowerCase().replace(/\s+/g, ' ').trim()}`;
}

function tablesOf(tableOf: (run: (typeof runs)[number]) => Counted): Record<(typeof runs)[number], Counted> {
  return {
    one: tableOf('one'),
    two: tableOf('two'),
    three: tableOf('three'),
    beforeOne: tableOf('beforeOne'),
    beforeTwo: tableOf('beforeTwo'),
  };
}
