/** How a MinHash signature is cut: two texts are candidates if all `rows` values of one of the `bands` are equal. */
export interface Bands {
  bands: number;
  rows: number;
}

/** Width of the steps in which the two areas are summed. */
const step = 0.001;

/**
 * The bands and rows, of at most `permutations` values together, with the least weighted error for pairs whose
 * similarities are spread evenly: w·∫ₜ¹(1 − sʳ)ᵇ ds for pairs that are missed, and (1 − w)·∫₀ᵗ 1 − (1 − sʳ)ᵇ ds for
 * candidates that are none. The formula and its numerical integral are those of datasketch (`_optimal_param`), whose
 * own weights are w = 0.5.
 */
export function optimalBands(threshold: number, permutations: number, missWeight = 0.5): Bands {
  let best: Bands = { bands: 1, rows: 1 };
  let least = Number.POSITIVE_INFINITY;
  const wanted = Math.round(threshold / step);
  const steps = Math.round(1 / step);
  // Powers of the similarities at the middle of each step; multiplied once for each row more.
  const powers = Float64Array.from({ length: steps }, () => 1);
  for (let rows = 1; rows <= permutations; rows++) {
    for (let at = 0; at < steps; at++) powers[at]! *= (at + 0.5) * step;
    for (let bands = 1; bands * rows <= permutations; bands++) {
      let missed = 0;
      let needless = 0;
      for (let at = 0; at < steps; at++) {
        const miss = (1 - powers[at]!) ** bands;
        if (at < wanted) needless += 1 - miss;
        else missed += miss;
      }
      const error = (missWeight * missed + (1 - missWeight) * needless) * step;
      // Of equal errors the fewer bands, as where bands are counted first.
      if (error < least || (error === least && bands < best.bands)) {
        least = error;
        best = { bands, rows };
      }
    }
  }
  return best;
}
