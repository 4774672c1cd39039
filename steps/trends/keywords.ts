import { ctfidf, termRarities, termShares } from '../../numerics/ctfidf.ts';
import { Casing, mostFrequent } from '../summarize/casing.ts';
import { countTerms, type TermTable } from '../summarize/term-table.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface SliceKeywordOptions {
  texts: readonly string[];
  /** Cluster and slice of each text; −1 leaves it out. */
  clusterOf: Int32Array;
  sliceOf: Int32Array;
  clusters: number;
  slices: number;
  keywords: number;
  longest: number;
  stopWords: readonly string[];
  globalTuning: boolean;
  evolutionTuning: boolean;
}

type Weights = Map<number, number>;

/**
 * What each cluster speaks of in each slice, [clusters][slices] lists of terms: c-TF-IDF of the slice's texts, with the rarities of the whole (BERTopic's
 * `topics_over_time`). With `evolutionTuning` it is averaged with that of the slice before, with `globalTuning` then with the cluster's own,
 * each scaled to sum 1. Empty where a cluster has no text in a slice.
 */
export function keywordsOverTime(options: SliceKeywordOptions): string[][][] {
  const { texts, clusterOf, sliceOf, clusters, slices, globalTuning, evolutionTuning } = options;
  const placed = clusterOf.map((cluster, at) =>
    cluster < 0 || sliceOf[at]! < 0 ? -1 : cluster * slices + sliceOf[at]!,
  );
  const table = countTerms({ ...options, classOf: placed, classes: clusters * slices });
  const whole = ofClusters(table, slices);
  const casing = new Casing(texts);
  const names = whole.forms.map((forms) => casing.restore(mostFrequent(forms)));
  const { weights: own } = weightsBy(whole, ctfidf(whole), clusters, whole.isCommon);
  const { weights: inSlice, totals } = weightsBy(
    table,
    termShares(table, termRarities(whole)),
    clusters * slices,
    (term, place) => whole.isCommon(term, Math.floor(place / slices)),
  );
  return own.map((global, cluster) => {
    let before: Weights | undefined;
    return Array.from({ length: slices }, (_, slice) => {
      const now = inSlice[cluster * slices + slice]!;
      if (totals[cluster * slices + slice] === 0) {
        before = undefined;
        return [];
      }
      let tuned = evolutionTuning && before ? meanOf(now, before) : now;
      if (globalTuning) tuned = meanOf(tuned, global);
      before = tuned;
      return [...tuned]
        .sort(([a, weight], [b, other]) => other - weight || a - b)
        .slice(0, options.keywords)
        .map(([term]) => names[term]!);
    });
  });
}

/** The counts by cluster of a table of clusters and slices. */
function ofClusters(table: TermTable, slices: number) {
  const cells = new Map<string, { cluster: number; term: number; count: number; texts: number }>();
  const forms: Map<string, number>[] = table.keys.map(() => new Map());
  for (const cell of table.cells) {
    const cluster = Math.floor(cell.class / slices);
    const key = `${cluster} ${cell.term}`;
    const known = cells.get(key) ?? { cluster, term: cell.term, count: 0, texts: 0 };
    known.count += cell.count;
    known.texts += cell.texts.length;
    cells.set(key, known);
    const own = forms[cell.term]!;
    for (const [form, count] of cell.forms) own.set(form, (own.get(form) ?? 0) + count);
  }
  const list = [...cells.values()];
  return {
    classes: Int32Array.from(list, (cell) => cell.cluster),
    terms: Int32Array.from(list, (cell) => cell.term),
    counts: Float64Array.from(list, (cell) => cell.count),
    forms,
    /** Whether a term is in more than one text of a cluster: one text alone is no topic. */
    isCommon: (term: number, cluster: number) => (cells.get(`${cluster} ${term}`)?.texts ?? 0) > 1,
  };
}

/** The weights of each class's terms, scaled to sum 1 by their totals; those that are not to be `kept` count for the total only. */
function weightsBy(
  { classes, terms }: { classes: Int32Array; terms: Int32Array },
  weights: Float64Array,
  count: number,
  kept: (term: number, own: number) => boolean,
): { weights: Weights[]; totals: Float64Array } {
  const found: Weights[] = Array.from({ length: count }, () => new Map());
  const totals = new Float64Array(count);
  classes.forEach((own, cell) => {
    totals[own]! += Math.abs(weights[cell]!);
  });
  classes.forEach((own, cell) => {
    const term = terms[cell]!;
    if (totals[own]! > 0 && kept(term, own)) found[own]!.set(term, weights[cell]! / totals[own]!);
  });
  return { weights: found, totals };
}

function meanOf(one: Weights, other: Weights): Weights {
  const mean: Weights = new Map();
  for (const [term, weight] of one) mean.set(term, weight / 2);
  for (const [term, weight] of other) mean.set(term, (mean.get(term) ?? 0) + weight / 2);
  return mean;
}
