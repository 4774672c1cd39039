/** Chance that a standard normal number is above z, to full precision also far out: a series near 0, a continued fraction beyond. */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    // Φ(z) = 1/2 + φ(z)·(z + z³/3 + z⁵/(3·5) + …)
    let term = z;
    let sum = z;
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (z * z) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // 1 − Φ(z) = φ(z) / (z + 1/(z + 2/(z + 3/…)))
  let fraction = z;
  for (let step = 80; step > 0; step--) fraction = z + step / fraction;
  return density / fraction;
}
