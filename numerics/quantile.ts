/** A quantile as NumPy's default has it: linear between the two nearest values; NaN of no values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  return quantiles(values, [share])[0];
}

/** The quantile of each share, with the values sorted once. */
export function quantiles<const Shares extends readonly number[]>(
  values: ArrayLike<number>,
  shares: Shares,
): { -readonly [place in keyof Shares]: number } {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  }) as { -readonly [place in keyof Shares]: number };
}
