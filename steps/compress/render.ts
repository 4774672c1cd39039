import { isUnspaced, type Piece } from './pieces.ts';

/** A text cut into pieces, made ready to be written again and again without some of its words. */
export interface Layout {
  text: string;
  pieces: readonly Piece[];
  /** Of each mark, what it hangs on: it is written if a kept piece stands in [from, to), or (`both`) on either side. */
  marks: readonly (Mark | null)[];
}

type Mark = { from: number; to: number } | 'both';

const opening = '([{';
const closing = ')]}';
const enders = /^[.!?…。！？]+$/u;
const lineMark = /^[-*+•#>–|]+$/u;

export function layOut(text: string, pieces: readonly Piece[]): Layout {
  const marks: (Mark | null)[] = pieces.map(() => null);
  const open: number[] = [];
  let sentenceStart = 0;
  for (const [index, piece] of pieces.entries()) {
    if (piece.sentence !== pieces[sentenceStart]?.sentence) sentenceStart = index;
    if (piece.kind !== 'mark') continue;
    const shown = text.slice(piece.start, piece.end);
    marks[index] = 'both';
    if (enders.test(shown)) marks[index] = { from: sentenceStart, to: index };
    else if (lineMark.test(shown) && startsLine(text, pieces, index)) {
      let to = index + 1;
      while (to < pieces.length && !text.slice(pieces[to - 1]!.end, pieces[to]!.start).includes('\n')) to++;
      marks[index] = { from: index, to };
    } else if (shown.length === 1 && opening.includes(shown)) open.push(index);
    else if (shown.length === 1 && closing.includes(shown)) {
      const at = open.findLastIndex(
        (other) => text[pieces[other]!.start] === opening[closing.indexOf(shown)],
      );
      if (at < 0) continue;
      const start = open[at]!;
      open.length = at;
      marks[start] = { from: start, to: index };
      marks[index] = marks[start];
    }
  }
  return { text, pieces, marks };
}

function startsLine(text: string, pieces: readonly Piece[], index: number): boolean {
  return (
    text.slice(index === 0 ? 0 : pieces[index - 1]!.end, pieces[index]!.start).includes('\n') || index === 0
  );
}

/**
 * The text of the pieces that are kept, in their order; `keep` says so of the words. Marks go with what is around them: a bracket
 * with its partner, a full stop with its sentence. Between neighbours white space stays as it is.
 */
export function render({ text, pieces, marks }: Layout, keep: Uint8Array): string {
  const kept = new Uint32Array(pieces.length + 1);
  const isKept = (index: number) => pieces[index]!.kind === 'kept' || keep[index] === 1;
  for (let index = 0; index < pieces.length; index++)
    kept[index + 1] = kept[index]! + (pieces[index]!.kind !== 'mark' && isKept(index) ? 1 : 0);
  const written = (index: number): boolean => {
    const mark = marks[index];
    if (mark === null || mark === undefined) return isKept(index);
    if (mark !== 'both') return kept[mark.to]! > kept[mark.from]!;
    return sideKept(pieces, index, -1, isKept) && sideKept(pieces, index, 1, isKept);
  };
  let out = '';
  let last = -1;
  for (let index = 0; index < pieces.length; index++) {
    if (!written(index)) continue;
    const piece = pieces[index]!;
    if (last >= 0) out += between(text, pieces, last, index);
    else if (index === 0) out += text.slice(0, piece.start);
    out += text.slice(piece.start, piece.end);
    last = index;
  }
  if (last >= 0 && last === pieces.length - 1) out += text.slice(pieces[last]!.end);
  return out;
}

/** Whether the nearest word on a side is kept. */
function sideKept(
  pieces: readonly Piece[],
  index: number,
  step: 1 | -1,
  isKept: (index: number) => boolean,
): boolean {
  for (let at = index + step; at >= 0 && at < pieces.length; at += step)
    if (pieces[at]!.kind !== 'mark') return isKept(at);
  return true;
}

/** What stands between two pieces that are written one after the other. */
function between(text: string, pieces: readonly Piece[], left: number, right: number): string {
  const from = pieces[left]!;
  const to = pieces[right]!;
  const gap = text.slice(from.end, to.start);
  if (right === left + 1) return gap;
  const isBlank = (piece: Piece) => text.slice(piece.start, piece.end).trim() === '';
  if (isBlank(from) || isBlank(to)) return '';
  const isGlued = to.kind === 'mark' && pieces[right - 1]!.end === to.start;
  if (isGlued && !text.slice(from.start, from.end).includes('://')) return '';
  if (gap.includes('\n')) return /\n[^\S\n]*\n/.test(gap) ? '\n\n' : '\n';
  const opens = from.kind === 'mark' && opening.includes(text[from.end - 1]!);
  if (opens && pieces[left + 1]!.start === from.end) return '';
  return isUnspaced(text[from.end - 1]!, text[to.start]!) ? '' : ' ';
}
