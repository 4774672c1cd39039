import { withoutCommentLines } from './comments.ts';
import type { Domain } from './domain.ts';
import { type Preserved, protectedSpans } from './protected-spans.ts';
import { lostNegations, lostParts } from './survivors.ts';

/** Lone halves of surrogate pairs, the mark of lost bytes, and control characters other than tab and line breaks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const broken = /\p{Cs}|[\uFFFD\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/gu;
const brackets: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
];
const longestShown = 40;
const mostShown = 3;

/**
 * What is wrong with a compressed text, for a person to read; empty if nothing is.
 *
 * @param rewritten a model wrote it: it may be in another language, and lack names and negations
 * @param preserve kinds of content that must be found in it; names and negations only in a text that a model wrote
 */
export function flaws(
  original: string,
  compressed: string,
  {
    preserve,
    force,
    domain,
    rewritten,
  }: { preserve: readonly Preserved[]; force: readonly string[]; domain: Domain; rewritten: boolean },
): string[] {
  if (compressed.trim() === '') return original.trim() === '' ? [] : ['nothing is left'];
  const found: string[] = [];
  const known = new Set(original.match(broken) ?? []);
  if ((compressed.match(broken) ?? []).some((character) => !known.has(character)))
    found.push('encoding: it has broken or control characters that the text has not');
  const [before, after] = [outside(original), outside(compressed)];
  if (rewritten && scriptOf(before) !== scriptOf(after) && scriptOf(after) !== 'other')
    found.push('language: it is written in another script');
  found.push(...structureFlaws(original, compressed, domain));
  // Comments may go, with the numbers in them.
  const told = domain === 'code' ? withoutCommentLines(original, force) : original;
  const isProse = rewritten && domain === 'text';
  const lost = lostParts(told, compressed, { preserve, force, domain, names: isProse });
  if (lost.length > 0) {
    const shown = lost.slice(0, mostShown).map((part) => JSON.stringify(cut(part)));
    found.push(
      `lost: ${shown.join(', ')}${lost.length > mostShown ? `, and ${lost.length - mostShown} more` : ''}`,
    );
  }
  if (isProse && preserve.includes('negations')) {
    const negations = lostNegations(original, compressed);
    if (negations.lost > 0)
      found.push(`negations: the text has ${negations.all}, and ${negations.lost} of them are gone`);
  }
  return found;
}

function structureFlaws(original: string, compressed: string, domain: Domain): string[] {
  const found: string[] = [];
  if (domain === 'json') {
    try {
      JSON.parse(compressed);
    } catch {
      found.push('structure: it is no JSON any more');
    }
  }
  if (fences(original) % 2 === 0 && fences(compressed) % 2 === 1)
    found.push('structure: a block of code does not end');
  const [before, after] = [outside(original), outside(compressed)];
  for (const [open, close] of brackets)
    if (isNested(before, open, close) && !isNested(after, open, close))
      found.push(`structure: the brackets ${open}${close} do not match`);
  return found;
}

function fences(text: string): number {
  return text.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0;
}

/** The text without code, links and quoted strings, in which a bracket need not have a partner. */
function outside(text: string): string {
  let out = '';
  let at = 0;
  for (const { start, end } of protectedSpans(text, ['code', 'links', 'quotes'], [])) {
    out += text.slice(at, start);
    at = end;
  }
  return out + text.slice(at);
}

function isNested(text: string, open: string, close: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === open) depth++;
    else if (character === close && --depth < 0) return false;
  }
  return depth === 0;
}

/** The script of most letters; of a few it cannot be told. */
function scriptOf(text: string): 'latin' | 'cyrillic' | 'other' {
  const latin = text.match(/\p{sc=Latin}/gu)?.length ?? 0;
  const cyrillic = text.match(/\p{sc=Cyrillic}/gu)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  if (letters < 10) return 'other';
  if (latin > 0.5 * letters) return 'latin';
  return cyrillic > 0.5 * letters ? 'cyrillic' : 'other';
}

function cut(part: string): string {
  return part.length > longestShown ? `${part.slice(0, longestShown)}…` : part;
}
