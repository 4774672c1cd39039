import { styleText } from 'node:util';
import type { Problem } from '../problems.ts';

export interface RenderOptions {
  color?: boolean;
  /** Columns of the terminal: longer lines are cut around the marked text. */
  width?: number;
}

/**
 * A problem for people: place, severity, code and message; the source line with the mistake underlined; the hint;
 * the trail. `sourceText` is the text of the file that the place is in, undefined if it cannot be had.
 */
export function renderProblem(
  problem: Problem,
  sourceText: string | undefined,
  { color = false, width = 110 }: RenderOptions = {},
): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const tone = problem.severity === 'error' ? 'red' : 'yellow';
  const { place } = problem;
  const where = place ? `${paint('cyan', `${place.file}:${place.line}:${place.column}`)} ` : '';
  const lines = [
    `${where}${paint(tone, problem.severity)} ${paint('dim', problem.code)}: ${paint('bold', visible(problem.message))}`,
  ];
  const source = place && sourceText?.split('\n', place.line)[place.line - 1];
  if (place !== undefined && source !== undefined) {
    const { text, before, marked } = excerpt(source, place.column, place.length, Math.max(40, width - 10));
    const number = String(place.line).padStart(4);
    lines.push(`${paint('dim', `${number} │`)} ${text}`);
    lines.push(
      `${paint('dim', '     │')} ${' '.repeat(before)}${paint(tone, '~'.repeat(Math.max(1, marked)))}`,
    );
  }
  if (problem.hint !== undefined) lines.push(`     ${paint('green', '→')} ${visible(problem.hint)}`);
  for (const { place: at, message } of problem.trail ?? [])
    lines.push(`     ${paint('dim', `${at.file}:${at.line}:${at.column}`)} ${visible(message)}`);
  return lines.join('\n');
}

/** All problems, with an empty line between them. `read` gives the text of a file named in a place. */
export function renderProblems(
  problems: readonly Problem[],
  read: (file: string) => string | undefined,
  options?: RenderOptions,
): string {
  const texts = new Map<string, string | undefined>();
  return problems
    .map((problem) => {
      const file = problem.place?.file;
      if (file !== undefined && !texts.has(file)) texts.set(file, read(file));
      return renderProblem(problem, file === undefined ? undefined : texts.get(file), options);
    })
    .join('\n\n');
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u;

/** Control characters and those that turn the direction of the text could make a line say what it does not say. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu, '\uFFFD');
}

/** The line as it is shown, with the cells before the marked text and those that it takes. */
function excerpt(
  line: string,
  column: number,
  length: number,
  width: number,
): { text: string; before: number; marked: number } {
  const start = column - 1;
  const end = start + length;
  // Far beyond what can be shown, a line of megabytes is not worth segmenting.
  const from = Math.max(0, start - 4 * width);
  const cells: { text: string; cells: number; marked: boolean }[] = [];
  for (const { segment, index } of segmenter.segment(line.slice(from, end + 4 * width).replace(/\r$/, ''))) {
    const at = from + index;
    const shown = segment === '\t' ? '  ' : visible(segment);
    const count = segment === '\t' ? 2 : wide.test(segment) ? 2 : 1;
    cells.push({ text: shown, cells: count, marked: at < end && at + segment.length > start });
  }
  const first = Math.max(
    0,
    cells.findIndex(({ marked }) => marked),
  );
  const total = cells.reduce((sum, cell) => sum + cell.cells, 0);
  let low = 0;
  let high = cells.length;
  if (total > width || from > 0) {
    let used = 0;
    low = first;
    while (low > 0 && used < width / 3) used += cells[--low]!.cells;
    high = low;
    used = 0;
    while (high < cells.length && used < width) used += cells[high++]!.cells;
  }
  const shown = cells.slice(low, high);
  const prefix = low > 0 || from > 0 ? '…' : '';
  const suffix = high < cells.length || end + 4 * width < line.length ? '…' : '';
  const firstMarked = shown.findIndex(({ marked }) => marked);
  const ahead = firstMarked === -1 ? shown : shown.slice(0, firstMarked);
  return {
    text: prefix + shown.map(({ text }) => text).join('') + suffix,
    before: prefix.length + ahead.reduce((sum, cell) => sum + cell.cells, 0),
    marked: shown.reduce((sum, cell) => sum + (cell.marked ? cell.cells : 0), 0),
  };
}
