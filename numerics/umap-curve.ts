/** Shape of the similarity 1/(1 + a·d^2b) of two points of a layout at distance d. */
export interface Curve {
  a: number;
  b: number;
}

/**
 * The curve that is nearest, by least squares over 300 distances up to 3·spread, to 1 below `minDist` and
 * exp(−(d − minDist)/spread) above it (McInnes, Healy & Melville 2018, section 4.1), by Levenberg's and Marquardt's method.
 */
export function fitCurve({ minDist, spread }: { minDist: number; spread: number }): Curve {
  const distances = Array.from({ length: 300 }, (_, index) => (index * 3 * spread) / 299);
  const wanted = distances.map((d) => (d < minDist ? 1 : Math.exp(-(d - minDist) / spread)));
  const value = (d: number, a: number, b: number) => 1 / (1 + a * d ** (2 * b));
  const errorOf = (a: number, b: number) =>
    distances.reduce((sum, d, at) => sum + (value(d, a, b) - wanted[at]!) ** 2, 0);
  let [a, b, damping] = [1, 1, 1e-3];
  let error = errorOf(a, b);
  for (let round = 0; round < 200; round++) {
    let [aa, ab, bb, ga, gb] = [0, 0, 0, 0, 0];
    distances.forEach((d, at) => {
      if (d === 0) return;
      const y = value(d, a, b);
      const power = d ** (2 * b);
      const byA = -y * y * power;
      const byB = byA * a * 2 * Math.log(d);
      const off = y - wanted[at]!;
      aa += byA * byA;
      ab += byA * byB;
      bb += byB * byB;
      ga += byA * off;
      gb += byB * off;
    });
    const [p, q] = [aa * (1 + damping), bb * (1 + damping)];
    const determinant = p * q - ab * ab;
    const nextA = Math.max(1e-9, a - (q * ga - ab * gb) / determinant);
    const nextB = Math.max(1e-9, b - (p * gb - ab * ga) / determinant);
    const nextError = errorOf(nextA, nextB);
    if (nextError < error) {
      const moved = Math.abs(nextA - a) / a + Math.abs(nextB - b) / b;
      [a, b, error] = [nextA, nextB, nextError];
      damping /= 10;
      if (moved < 1e-10) break;
    } else if (damping < 1e12) damping *= 10;
    else break;
  }
  return { a, b };
}
