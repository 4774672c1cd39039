/** Bounds of a share of `count` successes in `total` trials (Wilson 1927); `z` 1.96 for 95 %. NaN of no trials. */
export function wilsonInterval(count: number, total: number, z = 1.959963984540054): [number, number] {
  const share = count / total;
  const middle = (share + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const half =
    (z / (1 + z ** 2 / total)) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  return [middle - half, middle + half];
}
