/** Below this a term adds nothing to a sum in float64. */
const negligible = 1e-17;
const small = 128;
const table = new Float64Array(small + 1);
for (let n = 2; n <= small; n++) table[n] = table[n - 1]! + Math.log(n);

/** ln n!, by Stirling's series above 128. */
export function logFactorial(n: number): number {
  if (n <= small) return table[n]!;
  const square = n * n;
  return (
    (n + 0.5) * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI) +
    (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / n
  );
}

/**
 * Chance that `count` or more of `drawn` rows are of one kind, if they are drawn at random from `total`, of which `kind` are:
 * the upper tail of the hypergeometric distribution (Fisher's exact test, one-sided).
 */
export function hypergeometricTail(options: {
  count: number;
  drawn: number;
  kind: number;
  total: number;
}): number {
  const { count, drawn, kind, total } = options;
  const most = Math.min(drawn, kind);
  if (count <= Math.max(0, drawn + kind - total)) return 1;
  if (count > most) return 0;
  const choose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  const chance = (at: number) =>
    Math.exp(choose(kind, at) + choose(total - kind, drawn - at) - choose(total, drawn));
  const ratio = (at: number) => ((kind - at) * (drawn - at)) / ((at + 1) * (total - kind - drawn + at + 1));
  // The sum goes away from the mean, where its terms fall: from the other side the first one may be 0 in float64.
  if (count * total <= drawn * kind) {
    const least = Math.max(0, drawn + kind - total);
    let term = chance(count - 1);
    let below = term;
    for (let at = count - 2; at >= least && term > below * negligible; at--) {
      term /= ratio(at);
      below += term;
    }
    return Math.max(0, 1 - below);
  }
  let term = chance(count);
  let tail = term;
  for (let at = count; at < most && term > tail * negligible; at++) {
    term *= ratio(at);
    tail += term;
  }
  return Math.min(1, tail);
}

/** Chance of `count` or more where `mean` are expected, by the Poisson distribution. */
export function poissonTail(count: number, mean: number): number {
  if (count <= 0) return 1;
  if (mean <= 0) return 0;
  const chance = (at: number) => Math.exp(at * Math.log(mean) - mean - logFactorial(at));
  if (count <= mean) {
    let term = chance(count - 1);
    let below = term;
    for (let at = count - 1; at > 0 && term > below * negligible; at--) {
      term *= at / mean;
      below += term;
    }
    return Math.max(0, 1 - below);
  }
  let term = chance(count);
  let tail = term;
  for (let at = count + 1; term > tail * negligible; at++) {
    term *= mean / at;
    tail += term;
  }
  return Math.min(1, tail);
}

/**
 * Chance of a count as far from what is expected as this one, or farther, in either direction, if rows are drawn as for
 * `hypergeometricTail`: Fisher's exact test, two-sided, which adds up all counts that are no likelier.
 */
export function fisherExact(options: { count: number; drawn: number; kind: number; total: number }): number {
  const { count, drawn, kind, total } = options;
  const least = Math.max(0, drawn + kind - total);
  const most = Math.min(drawn, kind);
  const choose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  const likelihood = (at: number) =>
    choose(kind, at) + choose(total - kind, drawn - at) - choose(total, drawn);
  // As likely but for rounding counts as well.
  const bound = likelihood(count) + 1e-7;
  let sum = 0;
  for (let at = least; at <= most; at++) {
    const own = likelihood(at);
    if (own <= bound) sum += Math.exp(own);
  }
  return Math.min(1, sum);
}
