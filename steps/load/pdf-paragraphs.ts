/** A run of characters on a page, as PDF.js gives them. */
export interface PdfText {
  str: string;
  /** Height of the font, in points; 0 of spaces. */
  height: number;
  /** The last two are the place from the left and from the bottom. */
  transform: readonly number[];
  hasEOL: boolean;
}

interface Line {
  text: string;
  y: number;
  height: number;
}

/**
 * The paragraphs of a page: lines that stand closer to each other than to what is before and after, in a font of one
 * size. Lines are joined by line ends, as they stand; words that were divided stay divided.
 */
export function pdfParagraphs(texts: Iterable<PdfText>): string[] {
  const lines = linesOf(texts);
  const gaps = lines.slice(1).map((line, index) => lines[index]!.y - line.y);
  const downward = gaps.filter((gap) => gap > 0).sort((a, b) => a - b);
  const usual = downward[downward.length >> 1] ?? 0;
  const paragraphs: string[] = [];
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    const gap = before ? before.y - line.y : 0;
    const height = Math.max(line.height, before?.height ?? 0);
    const isApart =
      !before ||
      gap < -height || // the next column
      Math.min(line.height, before.height) < 0.8 * height ||
      (gap > 1.35 * usual && gap > 1.25 * height) ||
      (downward.length < 5 && gap > 1.9 * height);
    if (isApart) paragraphs.push(line.text);
    else paragraphs.push(`${paragraphs.pop()}\n${line.text}`);
  }
  return paragraphs;
}

function linesOf(texts: Iterable<PdfText>): Line[] {
  const lines: Line[] = [];
  let text = '';
  let y: number | undefined;
  let height = 0;
  const end = (): void => {
    const own = text
      .replace(/[\s\0]+/g, ' ')
      .trim()
      .toWellFormed();
    if (own !== '' && y !== undefined) lines.push({ text: own, y, height });
    text = '';
    y = undefined;
    height = 0;
  };
  for (const { str, height: own, transform, hasEOL } of texts) {
    text += str;
    if (str.trim() !== '') {
      y ??= transform[5] ?? 0;
      height = Math.max(height, own);
    }
    if (hasEOL) end();
  }
  end();
  return lines;
}
