import type { Term } from './terms.ts';

/**
 * `count` terms that weigh much and are in different texts, by maximal marginal relevance (Carbonell & Goldstein 1998): each time the
 * term with the greatest (1 − diversity)·weight − diversity·(the greatest cosine of its texts with those of a term taken), the weight as a
 * share of the greatest. `terms` are in falling order of weight.
 */
export function diverseTerms(terms: readonly Term[], count: number, diversity: number): Term[] {
  const heaviest = terms[0]?.weight || 1;
  const left = new Map(terms.map((term) => [term, 0]));
  const chosen: Term[] = [];
  while (chosen.length < count && left.size > 0) {
    let best: Term | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const [term, likeness] of left) {
      const score = ((1 - diversity) * term.weight) / heaviest - diversity * likeness;
      if (score > most) {
        best = term;
        most = score;
      }
    }
    if (!best) break;
    chosen.push(best);
    left.delete(best);
    const texts = new Set(best.texts);
    for (const [term, likeness] of left) left.set(term, Math.max(likeness, cosine(term.texts, texts)));
  }
  return chosen;
}

function cosine(texts: readonly number[], others: ReadonlySet<number>): number {
  const shared = texts.reduce((sum, text) => sum + (others.has(text) ? 1 : 0), 0);
  return shared / Math.sqrt(texts.length * others.size);
}
