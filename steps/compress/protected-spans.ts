/** Places of a text, in UTF-16 code units; `end` is the first behind it. */
export interface Span {
  start: number;
  end: number;
}

/** Kinds of content that survive as they stand. */
export const preservable = ['code', 'links', 'numbers', 'names', 'negations', 'quotes'] as const;
export type Preserved = (typeof preservable)[number];

/** A pattern, and what a text must hold for it to be looked for. */
type Kind = readonly [needed: string, pattern: RegExp];

/** Code in a line, markup, and what a program fills in. */
const inlineCode: readonly Kind[] = [
  ['``', /(?<!`)``(?!`)[^\n]{1,2000}?(?<!`)``(?!`)/g],
  ['`', /`[^`\n]{1,2000}`/g],
  ['<', /<\/?[a-zA-Z][^<>\n]{0,300}>/g],
  ['{', /\{\{[^{}\n]{0,300}\}\}|\$\{[^{}\n]{0,300}\}|\{[\p{L}_][\p{L}\p{N}_.]{0,100}\}/gu],
  ['%', /%(?:\d+\$)?[sd]\b|%\([\w.]{1,100}\)[sd]/g],
];
const links: readonly Kind[] = [
  ['://', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s<>"'`]{1,2000}/gi],
  ['@', /[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+/g],
  ['/', /(?<![\w/])(?:~|\.{1,2})?\/[\w.@~+-]{1,200}(?:\/[\w.@~+-]{1,200})*\/?/g],
  [':\\', /\b[A-Za-z]:\\[^\s"'<>|]{1,400}/g],
  ['-', /(?<![\w-])--?[a-zA-Z][\w-]{1,60}(?![\w-])/g],
];
const quotes: readonly Kind[] = [
  ['"', /"[^"\n]{1,1000}"/g],
  ['“', /“[^“”]{1,1000}”/g],
  ['«', /«[^«»]{1,1000}»/g],
  ['„', /„[^„“”]{1,1000}[“”]/g],
  ["'", /(?<![\p{L}\p{N}])'[^'\n]{1,300}'(?![\p{L}\p{N}])/gu],
  ['‘', /‘[^‘’\n]{1,300}’(?![\p{L}\p{N}])/gu],
];
const word = /[\p{L}\p{N}\p{M}_]/u;

/** Code, links, quoted strings and forced tokens of a text: ascending, apart. Words are looked at elsewhere. */
export function protectedSpans(
  text: string,
  preserve: readonly Preserved[],
  force: readonly string[],
): Span[] {
  const has = (kind: Preserved) => preserve.includes(kind);
  const spans = [
    ...(has('code') ? [...codeBlocks(text), ...matches(text, inlineCode)] : []),
    ...(has('links') ? matches(text, links).map((span) => withoutEnd(text, span)) : []),
    ...(has('quotes') ? matches(text, quotes) : []),
    ...force.flatMap((token) => occurrences(text, token)),
  ];
  return merged(spans);
}

function matches(text: string, kinds: readonly Kind[]): Span[] {
  return kinds.flatMap(([needed, pattern]) =>
    text.includes(needed)
      ? [...text.matchAll(pattern)].map(({ 0: found, index }) => ({
          start: index,
          end: index + found.length,
        }))
      : [],
  );
}

/** A full stop or a bracket behind an address ends the sentence. */
function withoutEnd(text: string, { start, end }: Span): Span {
  let last = end;
  while (last > start + 1 && /[.,;:!?)\]}»”]/.test(text[last - 1]!)) last--;
  return { start, end: last };
}

/** Every place of a token; one that begins or ends within a word stands for the word. */
function occurrences(text: string, token: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(token), next = 0; at >= 0; at = text.indexOf(token, next)) {
    let start = at;
    let end = at + token.length;
    if (word.test(text[start]!)) while (start > 0 && word.test(text[start - 1]!)) start--;
    if (word.test(text[end - 1]!)) while (end < text.length && word.test(text[end]!)) end++;
    spans.push({ start, end });
    next = end > at + token.length ? end : at + 1;
  }
  return spans;
}

/** Blocks of code as Markdown has them: between fences, or indented by four spaces or a tab behind an empty line. */
function codeBlocks(text: string): Span[] {
  const spans: Span[] = [];
  let fence: { mark: string; start: number } | null = null;
  let isBehindEmpty = true;
  let isInList = false;
  let indented: Span | null = null;
  let at = 0;
  for (const line of text.split('\n')) {
    const end = at + line.length;
    const mark = /^[ \t]*(```+|~~~+)/.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence.mark)) {
        spans.push({ start: fence.start, end });
        fence = null;
      }
    } else if (mark !== undefined) fence = { mark, start: at };
    else if (line.trim() === '') isBehindEmpty = true;
    else {
      const isIndented = /^(?: {4}|\t)/.test(line);
      if (isIndented && !isInList && (isBehindEmpty || indented !== null)) {
        if (indented === null) {
          indented = { start: at, end };
          spans.push(indented);
        } else indented.end = end;
      } else {
        indented = null;
        if (!isIndented) isInList = /^\s*(?:[-*+•]|\d+[.)])\s/.test(line);
      }
      isBehindEmpty = false;
    }
    at = end + 1;
  }
  if (fence !== null) spans.push({ start: fence.start, end: text.length });
  return spans;
}

function merged(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const { start, end } of spans
    .filter((span) => span.end > span.start)
    .sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}
