/** A line of a file, without its end. */
export interface Line {
  /** From 1. */
  number: number;
  /** Its text; of one above the limit, the beginning. */
  text: string;
  /** Length in UTF-16 code units of a line above the limit, undefined for the others. */
  tooLong: number | undefined;
}

/** Keeps the beginning of a line that is too long to be kept. */
const beginning = 1000;

/**
 * Whether lines end with a lone CR (classic Mac): told from the first block, which then has a CR and no LF.
 * Elsewhere a CR inside a line is text, and a CR before LF belongs to the line end.
 */
export function endsWithCr(firstBlock: string): boolean {
  return !firstBlock.includes('\n') && firstBlock.includes('\r');
}

/**
 * Splits blocks of text into lines, a batch for each block. U+2028 and its like are text. A last line
 * without an end counts; an empty rest does not. Memory is bounded by `limit`, in UTF-16 code units.
 * Lines are numbered from `before` + 1.
 */
export async function* linesOf(
  blocks: AsyncIterable<string>,
  limit: number,
  before = 0,
): AsyncGenerator<Line[]> {
  let crOnly: boolean | undefined;
  let number = before + 1;
  let parts: string[] = [];
  let length = 0;
  const lines: Line[] = [];
  const finish = (rest: string): void => {
    length += rest.length;
    if (length > limit) {
      lines.push({ number, text: (parts.join('') + rest).slice(0, beginning), tooLong: length });
    } else {
      lines.push({ number, text: parts.length > 0 ? parts.join('') + rest : rest, tooLong: undefined });
    }
    parts = [];
    length = 0;
    number++;
  };
  let held = '';
  for await (const piece of blocks) {
    let block = held + piece;
    held = '';
    if (block === '') continue;
    crOnly ??= endsWithCr(block);
    if (block.endsWith('\r')) {
      // Its LF may come with the next block.
      held = '\r';
      block = block.slice(0, -1);
    }
    let start = 0;
    for (;;) {
      const end = block.indexOf(crOnly ? '\r' : '\n', start);
      if (end < 0) break;
      const stop = !crOnly && end > start && block.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
      finish(block.slice(start, stop));
      start = crOnly && block.charCodeAt(end + 1) === 0x0a ? end + 2 : end + 1;
    }
    const rest = block.slice(start);
    length += rest.length;
    if (length <= limit) {
      if (rest !== '') parts.push(rest);
    } else {
      parts = [(parts.join('') + rest).slice(0, beginning)];
    }
    if (lines.length > 0) yield lines.splice(0);
  }
  if (length > 0 || (held !== '' && crOnly)) finish('');
  if (lines.length > 0) yield lines;
}
