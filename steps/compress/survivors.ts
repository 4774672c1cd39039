import type { Domain } from './domain.ts';
import { isNegation, markSentences, markWords } from './marking.ts';
import { piecesOf } from './pieces.ts';
import { type Preserved, protectedSpans } from './protected-spans.ts';

/** A part of a text that must stand in its compression, as a whole. */
interface Survivor {
  /** As it stands in the text. */
  part: string;
  /** The text to look for, and the unit behind it with a space or none between. */
  head: string;
  unit: string;
  /** What must not stand in front, looked for in the two characters there; null if anything may. */
  notBehind: RegExp | null;
  /** What may stand behind. */
  before: RegExp;
}

const wordCharacter = /[\p{L}\p{M}\p{N}_]/u;
const behindWord = /[\p{L}\p{M}\p{N}_]$/u;
/** The end of another number, or a minus sign. */
const behindNumber = /[\p{L}\p{M}\p{N}_]$|\p{N}[.,:/]$|(?:^|[\s(])[-−±]$/u;
/** In code a comma stands between numbers, and minus between terms. */
const behindCodeNumber = /[\p{L}\p{N}_]$|\p{N}\.$/u;
const beforeNumber = /(?!\p{N}|[.,:/]\p{N})/uy;
const beforeCodeNumber = /(?!\p{N}|\.\p{N})/uy;
const beforeWord = /(?![\p{L}\p{M}\p{N}_])/uy;
const beforeLink = /(?![\p{L}\p{M}\p{N}_/?#&=%@~+-]|\.[\p{L}\p{N}])/uy;
const anything = /(?:)/y;
/** An address, a path or an option. */
const link = /^(?![`"'“«„‘<{%])(?:.*:\/\/|[^\s@]+@|[~.]{0,2}\/|[A-Za-z]:\\|-)/;
/** Words that deny without a negation: for one of them fewer a negation may be gone. */
const denials = new Set(
  `unable impossible unavailable invalid lack lacks lacked lacking absent fail fails failed avoid avoids avoided avoiding forbid forbids
   forbidden prohibited prohibits refuse refuses refused deny denies denied decline declined except excluding unless
   невозможен невозможна неспособен неспособна отсутствует отсутствуют отсутствие запрещено запрещён запрещена запрещены отказ
   отказал отказала отказали отказано отказался отказалась отказались кроме исключая`.split(/\s+/),
);

/**
 * Parts of a text that its compression lacks: code, links, quotes, numbers with their units and forced tokens, each as a whole
 * (5 is not in 15), at least once.
 *
 * @param names whether names are looked for as well: capitals within sentences
 */
export function lostParts(
  text: string,
  compressed: string,
  {
    preserve,
    force,
    domain,
    names,
  }: { preserve: readonly Preserved[]; force: readonly string[]; domain: Domain; names: boolean },
): string[] {
  const spans = protectedSpans(text, preserve, []);
  const shown = ({ start, end }: { start: number; end: number }) => text.slice(start, end).trim();
  const survivors = new Map<string, Survivor>();
  const add = (part: string, of: (part: string) => Survivor) => {
    if (part !== '' && !survivors.has(part)) survivors.set(part, of(part));
  };
  for (const span of spans) add(shown(span), verbatim);
  const pieces = piecesOf(text, spans, preserve.includes('numbers'));
  const starts = new Set(spans.map(({ start }) => start));
  for (const piece of pieces)
    if (piece.kind === 'kept' && !starts.has(piece.start)) add(shown(piece), (part) => number(part, domain));
  for (const span of protectedSpans(text, [], force)) add(shown(span), verbatim);
  if (names && preserve.includes('names')) {
    const words = piecesOf(text, spans, true).filter(({ kind }) => kind !== 'kept');
    markSentences(text, words);
    markWords(text, words, ['names'], () => false);
    for (const piece of words) if (piece.kind === 'kept') add(shown(piece).replace(/['’]s$/, ''), verbatim);
  }
  // What stands in the text itself only within something longer is looked for anywhere.
  const isThere = (one: Survivor) =>
    compressed.includes(one.part) ? stands(one, compressed) || !stands(one, text) : stands(one, compressed);
  return [...survivors.values()].filter((one) => !isThere(one)).map(({ part }) => part);
}

function verbatim(part: string): Survivor {
  const isLink = link.test(part);
  const begins = wordCharacter.test(part[0]!);
  return {
    part,
    head: part,
    unit: '',
    notBehind: begins ? behindWord : isLink ? /[\p{L}\p{M}\p{N}_/-]$/u : null,
    before: isLink ? beforeLink : wordCharacter.test(part.at(-1)!) ? beforeWord : anything,
  };
}

function number(part: string, domain: Domain): Survivor {
  const [, head = part, unit = ''] = /^(.*\p{N})(\P{N}*)$/su.exec(part) ?? [];
  const isText = domain === 'text';
  const afterDigit = isText ? beforeNumber : beforeCodeNumber;
  return {
    part,
    head,
    unit: unit.trim(),
    notBehind: wordCharacter.test(head[0]!) ? (isText ? behindNumber : behindCodeNumber) : /\p{N}$/u,
    before: unit === '' ? afterDigit : /\p{L}$/u.test(unit) ? beforeWord : anything,
  };
}

function stands({ head, unit, notBehind, before }: Survivor, text: string): boolean {
  for (let at = text.indexOf(head); at >= 0; at = text.indexOf(head, at + 1)) {
    if (notBehind?.test(text.slice(Math.max(0, at - 2), at))) continue;
    let end = at + head.length;
    if (unit !== '' && /\s/.test(text[end] ?? '')) end++;
    if (!text.startsWith(unit, end)) continue;
    before.lastIndex = end + unit.length;
    if (before.test(text)) return true;
  }
  return false;
}

/** Negations of a text, and those that its compression lacks: words that deny by themselves may stand for them. */
export function lostNegations(text: string, compressed: string): { all: number; lost: number } {
  const before = counted(text);
  const after = counted(compressed);
  const more = Math.max(0, after.denials - before.denials);
  return { all: before.negations, lost: Math.max(0, before.negations - after.negations - more) };
}

function counted(text: string): { negations: number; denials: number } {
  const counts = { negations: 0, denials: 0 };
  for (const { kind, start, end } of piecesOf(text, [], false)) {
    if (kind === 'mark') continue;
    const word = text.slice(start, end).toLowerCase();
    if (isNegation(word)) counts.negations++;
    else if (denials.has(word)) counts.denials++;
  }
  return counts;
}
