import { withoutCommentLines } from './comments.ts';
import { type Preserved, protectedSpans } from './protected-spans.ts';

export const ruleNames = ['json', 'comments', 'markdown', 'fillers', 'articles', 'white_space'] as const;
export type Rule = (typeof ruleNames)[number];

/** Phrases that say nothing, or nothing more than what stands behind them. Written for this package. */
const fillers: readonly (readonly [string, string])[] = [
  ['in order to', 'to'],
  ['due to the fact that', 'because'],
  ['owing to the fact that', 'because'],
  ['in view of the fact that', 'because'],
  ['despite the fact that', 'although'],
  ['in spite of the fact that', 'although'],
  ['with (?:regard|respect|reference) to', 'about'],
  ['in (?:regard|relation) to', 'about'],
  ['for the purpose of', 'for'],
  ['in the event that', 'if'],
  ['on the condition that', 'if'],
  ['at (?:this|the present) point in time', 'now'],
  ['at the present time', 'now'],
  ['in the near future', 'soon'],
  ['prior to', 'before'],
  ['subsequent to', 'after'],
  ['a large number of', 'many'],
  ['the majority of', 'most'],
  ['in the process of', ''],
  ['(?:please )?(?:be advised|note|bear in mind|keep in mind) that', ''],
  [
    'it (?:is|should be) (?:important|worth|interesting|necessary) (?:to note|noting|to mention|mentioning) that',
    '',
  ],
  ['it should be (?:noted|mentioned|pointed out) that', ''],
  ['as a matter of fact,?', ''],
  ['needless to say,?', ''],
  ['for all intents and purposes,?', ''],
  ['(?:basically|essentially|actually|literally|obviously|of course|please|kindly),?', ''],
  ['(?:i|we) would like (?:you )?to', ''],
  ['в связи с тем,? что', 'потому что'],
  ['ввиду того,? что', 'потому что'],
  ['в силу того,? что', 'потому что'],
  ['несмотря на то,? что', 'хотя'],
  ['для того,? чтобы', 'чтобы'],
  ['с целью того,? чтобы', 'чтобы'],
  ['в том случае,? если', 'если'],
  ['при условии,? что', 'если'],
  ['в настоящее время', 'сейчас'],
  ['на сегодняшний день', 'сейчас'],
  ['в ближайшее время', 'скоро'],
  ['большое количество', 'много'],
  ['(?:следует|необходимо|важно|стоит) (?:отметить|учитывать|учесть|помнить|иметь в виду),? что', ''],
  ['(?:прошу )?обратите внимание,? что', ''],
  ['на самом деле,?', ''],
  ['само собой разумеется,? что', ''],
  ['как известно,?', ''],
  ['(?:пожалуйста|собственно говоря|так сказать|по сути дела|разумеется|конечно),?', ''],
];
const filler = fillers.map(
  ([pattern, by]) =>
    [new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])[^\\S\\n]*`, 'giu'), by] as const,
);
/** A capital A may be a letter: vitamin A. */
const article = /(?<![\p{L}\p{N}])(?:an?|An|[Tt]he)(?![\p{L}\p{N}])[^\S\n]+/gu;
/** Emphasis around words, rules across the page. */
const markdown: readonly (readonly [RegExp, string])[] = [
  [/(\*\*|__)(?=\S)([^*_\n]{1,500}?)(?<=\S)\1/g, '$2'],
  [/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\p{L}\p{N}*])/gu, '$1'],
  [/^[^\S\n]*(?:-{3,}|\*{3,}|_{3,})[^\S\n]*(?:\n|$)/gm, ''],
];
/** Shortens a text by rules that change nothing of what it says; what is to be preserved is not touched. */
export function applyRules(
  text: string,
  options: {
    rules: readonly Rule[];
    preserve: readonly Preserved[];
    force: readonly string[];
    isCode: boolean;
  },
): string {
  const { preserve, force, isCode } = options;
  const rules = new Set(options.rules);
  if (rules.has('json')) {
    const short = shortJson(text);
    if (short !== null) return short;
  }
  if (isCode) return rules.has('comments') ? withoutCommentLines(text, force) : text;
  let out = '';
  let at = 0;
  for (const { start, end } of protectedSpans(text, preserve, force)) {
    out += shorten(text.slice(at, start), rules) + text.slice(start, end);
    at = end;
  }
  return out + shorten(text.slice(at), rules);
}

/** JSON without white space between its parts. Numbers and texts stay as they are written. */
function shortJson(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '');
}

function shorten(text: string, rules: ReadonlySet<Rule>): string {
  let short = text;
  if (rules.has('markdown')) {
    short = withoutComments(short);
    for (const [pattern, by] of markdown) short = short.replace(pattern, by);
  }
  if (rules.has('fillers'))
    for (const [pattern, by] of filler)
      short = short.replace(pattern, (found: string) =>
        by === ''
          ? ''
          : (/^\p{Lu}/u.test(found) ? by.charAt(0).toUpperCase() + by.slice(1) : by) +
            (/\s$/.test(found) ? ' ' : ''),
      );
  if (rules.has('articles')) short = short.replace(article, '');
  if (rules.has('white_space'))
    short = short
      .replace(/\r\n?/g, '\n')
      .replace(/(?<![^\S\n])[^\S\n]+\n/g, '\n')
      .replace(/(?<=\S)[^\S\n]{2,}/g, ' ')
      .replace(/\n{3,}/g, '\n\n');
  return short;
}

function withoutComments(text: string): string {
  let out = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf('<!--', at);
    const end = start < 0 ? -1 : text.indexOf('-->', start + 4);
    if (end < 0) return out + text.slice(at);
    out += text.slice(at, start);
    at = end + 3;
  }
}
