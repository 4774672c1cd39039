/** A table; `|` in a cell is escaped, line ends are spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |\n`;
  return `${line(head)}|${head.map(() => '---').join('|')}|\n${rows.map(line).join('')}`;
}

export function generatedNote(source: string): string {
  return `<!-- Made from ${source} by \`npm run docs\`; do not edit. -->\n\n`;
}

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`. A name without such a place is an error: the
 * page would silently lack its table.
 */
export function fill(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((page, [name, content]) => {
    const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [start, end] = [page.indexOf(open), page.indexOf(close)];
    if (start < 0 || end < start) throw new Error(`the page has no place ${open.trim()} … ${close}`);
    return `${page.slice(0, start + open.length)}\n${content}\n${page.slice(end)}`;
  }, text);
}
