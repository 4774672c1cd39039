import type { DefaultTreeAdapterTypes as Tree } from 'parse5';

/** A block of a page: what stands on lines of its own. Places are in UTF-16 code units of the source. */
export interface HtmlBlock {
  kind: 'text' | 'heading' | 'code';
  text: string;
  start: number;
  end: number;
  line: number;
  /** The headings above it, the outermost first. */
  headings: string[];
}

/** What is no text of a page. */
const silent = new Set(
  'head script style template noscript svg math iframe object embed video audio canvas select datalist textarea button'.split(
    ' ',
  ),
);
/** Elements that stand on lines of their own, apart from what is before and after. */
const blocks = new Set(
  'address article aside blockquote body center details dialog dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend main menu nav ol p pre search section summary table ul'.split(
    ' ',
  ),
);
/** Elements that begin a line inside of a block. */
const lines = new Set(['br', 'li', 'tr', 'caption', 'option']);

/** A parsed page's texts, block by block, as a browser would show them (HTML standard, innerText, in outline). */
export function htmlBlocks(document: Tree.Document): HtmlBlock[] {
  const found: HtmlBlock[] = [];
  const headings: { level: number; title: string }[] = [];
  let text = '';
  let place: { start: number; end: number; line: number } | undefined;
  let code = 0;
  let level = 0;
  const flush = (): void => {
    const shown = code > 0 ? withoutFirstLineEnds(text).trimEnd() : trimmedLines(text);
    if (shown !== '' && place) {
      const kind = level > 0 ? 'heading' : code > 0 ? 'code' : 'text';
      if (kind === 'heading') while (headings.length > 0 && headings.at(-1)!.level >= level) headings.pop();
      found.push({ kind, text: shown, ...place, headings: headings.map(({ title }) => title) });
      if (kind === 'heading') headings.push({ level, title: shown.replaceAll('\n', ' ') });
    }
    text = '';
    place = undefined;
  };
  const add = (node: Tree.TextNode): void => {
    const value = code > 0 ? node.value : node.value.replace(/[ \t\n\f\r]+/g, ' ');
    if (value.trim() === '' && text === '') return;
    text +=
      code === 0 && value.startsWith(' ') && (text === '' || /\s/.test(text.at(-1)!))
        ? value.slice(1)
        : value;
    const at = node.sourceCodeLocation;
    if (!at || value.trim() === '') return;
    place ??= { start: at.startOffset, end: at.endOffset, line: at.startLine };
    place.end = Math.max(place.end, at.endOffset);
  };
  // A stack of our own: pages may be nested deeper than calls can be.
  const stack: (Tree.ChildNode | { leave: string })[] = [...document.childNodes].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if ('leave' in node) {
      const tag = node.leave;
      if (blocks.has(tag)) flush();
      if (tag === 'pre') code--;
      if (isHeading(tag)) level = 0;
      if (lines.has(tag)) text += '\n';
      else if ((tag === 'td' || tag === 'th') && text !== '' && !text.endsWith('\n')) text += '\t';
      continue;
    }
    if (node.nodeName === '#text') add(node as Tree.TextNode);
    if (!('tagName' in node)) continue;
    const tag = node.tagName;
    if (silent.has(tag) || node.attrs.some(({ name }) => name === 'hidden')) continue;
    if (blocks.has(tag)) flush();
    if (tag === 'pre') code++;
    if (isHeading(tag)) level = Number(tag[1]);
    if (lines.has(tag) && text !== '' && !text.endsWith('\n')) text += '\n';
    stack.push({ leave: tag });
    for (let index = node.childNodes.length - 1; index >= 0; index--) stack.push(node.childNodes[index]!);
  }
  flush();
  return found;
}

function trimmedLines(text: string): string {
  const kept = text.split('\n').map((line) => line.trim());
  return kept.filter((line) => line !== '').join('\n');
}

function withoutFirstLineEnds(text: string): string {
  let at = 0;
  while (text[at] === '\n') at++;
  return text.slice(at);
}

function isHeading(tag: string): boolean {
  return tag.length === 2 && tag[0] === 'h' && tag[1]! >= '1' && tag[1]! <= '6';
}

/** The page's title and language. */
export function htmlHead(document: Tree.Document): { title?: string; language?: string } {
  const head: { title?: string; language?: string } = {};
  const html = document.childNodes.find((node): node is Tree.Element => node.nodeName === 'html');
  const language = html?.attrs.find(({ name }) => name === 'lang')?.value.trim();
  if (language) head.language = language;
  const elements =
    html?.childNodes.find((node): node is Tree.Element => node.nodeName === 'head')?.childNodes ?? [];
  const title = elements.find((node): node is Tree.Element => node.nodeName === 'title');
  const words = (title?.childNodes[0] as Tree.TextNode | undefined)?.value.replace(/\s+/g, ' ').trim();
  if (words) head.title = words;
  return head;
}
