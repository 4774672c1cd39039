/**
 * P-values adjusted for their number (Benjamini & Hochberg 1995): of the tests whose adjusted value is at most α, at most the share α is
 * wrong on average, if the tests do not hang together or rise together. In the order given. `tests`: how many were made, if some that found
 * nothing are left out of `values`.
 */
export function benjaminiHochberg(values: ArrayLike<number>, tests = values.length): Float64Array {
  const size = values.length;
  const order = Array.from({ length: size }, (_, at) => at).sort((a, b) => values[a]! - values[b]! || a - b);
  const adjusted = new Float64Array(size);
  let least = 1;
  for (let rank = size; rank > 0; rank--) {
    const at = order[rank - 1]!;
    least = Math.min(least, (values[at]! * tests) / rank);
    adjusted[at] = least;
  }
  return adjusted;
}
