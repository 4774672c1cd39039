import type { Span } from './protected-spans.ts';
import { percentEnd, unitEnd } from './units.ts';

/**
 * A text as a row of pieces, with white space between them:
 * - `word`: may be left out
 * - `kept`: survives as it stands
 * - `mark`: punctuation, which goes with what is around it
 */
export interface Piece {
  start: number;
  end: number;
  kind: 'word' | 'kept' | 'mark';
  /** Numbers of the sentence and the phrase that it stands in, from 0. */
  sentence: number;
  phrase: number;
}

/** Letters and digits with what joins them within a word, an abbreviation or a number; or runs of one and the same mark. */
const chunks = /[\p{L}\p{N}\p{M}_]+(?:['’\-‑–.,:/@][\p{L}\p{N}\p{M}_]+)*|([^\s\p{L}\p{N}\p{M}_])\1*/gu;
/** Where a chunk without digits falls apart into words; hyphens and apostrophes hold. */
const joints = /[.,:/@]/g;
const abbreviation = /^\p{L}(?:\.\p{L})+$/u;
const digit = /\p{N}/u;
const wordStart = /^[\p{L}\p{N}\p{M}_]/u;
const signs = /^[$€£₽¥№#+\-−±≈~]$/u;
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
let segmenter: Intl.Segmenter | undefined;

/** Cuts a text into pieces. `spans`: places that stay whole, ascending and apart; with `numbers` all that has a digit does. */
export function piecesOf(text: string, spans: readonly Span[], numbers: boolean): Piece[] {
  const pieces: Piece[] = [];
  const add = (start: number, end: number, kind: Piece['kind']) =>
    pieces.push({ start, end, kind, sentence: 0, phrase: 0 });
  const cut = (from: number, to: number) => {
    for (const { 0: chunk, index } of text.slice(from, to).matchAll(chunks)) {
      const start = from + index;
      const end = start + chunk.length;
      if (!wordStart.test(chunk)) add(start, end, 'mark');
      else if (digit.test(chunk)) addNumber(start, end);
      else if (unspaced.test(chunk)) {
        segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
        for (const { segment, index: at, isWordLike } of segmenter.segment(chunk))
          add(start + at, start + at + segment.length, isWordLike ? 'word' : 'mark');
      } else if (abbreviation.test(chunk)) add(start, end, 'word');
      else addWords(start, chunk);
    }
  };
  /** With the sign or the currency in front of it. */
  const addNumber = (start: number, end: number) => {
    const before = pieces.at(-1);
    let first = start;
    if (before?.kind === 'mark' && before.end === start && signs.test(text.slice(before.start, start))) {
      pieces.pop();
      first = before.start;
    }
    add(first, end, numbers ? 'kept' : 'word');
  };
  const addWords = (start: number, chunk: string) => {
    let from = 0;
    for (const { index } of chunk.matchAll(joints)) {
      add(start + from, start + index, 'word');
      add(start + index, start + index + 1, 'mark');
      from = index + 1;
    }
    add(start + from, start + chunk.length, 'word');
  };
  let at = 0;
  for (const { start, end } of spans) {
    cut(at, start);
    add(start, end, 'kept');
    at = end;
  }
  cut(at, text.length);
  return withUnits(text, pieces, new Set(spans.map(({ start }) => start)));
}

/** Units belong to the number that they follow; a percent sign to whatever is kept. `spans`: where pieces begin that stay whole. */
function withUnits(text: string, pieces: readonly Piece[], spans: ReadonlySet<number>): Piece[] {
  const joined: Piece[] = [];
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]!;
    joined.push(piece);
    if (piece.kind !== 'kept') continue;
    const isNumber = !spans.has(piece.start) && digit.test(text[piece.end - 1]!);
    const end = isNumber ? unitEnd(text, piece.end) : percentEnd(text, piece.end);
    let last = index;
    while (last < pieces.length && pieces[last]!.end < end) last++;
    if (last === index || pieces[last]?.end !== end) continue;
    piece.end = end;
    index = last;
  }
  return joined;
}

/** Words that a text has: letters or digits with what joins them; in scripts without spaces by dictionary. */
export function countWords(text: string): number {
  let count = 0;
  for (const [chunk] of text.matchAll(chunks)) {
    if (!wordStart.test(chunk)) continue;
    if (!unspaced.test(chunk)) count++;
    else {
      segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
      for (const { isWordLike } of segmenter.segment(chunk)) if (isWordLike) count++;
    }
  }
  return count;
}

/** Whether two characters stand side by side without a space in their script. */
export function isUnspaced(left: string, right: string): boolean {
  return unspaced.test(left) && unspaced.test(right);
}
