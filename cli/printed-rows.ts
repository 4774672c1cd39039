import type { Json } from '../engine/json.ts';
import type { Cli } from './command.ts';
import { columns, truncate } from './format.ts';

/** Prints rows under the names of their columns, as wide as the terminal is; says which columns did not fit. */
export function printRows(
  names: readonly string[],
  rows: readonly (readonly (Json | undefined)[])[],
  cli: Cli,
): string {
  const lines = rows.map((values) => values.map(cellText));
  const widths = fitted(names, lines, cli.columns);
  const cut = [names, ...lines].map((cells) =>
    cells.flatMap((cell, index) => (widths[index] ? [truncate(cell, widths[index])] : [])),
  );
  const [head, ...body] = columns(cut).split('\n');
  cli.out(`${cli.paint('bold', head!)}\n${body.join('\n')}`);
  const hidden = names.filter((_, index) => !widths[index]);
  return hidden.length > 0 ? `; fields that do not fit: ${hidden.join(', ')}` : '';
}

/** Cell widths that fill the terminal: narrow columns get what they need, wide ones share the rest; 0 leaves one out. */
function fitted(fields: readonly string[], lines: readonly string[][], room: number): number[] {
  const wanted = fields.map((field, index) =>
    Math.max(field.length, ...lines.map((cells) => cells[index]!.length)),
  );
  const widths = fields.map(() => 0);
  const least = 8;
  let left = room;
  let shown = 0;
  for (; shown < fields.length && left >= least; shown++) left -= Math.min(wanted[shown]!, least) + 2;
  for (let index = 0; index < shown; index++) widths[index] = Math.min(wanted[index]!, least);
  for (
    let open = widths.flatMap((width, index) => (width > 0 && width < wanted[index]! ? [index] : []));
    left > 0 && open.length > 0;
  ) {
    const share = Math.max(1, Math.floor(left / open.length));
    for (const index of open) {
      const more = Math.min(share, wanted[index]! - widths[index]!, left);
      widths[index]! += more;
      left -= more;
    }
    open = open.filter((index) => widths[index]! < wanted[index]!);
  }
  return widths;
}

function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value.replace(/\s+/g, ' ') : JSON.stringify(value);
}
