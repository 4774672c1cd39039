import { cellWidth, columns } from './format.ts';

/** Lines of a text of words, none wider than `width` cells where words allow it; all but the first are indented. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && cellWidth(line) + 1 + cellWidth(word) > width) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** Markdown as step types write it (paragraphs, lists, tables, code, bold) for a terminal of so many columns. */
export function terminalProse(markdown: string, width: number, bold: (text: string) => string): string {
  const paragraphs = markdown.trim().split(/\n{2,}/);
  return paragraphs
    .map((paragraph) =>
      paragraph.startsWith('|')
        ? table(paragraph)
        : paragraph
            .split(/\n(?=- |\d+\. )/)
            .map((block) => wrap(block, width, /^(- |\d+\. )/.test(block) ? '  ' : ''))
            .join('\n'),
    )
    .join('\n\n')
    .replace(/\*\*(.+?)\*\*/gs, (_, text: string) => bold(text));
}

function table(markdown: string): string {
  const rows = markdown.split('\n').filter((line) => !/^\|[-:| ]+\|$/.test(line));
  return columns(
    rows.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
  ).trimEnd();
}
