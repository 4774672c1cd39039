/** Bounds of a share of `count` successes in `total` trials (Wilson 1927); `z` 1.96 for 95 %. NaN of no trials. */
export function wilsonInterval(count: number, total: number, z = 1.959963984540054): [number, number] {
  const share = count / total;
  const middle = (share + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const half =
    (z / (1 + z ** 2 / total)) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  return [middle - half, middle + half];
}

/** Bounds of the difference of two shares, the first less the second: Newcombe's hybrid of Wilson's intervals (1998, method 10). */
export function differenceInterval(
  first: { count: number; total: number },
  second: { count: number; total: number },
  z = 1.959963984540054,
): [number, number] {
  const [p, q] = [first.count / first.total, second.count / second.total];
  const [pLow, pHigh] = wilsonInterval(first.count, first.total, z);
  const [qLow, qHigh] = wilsonInterval(second.count, second.total, z);
  return [
    p - q - Math.sqrt((p - pLow) ** 2 + (qHigh - q) ** 2),
    p - q + Math.sqrt((pHigh - p) ** 2 + (q - qLow) ** 2),
  ];
}
