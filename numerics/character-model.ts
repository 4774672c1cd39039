/** Weight of the shorter context in counts: the prior of a hierarchical Dirichlet model (MacKay & Peto 1995). */
const prior = 5;
/** Characters of a text that count. */
const mostCharacters = 2000;
/** UTF-16 units: a run of three is a whole number below 2⁴⁸. */
const units = 65_536;

/** How often runs of one, two and three characters occur, and those of one and two that another follows. */
class Counts {
  readonly one = new Map<number, number>();
  readonly two = new Map<number, number>();
  readonly three = new Map<number, number>();
  readonly beforeOne = new Map<number, number>();
  readonly beforeTwo = new Map<number, number>();
  total = 0;

  add(text: string): void {
    let a = text.charCodeAt(0);
    let b = text.charCodeAt(1);
    for (let at = 2; at < text.length; at++) {
      const c = text.charCodeAt(at);
      count(this.one, c);
      count(this.two, b * units + c);
      count(this.three, (a * units + b) * units + c);
      count(this.beforeOne, b);
      count(this.beforeTwo, a * units + b);
      this.total++;
      a = b;
      b = c;
    }
  }
}

/**
 * A model of the characters of a table's texts by the two characters before them, interpolated with shorter contexts. It tells how
 * likely a text is that is itself part of the table: its own counts are left out. Characters are UTF-16 units in lower case,
 * with runs of white space as one space; of a text the first 2,000.
 */
export class CharacterModel {
  private readonly all = new Counts();

  add(text: string): void {
    this.all.add(prepared(text));
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
    const { all } = this;
    const left = new Counts();
    left.add(own);
    const alphabet = all.one.size + 1;
    const rest = (counts: 'one' | 'two' | 'three' | 'beforeOne' | 'beforeTwo', key: number) =>
      (all[counts].get(key) ?? 0) - (left[counts].get(key) ?? 0);
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

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
