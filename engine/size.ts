/** `500MB`, `10GiB` or a number of bytes; undefined for anything else. */
export function bytesOf(text: string): number | undefined {
  const [, amount, prefix, binary] = /^(\d+(?:\.\d+)?) ?(?:([kKMGT])(i?))?B?$/.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const power = prefix === undefined ? 0 : 'KMGT'.indexOf(prefix.toUpperCase()) + 1;
  return Math.round(Number(amount) * (binary === 'i' ? 1024 : 1000) ** power);
}

/** `812 B`, `1.2 MB`: powers of 1000, as disks are sold. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
