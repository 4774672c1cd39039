/** A document by its place in the table, and how well it fits. */
export interface Ranked {
  document: number;
  score: number;
}

/** The `k` items with the greatest scores, greatest first; equal ones in the order of the table. */
export function mostRelevant(
  items: Iterable<number>,
  scoreOf: (item: number) => number,
  k: number,
): Ranked[] {
  // A heap whose root is the worst of those kept.
  const heap: Ranked[] = [];
  const isWorse = (a: Ranked, b: Ranked) =>
    a.score < b.score || (a.score === b.score && a.document > b.document);
  const sink = (place: number) => {
    for (let at = place; ; ) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && isWorse(heap[child]!, heap[worst]!)) worst = child;
      if (worst === at) return;
      [heap[at], heap[worst]] = [heap[worst]!, heap[at]!];
      at = worst;
    }
  };
  for (const document of items) {
    const score = scoreOf(document);
    if (heap.length < k) {
      heap.push({ document, score });
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isWorse(heap[at]!, heap[parent]!)) break;
        [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
        at = parent;
      }
    } else {
      const worst = heap[0];
      if (!worst || score < worst.score || (score === worst.score && document > worst.document)) continue;
      heap[0] = { document, score };
      sink(0);
    }
  }
  return heap.sort((a, b) => b.score - a.score || a.document - b.document);
}

/**
 * Several rankings as one, by reciprocal ranks: a document's score is Σ 1/(constant + rank) over the rankings that hold it
 * (Cormack, Clarke & Büttcher 2009). Equal ones in their order.
 */
export function fuseRankings(
  rankings: readonly (readonly Ranked[])[],
  constant: number,
  k: number,
): Ranked[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings)
    ranking.forEach(({ document }, place) => {
      scores.set(document, (scores.get(document) ?? 0) + 1 / (constant + place + 1));
    });
  return mostRelevant([...scores.keys()], (document) => scores.get(document)!, k);
}

/**
 * Several rankings as one, by their scores: those of each are brought to 0 to 1 (least and greatest of the list; equal ones to 1)
 * and added with its weight; a document that is not in a list has 0 of it. Equal ones in their order.
 */
export function fuseScores(
  rankings: readonly (readonly Ranked[])[],
  weights: readonly number[],
  k: number,
): Ranked[] {
  const scores = new Map<number, number>();
  for (const [list, ranking] of rankings.entries()) {
    const most = ranking[0]?.score ?? 0;
    const least = ranking.at(-1)?.score ?? 0;
    for (const { document, score } of ranking) {
      const share = most > least ? (score - least) / (most - least) : 1;
      scores.set(document, (scores.get(document) ?? 0) + weights[list]! * share);
    }
  }
  return mostRelevant([...scores.keys()], (document) => scores.get(document)!, k);
}
