/** A cluster's fate between two clusterings of partly the same rows; clusters by their places in each. */
export interface Change {
  status: 'stable' | 'grown' | 'shrunk' | 'split' | 'merged' | 'new' | 'gone';
  /** Place among the clusters before; −1 if it is new. */
  before: number;
  /** Place among the clusters after; −1 if it is no more. */
  after: number;
  /** Rows that were in it before and are now. */
  kept: number;
  /** Clusters before that this one took half or more of: more than one if it is merged. */
  from: number[];
  /** Clusters after that took a quarter or more of this one: more than one if it has split. */
  into: number[];
}

/** Shares of a cluster's rows, and of its size, above which something is said of it. */
const absorbed = 0.5;
const splitOff = 0.25;
const changed = 0.1;

export interface Evolution {
  /** By place after: the place before of the cluster whose number it keeps, −1 for a new number. */
  continues: Int32Array;
  /** The clusters after in their order, then those that are no more. */
  changes: Change[];
}

/**
 * Follows clusters from one clustering to the next by the rows that both have, in the terms of MONIC (Spiliopoulou,
 * Ntoutsi, Theodoridis & Schult 2006), with its thresholds: half of a cluster's rows for a match, a quarter for a part.
 * A cluster continues the one that it shares most rows with, if these are half of the smaller of the two; each continues one
 * at most, so that of parts the largest keeps the number, and of a merger's sources the largest gives it.
 *
 * `before` and `after`: the clusters of the shared rows, −1 for noise; sizes count all rows, shared or not.
 */
export function evolution(options: {
  before: ArrayLike<number>;
  after: ArrayLike<number>;
  sizesBefore: ArrayLike<number>;
  sizesAfter: ArrayLike<number>;
}): Evolution {
  const { before, after, sizesBefore, sizesAfter } = options;
  const [old, now] = [sizesBefore.length, sizesAfter.length];
  const counts = new Map<number, number>();
  const remaining = new Float64Array(old);
  const familiar = new Float64Array(now);
  for (let row = 0; row < before.length; row++) {
    const [from, to] = [before[row]!, after[row]!];
    if (from >= 0) remaining[from]!++;
    if (to >= 0) familiar[to]!++;
    if (from >= 0 && to >= 0) counts.set(from * now + to, (counts.get(from * now + to) ?? 0) + 1);
  }
  const pairs = [...counts].map(([key, rows]) => ({ from: Math.floor(key / now), to: key % now, rows }));
  pairs.sort((a, b) => b.rows - a.rows || a.from - b.from || a.to - b.to);
  const continues = new Int32Array(now).fill(-1);
  const continuedBy = new Int32Array(old).fill(-1);
  for (const { from, to, rows } of pairs) {
    if (continues[to]! >= 0 || continuedBy[from]! >= 0) continue;
    if (rows < absorbed * Math.min(remaining[from]!, familiar[to]!)) continue;
    continues[to] = from;
    continuedBy[from] = to;
  }
  const sources = (to: number) =>
    pairs
      .filter((pair) => pair.to === to && pair.rows >= absorbed * remaining[pair.from]!)
      .map(({ from }) => from);
  const parts = (from: number) =>
    pairs
      // A part is made of the cluster; one that is mostly of others has only taken rows from it.
      .filter(
        (pair) =>
          pair.from === from &&
          pair.rows >= splitOff * remaining[from]! &&
          pair.rows >= absorbed * familiar[pair.to]!,
      )
      .map(({ to }) => to);
  const changes: Change[] = [];
  for (let to = 0; to < now; to++) {
    const from = continues[to]!;
    if (from < 0) {
      // A part of a cluster that goes on elsewhere, or something new.
      const origin = pairs.find((pair) => pair.to === to && parts(pair.from).includes(to))?.from;
      changes.push({
        status: origin === undefined ? 'new' : 'split',
        before: -1,
        after: to,
        kept: 0,
        from: origin === undefined ? [] : [origin],
        into: [],
      });
      continue;
    }
    const [came, went] = [sources(to), parts(from)];
    const growth = sizesAfter[to]! / sizesBefore[from]! - 1;
    changes.push({
      status:
        came.length > 1
          ? 'merged'
          : went.length > 1
            ? 'split'
            : growth > changed
              ? 'grown'
              : growth < -changed
                ? 'shrunk'
                : 'stable',
      before: from,
      after: to,
      kept: counts.get(from * now + to)!,
      from: came,
      into: went,
    });
  }
  for (let from = 0; from < old; from++) {
    if (continuedBy[from]! >= 0) continue;
    const taker = pairs.find((pair) => pair.from === from && pair.rows >= absorbed * remaining[from]!);
    changes.push({
      status: taker ? 'merged' : 'gone',
      before: from,
      after: -1,
      kept: 0,
      from: [],
      into: taker ? [taker.to] : [],
    });
  }
  return { continues, changes };
}
