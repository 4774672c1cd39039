/** How well a clustering agrees with known classes. Definitions and limits as in scikit-learn. */

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Counts of the rows that each class and cluster have in common. */
export interface Contingency {
  n: number;
  classes: number;
  clusters: number;
  /** Row-major [classes, clusters]. */
  counts: Float64Array;
  classSizes: Float64Array;
  clusterSizes: Float64Array;
}

export interface ClusteringScores {
  homogeneity: number;
  completeness: number;
  /** Harmonic mean of the two above (Rosenberg & Hirschberg 2007). */
  vMeasure: number;
  /** Normalised mutual information, arithmetic mean. */
  nmi: number;
  /** The same, adjusted for chance (Vinh, Epps & Bailey 2010). */
  ami: number;
  /** Adjusted Rand index (Hubert & Arabie 1985). */
  ari: number;
  /** Share of rows that belong to the largest class of their cluster. */
  purity: number;
  /**
   * Share of rows in the right cluster under the best one-to-one pairing of clusters and classes; NaN with more than
   * 2,000 of either, where finding it would take too long.
   */
  accuracy: number;
}

/** Counts labels; both hold a number from 0 up for each row. */
export function contingency(classes: ArrayLike<number>, clusters: ArrayLike<number>): Contingency {
  if (classes.length !== clusters.length)
    throw new RangeError(`${classes.length} classes do not fit ${clusters.length} clusters`);
  const n = classes.length;
  let rows = 0;
  let columns = 0;
  for (let i = 0; i < n; i++) {
    rows = Math.max(rows, classes[i]! + 1);
    columns = Math.max(columns, clusters[i]! + 1);
  }
  const counts = new Float64Array(rows * columns);
  const classSizes = new Float64Array(rows);
  const clusterSizes = new Float64Array(columns);
  for (let i = 0; i < n; i++) {
    counts[classes[i]! * columns + clusters[i]!]!++;
    classSizes[classes[i]!]!++;
    clusterSizes[clusters[i]!]!++;
  }
  return { n, classes: rows, clusters: columns, counts, classSizes, clusterSizes };
}

/** Scores from the labels themselves: a number from 0 up for each row. For worker threads. */
export function scoreLabels(labels: { classes: Int32Array; clusters: Int32Array }): ClusteringScores {
  return clusteringScores(contingency(labels.classes, labels.clusters));
}

/** All scores of a clustering. No rows at all score 1, as in scikit-learn. */
export function clusteringScores(table: Contingency): ClusteringScores {
  const classEntropy = entropy(table.classSizes, table.n);
  const clusterEntropy = entropy(table.clusterSizes, table.n);
  const information = mutualInformation(table);
  const homogeneity = classEntropy === 0 ? 1 : information / classEntropy;
  const completeness = clusterEntropy === 0 ? 1 : information / clusterEntropy;
  const sum = homogeneity + completeness;
  const mean = (classEntropy + clusterEntropy) / 2;
  // The same partition twice: 1 by definition, where rounding could make 0/0 of it.
  const classes = occupied(table.classSizes);
  const clusters = occupied(table.clusterSizes);
  const same = classes === clusters && occupied(table.counts) === classes;
  return {
    homogeneity,
    completeness,
    vMeasure: sum === 0 ? 0 : (2 * homogeneity * completeness) / sum,
    nmi: same ? 1 : information <= 0 ? 0 : information / mean,
    ami: same ? 1 : classes === 1 || clusters === 1 ? 0 : adjusted(table, information, mean),
    ari: adjustedRand(table),
    purity: table.n === 0 ? 1 : best(table) / table.n,
    accuracy: table.n === 0 ? 1 : paired(table) / table.n,
  };
}

/** Pairing takes time with the third power of this. */
const mostPaired = 2000;

function occupied(sizes: Float64Array): number {
  return sizes.reduce((count, size) => count + (size > 0 ? 1 : 0), 0);
}

/** Entropy of a partition, in nats. */
function entropy(sizes: Float64Array, n: number): number {
  let sum = 0;
  for (const size of sizes) if (size > 0) sum -= (size / n) * Math.log(size / n);
  return occupied(sizes) <= 1 ? 0 : sum;
}

function mutualInformation({ n, classes, clusters, counts, classSizes, clusterSizes }: Contingency): number {
  let sum = 0;
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < clusters; j++) {
      const count = counts[i * clusters + j]!;
      if (count > 0)
        sum +=
          (count / n) *
          (Math.log(count) + Math.log(n) - Math.log(classSizes[i]!) - Math.log(clusterSizes[j]!));
    }
  }
  return Math.max(0, sum);
}

function adjusted(table: Contingency, information: number, most: number): number {
  const expected = expectedMutualInformation(table);
  return (information - expected) / Math.max(most - expected, Number.EPSILON);
}

