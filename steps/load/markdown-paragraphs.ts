import { charPlaces, type Paragraph } from './chunks.ts';

const listMark = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;

/**
 * The paragraphs of a Markdown text (CommonMark 0.31, by lines): prose, lists, quotes and tables between empty lines,
 * each with the headings above it. Headings, code (fenced or indented), comments, thematic breaks and definitions of
 * links are none. `body` is where the front matter ends, in UTF-16 code units.
 */
export function* markdownParagraphs(text: string, body: number): Generator<Paragraph> {
  const headings: { level: number; title: string }[] = [];
  const charAt = charPlaces(text);
  let number = 1;
  for (let at = 0; at < body; at++) if (text.charCodeAt(at) === 0x0a) number++;
  let fence: string | undefined;
  let inComment = false;
  let inList = false;
  let afterBlank = true;
  let open: { start: number; end: number; line: number; lines: number } | undefined;
  const heading = (level: number, title: string): void => {
    while (headings.length > 0 && headings.at(-1)!.level >= level) headings.pop();
    headings.push({ level, title });
  };
  const close = (): Paragraph | undefined => {
    if (!open) return undefined;
    const { start, end, line } = open;
    open = undefined;
    const own = text.slice(start, end);
    const section = headings.map(({ title }) => title);
    return { text: own, start: charAt(start), end: charAt(end), line, section };
  };
  for (let at = body; at < text.length; number++) {
    const newline = text.indexOf('\n', at);
    const next = newline < 0 ? text.length : newline + 1;
    let stop = newline < 0 ? text.length : newline;
    if (stop > at && text.charCodeAt(stop - 1) === 0x0d) stop--;
    const line = text.slice(at, stop);
    const start = at;
    at = next;
    if (inComment) {
      inComment = !line.includes('-->');
      continue;
    }
    const marks = /^[ \t]*(?:>[ \t]?)*(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence !== undefined) {
      if (marks && marks[1]!.startsWith(fence) && marks[2]!.trim() === '') fence = undefined;
      continue;
    }
    const blank = line.trim() === '';
    const wasBlank = afterBlank;
    afterBlank = blank;
    const isFence = marks !== null && !(marks[1]!.startsWith('`') && marks[2]!.includes('`'));
    const atx = atxHeading(line);
    const isComment = /^ {0,3}<!--/.test(line);
    const isBreak = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/.test(line);
    const setext =
      open?.lines === 1 && !listMark.test(text.slice(open.start, open.end))
        ? /^ {0,3}(=+|-+)[ \t]*$/.exec(line)
        : null;
    if (setext && open) {
      heading(setext[1]!.startsWith('=') ? 1 : 2, text.slice(open.start, open.end).trim());
      open = undefined;
      afterBlank = true;
      continue;
    }
    const isIndented = !open && wasBlank && !inList && /^(?: {4}| {0,3}\t)/.test(line) && !blank;
    const isDefinition = !open && /^ {0,3}\[[^\]\n]+\]:[ \t]*\S/.test(line);
    if (blank || isFence || atx || isComment || isBreak || isIndented || isDefinition) {
      const done = close();
      if (done) yield done;
      if (isFence) fence = marks[1]!;
      else if (isComment) inComment = !line.includes('-->');
      else if (atx) heading(atx.level, atx.title);
      else if (isIndented) afterBlank = true; // the block goes on
      if (atx || isBreak) {
        inList = false;
        afterBlank = true;
      }
      continue;
    }
    if (listMark.test(line)) inList = true;
    else if (wasBlank && !/^[ \t]/.test(line)) inList = false;
    const lead = open ? 0 : line.length - line.trimStart().length;
    open ??= { start: start + lead, end: 0, line: number, lines: 0 };
    open.end = start + line.trimEnd().length;
    open.lines++;
  }
  const done = close();
  if (done) yield done;
}

/** A heading as `## Title ##` (CommonMark 0.31, section 4.2); undefined for any other line. */
export function atxHeading(line: string): { level: number; title: string } | undefined {
  const mark = /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(line);
  if (!mark) return undefined;
  const title = line.slice(mark[0].length).trim();
  return { level: mark[1]!.length, title: title.replace(/(?:^|[ \t])#+$/, '').trimEnd() };
}
