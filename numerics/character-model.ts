/** Weight of the shorter context in counts: the prior of a hierarchical Dirichlet model (MacKay & Peto 1995). */
const prior = 5;
/** Characters of a text that count. */
const mostCharacters = 2000;

/**
 * A model of the characters of a table's texts by the two characters before them, interpolated with shorter contexts. It tells how
 * likely a text is that is itself part of the table: its own counts are left out. Characters are UTF-16 units in lower case,
 * with runs of white space as one space; of a text the first 2,000.
 */
export class CharacterModel {
  private readonly grams = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  private readonly contexts = [new Map<string, number>(), new Map<string, number>()];
  private total = 0;

  add(text: string): void {
    const own = prepared(text);
    for (let at = 2; at < own.length; at++) {
      this.total++;
      for (let size = 0; size < 3; size++) count(this.grams[size]!, own.slice(at - size, at + 1));
      for (let size = 0; size < 2; size++) count(this.contexts[size]!, own.slice(at - size - 1, at));
    }
  }

  /**
   * Bits that a character of a text needs on average over those that it would need if all characters of the table were equally
   * frequent and without order: about 0.5 for running text, above 1 for one that is not like the others; NaN for an empty text.
   * `own`: whether the text has been added.
   */
  surprise(text: string, { own: isOwn = true } = {}): number {
    const own = prepared(text);
    const length = own.length - 2;
    if (length < 1) return Number.NaN;
    const left = new CharacterModel();
    if (isOwn) left.add(text);
    const alphabet = this.grams[0]!.size + 1;
    let bits = 0;
    for (let at = 2; at < own.length; at++) {
      const rest = (size: number) => {
        const gram = own.slice(at - size, at + 1);
        return (this.grams[size]!.get(gram) ?? 0) - (left.grams[size]!.get(gram) ?? 0);
      };
      const before = (size: number) => {
        const context = own.slice(at - size - 1, at);
        return (this.contexts[size]!.get(context) ?? 0) - (left.contexts[size]!.get(context) ?? 0);
      };
      const first = (rest(0) + 1) / (this.total - left.total + alphabet);
      const second = (rest(1) + prior * first) / (before(0) + prior);
      const third = (rest(2) + prior * second) / (before(1) + prior);
      bits -= Math.log2(third);
    }
    return bits / length / Math.log2(Math.max(2, alphabet));
  }
}

/** Two spaces stand before a text, so that its first characters have a context too. */
function prepared(text: string): string {
  return `  ${text.slice(0, mostCharacters).toLowerCase().replace(/\s+/g, ' ').trim()}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