/**
 * Mutual information that two partitions with these sizes have by chance (hypergeometric model; Vinh, Epps & Bailey
 * 2010, equation 24a). Pairs of equal sizes are computed once.
 */
function expectedMutualInformation({ n, classSizes, clusterSizes }: Contingency): number {
  const logFactorial = logFactorials(n);
  const tally = (sizes: Float64Array) => {
    const times = new Map<number, number>();
    for (const size of sizes) if (size > 0) times.set(size, (times.get(size) ?? 0) + 1);
    return times;
  };
  const clusterTimes = tally(clusterSizes);
  let sum = 0;
  for (const [a, timesA] of tally(classSizes)) {
    for (const [b, timesB] of clusterTimes) {
      const fixed =
        logFactorial[a]! + logFactorial[b]! + logFactorial[n - a]! + logFactorial[n - b]! - logFactorial[n]!;
      const logSizes = Math.log(n) - Math.log(a) - Math.log(b);
      let pair = 0;
      for (let count = Math.max(1, a + b - n); count <= Math.min(a, b); count++) {
        const logChance =
          fixed -
          logFactorial[count]! -
          logFactorial[a - count]! -
          logFactorial[b - count]! -
          logFactorial[n - a - b + count]!;
        pair += (count / n) * (logSizes + Math.log(count)) * Math.exp(logChance);
      }
      sum += pair * timesA * timesB;
    }
  }
  return sum;
}

/** ln(i!) for i from 0 to n; summed with Neumaier's correction, since differences of large values are used. */
function logFactorials(n: number): Float64Array {
  const values = new Float64Array(n + 1);
  let sum = 0;
  let correction = 0;
  for (let i = 2; i <= n; i++) {
    const term = Math.log(i);
    const next = sum + term;
    correction += sum - next + term;
    sum = next;
    values[i] = sum + correction;
  }
  return values;
}

function adjustedRand({ n, counts, classSizes, clusterSizes }: Contingency): number {
  const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  const together = squares(counts);
  // Ordered pairs of rows: in one class and one cluster, in one cluster only, in one class only, in neither.
  const both = together - n;
  const clusterOnly = squares(clusterSizes) - together;
  const classOnly = squares(classSizes) - together;
  const neither = n * n - clusterOnly - classOnly - together;
  if (clusterOnly === 0 && classOnly === 0) return 1;
  return (
    (2 * (both * neither - classOnly * clusterOnly)) /
    ((both + classOnly) * (classOnly + neither) + (both + clusterOnly) * (clusterOnly + neither))
  );
}

function best({ classes, clusters, counts }: Contingency): number {
  let sum = 0;
  for (let j = 0; j < clusters; j++) {
    let largest = 0;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, counts[i * clusters + j]!);
    sum += largest;
  }
  return sum;
}

/** Most rows that a one-to-one pairing of classes and clusters can cover. */
function paired({ classes, clusters, counts }: Contingency): number {
  const size = Math.max(classes, clusters);
  if (size > mostPaired) return Number.NaN;
  const costs = new Float64Array(size * size);
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < clusters; j++) costs[i * size + j] = -counts[i * clusters + j]!;
  return assignment(costs, size).reduce((sum, column, row) => sum - costs[row * size + column]!, 0);
}

/**
 * The assignment of rows to columns with the least total cost: the Hungarian method with shortest augmenting paths
 * (Jonker & Volgenant 1987), O(size³). `costs` is row-major [size, size]; gives the column of each row.
 */
export function assignment(costs: Float64Array, size: number): number[] {
  // Index 0 stands for "none"; rows and columns count from 1.
  const rowOf = new Int32Array(size + 1);
  const rowPrice = new Float64Array(size + 1);
  const columnPrice = new Float64Array(size + 1);
  const cameFrom = new Int32Array(size + 1);
  for (let row = 1; row <= size; row++) {
    const slack = new Float64Array(size + 1).fill(Number.POSITIVE_INFINITY);
    const done = new Uint8Array(size + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      done[column] = 1;
      const current = rowOf[column]!;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= size; j++) {
        if (done[j] === 1) continue;
        const reduced = costs[(current - 1) * size + j - 1]! - rowPrice[current]! - columnPrice[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          cameFrom[j] = column;
        }
        if (slack[j]! < delta) {
          delta = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= size; j++) {
        if (done[j] === 1) {
          rowPrice[rowOf[j]!]! += delta;
          columnPrice[j]! -= delta;
        } else slack[j]! -= delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const before = cameFrom[column]!;
      rowOf[column] = rowOf[before]!;
      column = before;
    }
  }
  const columns = new Array<number>(size).fill(0);
  for (let j = 1; j <= size; j++) columns[rowOf[j]! - 1] = j - 1;
  return columns;
}
