export { size } from '../engine/size.ts';

/** `10,003` */
export function count(value: number): string {
  // Not toLocaleString: loading its tables takes 20 ms of every command.
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `10,003 rows` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${value === 1 ? noun : `${noun}s`}`;
}

/** `0.31 s`, `12.4 s`, `3 min 05 s`, `2 h 07 min` */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** A metric as people read it: `0.7813`, `3,748.02`, `77`, `1,116`. */
export function metric(value: number | string | boolean): string {
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return count(value);
  if (!Number.isFinite(value) || Math.abs(value) < 0.0001) return String(Number(value.toPrecision(3)));
  const [whole, fraction] = value.toFixed(Math.abs(value) >= 1 ? 2 : 4).split('.');
  return `${count(Number(whole)).replace(/^0$/, value < 0 ? '-0' : '0')}.${fraction!.replace(/(\d\d)0+$/, '$1')}`;
}

/** `$2.50`, `$0.0123`: dollars, with as many digits as small sums need. */
export function usd(value: number): string {
  return `$${value === 0 || value >= 1 ? value.toFixed(2) : Number(value.toPrecision(2))}`;
}

/** Columns padded to equal width (in terminal cells); the last one is left as it is. */
export function columns(rows: readonly (readonly string[])[], gap = '  '): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cellWidth(cell));
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) =>
          index === row.length - 1 ? cell : cell + ' '.repeat(widths[index]! - cellWidth(cell)),
        )
        .join(gap)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are control characters
const escapes = /\u001b\[[0-9;]*m/g;
const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

/** Cells that a text takes in a terminal: colour codes none, East Asian and emoji characters two. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(escapes, '')) {
    if (!/\p{Mark}/u.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** The beginning of a text that fits into so many cells, on one line, with control characters made visible as spaces. */
export function truncate(text: string, cells: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (cellWidth(line) <= cells) return line;
  let width = 0;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += cellWidth(segment);
    if (width > cells - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
