/** Ranks from 1 up; equal values share the mean of their ranks. */
export function averageRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let at = start; at < end; at++) ranks[order[at]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** Pearson's correlation; NaN where one of the lists does not vary. */
export function pearson(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at]! - meanA, b[at]! - meanB];
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return product / Math.sqrt(squaresA * squaresB);
}

/** Spearman's rho: Pearson's correlation of the average ranks, as SciPy's `spearmanr` has it. */
export function spearman(a: Float64Array, b: Float64Array): number {
  return pearson(averageRanks(a), averageRanks(b));
}

/**
 * Kendall's tau-b, which allows for ties (Kendall 1945), in n log n by counting the exchanges of a merge sort (Knight 1966),
 * as SciPy's `kendalltau` has it. NaN where one of the lists does not vary.
 */
export function kendallTauB(a: Float64Array, b: Float64Array): number {
  const size = a.length;
  const order = Uint32Array.from(a.keys()).sort((x, y) => a[x]! - a[y]! || b[x]! - b[y]!);
  const pairs = (size * (size - 1)) / 2;
  const tiedA = tiedPairs(order, (x, y) => a[x] === a[y]);
  const tiedBoth = tiedPairs(order, (x, y) => a[x] === a[y] && b[x] === b[y]);
  const exchanges = mergeExchanges(order, b);
  const tiedB = tiedPairs(order, (x, y) => b[x] === b[y]);
  const untied = pairs - tiedA - tiedB + tiedBoth;
  return (untied - 2 * exchanges) / Math.sqrt((pairs - tiedA) * (pairs - tiedB));
}

/** Pairs within runs of equal neighbours. */
function tiedPairs(order: Uint32Array, equal: (a: number, b: number) => boolean): number {
  let pairs = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && equal(order[start]!, order[end]!)) end++;
    pairs += ((end - start) * (end - start - 1)) / 2;
    start = end;
  }
  return pairs;
}

/** Sorts `order` by the values; gives how many neighbours a bubble sort would have exchanged. */
function mergeExchanges(order: Uint32Array, values: Float64Array): number {
  let exchanges = 0;
  let from: Uint32Array = order;
  let to: Uint32Array = new Uint32Array(order.length);
  for (let width = 1; width < order.length; width *= 2) {
    for (let start = 0; start < order.length; start += 2 * width) {
      const middle = Math.min(start + width, order.length);
      const end = Math.min(start + 2 * width, order.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        if (left < middle && (right >= end || values[from[left]!]! <= values[from[right]!]!))
          to[at] = from[left++]!;
        else {
          exchanges += middle - left;
          to[at] = from[right++]!;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
  return exchanges;
}
